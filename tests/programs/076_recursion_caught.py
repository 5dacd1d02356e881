import sys
def f():
    return f()
try:
    f()
except RecursionError as e:
    print(type(e).__name__, isinstance(e, RuntimeError))
print(sys.getrecursionlimit())
class R:
    def __repr__(self):
        return repr(self)
try:
    repr(R())
except RecursionError:
    print("repr too")
