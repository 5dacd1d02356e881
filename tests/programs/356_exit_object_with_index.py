import sys
class N:
    def __index__(self): return 5
    def __str__(self): return "not an int"
sys.exit(N())
