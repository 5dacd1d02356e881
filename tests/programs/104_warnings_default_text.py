import warnings
print("before")
warnings.warn("careful now")
def f():
    warnings.warn("deprecated thing", DeprecationWarning, stacklevel=2)
f()
for _ in range(3):
    warnings.warn("shown once")
