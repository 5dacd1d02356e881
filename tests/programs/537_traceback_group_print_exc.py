# requires: 3.11
import traceback
try:
    raise ExceptionGroup("caught", [ValueError("one"), KeyError("two")])
except ExceptionGroup:
    traceback.print_exc()
print("on")
