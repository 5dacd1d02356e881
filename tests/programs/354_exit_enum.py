import sys, enum
class E(enum.IntEnum):
    FAIL = 12
sys.exit(E.FAIL)
