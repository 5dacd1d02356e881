import sys
try:
    sys.exit(9)
finally:
    1 / 0
