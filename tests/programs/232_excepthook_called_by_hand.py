import sys
try:
    raise LookupError("by hand")
except LookupError:
    print(sys.excepthook is sys.__excepthook__)
