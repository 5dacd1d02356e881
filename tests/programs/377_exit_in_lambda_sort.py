import sys
sorted([1, 2], key=lambda v: sys.exit(20 + v))
