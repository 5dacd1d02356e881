import ctypes
libc = ctypes.CDLL(None)
print(libc.abs(-5), ctypes.sizeof(ctypes.c_int32))
class P(ctypes.Structure):
    _fields_ = [("x", ctypes.c_int), ("y", ctypes.c_double)]
p = P(1, 2.5)
print(p.x, p.y)
print(libc.write(1, b"from C\n", 7))
