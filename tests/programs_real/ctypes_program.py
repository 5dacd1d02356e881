import ctypes
import ctypes.util

libc = ctypes.CDLL(None)
print(libc.abs(-5), libc.strlen(b"four"))
compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
numbers = (ctypes.c_int * 5)(3, 1, 4, 1, 5)
libc.qsort(numbers, len(numbers), ctypes.sizeof(ctypes.c_int), compare(lambda a, b: a[0] - b[0]))
print(list(numbers))


class Point(ctypes.Structure):
    _fields_ = [("x", ctypes.c_double), ("y", ctypes.c_int)]


print(ctypes.sizeof(Point), Point(1.5, 2).x)
buffer = ctypes.create_string_buffer(20)
libc.snprintf(buffer, 20, b"%d-%s", ctypes.c_int(7), b"seven")
print(buffer.value)
libm = ctypes.CDLL("libm.so.6")
libm.cos.restype = ctypes.c_double
libm.cos.argtypes = [ctypes.c_double]
print(libm.cos(0.0))
