import sys
sys.excepthook = lambda *a: print("never called")
sys.exit(4)
