import sys
try:
    1 / 0
except ZeroDivisionError:
    tb = sys.exc_info()[2]
raise ValueError("moved").with_traceback(tb)
