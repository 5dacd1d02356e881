import weakref, gc
class A: pass
a = A()
r = weakref.ref(a, lambda _: print("gone"))
print(r() is a)
del a
print(r())
d = weakref.WeakValueDictionary()
b = A()
d["b"] = b
print(len(d))
del b
print(len(d))
x = A(); x.me = x
w = weakref.ref(x)
del x
print(w() is not None)
gc.collect()
print(w())
