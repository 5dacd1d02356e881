import inspect
def f(a, /, b: int, *args, c=3, d: "str" = "x", **kw) -> bool:
    "doc"
    return True
print(inspect.signature(f))
print(f.__kwdefaults__, f.__doc__, inspect.getdoc(f), f.__code__.co_varnames)
print(inspect.isfunction(f), inspect.isgeneratorfunction(lambda: (yield)))
