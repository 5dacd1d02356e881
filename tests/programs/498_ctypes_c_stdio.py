import ctypes
libc = ctypes.CDLL(None)
print("before")
libc.puts(b"C stdio, flushed by hand")
libc.fflush(None)
print("after")
