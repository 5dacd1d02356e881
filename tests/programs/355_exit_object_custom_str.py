import sys
class Msg:
    def __str__(self): return "custom str of the object"
    def __repr__(self): return "repr"
sys.exit(Msg())
