import sys
class Code(int):
    def __str__(self): return "code text"
sys.exit(Code(9))
