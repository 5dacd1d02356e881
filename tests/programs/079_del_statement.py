x, y = 1, [1, 2, 3]
del x
try:
    x
except NameError as e:
    print(e)
del y[0], y[-1]
print(y)
class A: pass
a = A()
a.v = 1
del a.v
print(hasattr(a, "v"))
def f():
    z = 1
    del z
    try:
        z
    except UnboundLocalError as e:
        print(type(e).__name__)
f()
