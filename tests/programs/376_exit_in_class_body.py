import sys
class A:
    sys.exit(19)
