import sys
print(sys.getrecursionlimit(), sys.byteorder, sys.maxsize, sys.getdefaultencoding(), sys.getfilesystemencoding())
print(sys.version_info >= (3, 9), sys.implementation.name, sys.float_info.dig, sys.int_info.bits_per_digit > 0)
print(sys.intern("x") is sys.intern("x"), sys.getsizeof(1) > 0, sys.flags.optimize, sys.flags.hash_randomization)
