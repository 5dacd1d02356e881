import sys
def hook(u):
    print("unraisable:", u.exc_type.__name__, u.exc_value)
sys.unraisablehook = hook
class A:
    def __del__(self):
        raise ValueError("in del")
a = A()
del a
print("after")
