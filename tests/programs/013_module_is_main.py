import sys
import __main__
marker = object()
print(sys.modules["__main__"] is __main__)
print(__main__.marker is marker)
print(globals() is vars(__main__))
print(type(__main__).__name__)
