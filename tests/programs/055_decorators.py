import functools
def log(level):
    def deco(fn):
        @functools.wraps(fn)
        def wrapper(*a, **k):
            print(level, fn.__name__, a, k)
            return fn(*a, **k)
        return wrapper
    return deco
@log("INFO")
@log("DEBUG")
def add(a, b=1):
    "adds"
    return a + b
print(add(1, b=2), add.__name__, add.__doc__)
def nothing(f):
    print('decorating', f.__name__)
@nothing
def printed_and_none(): return 1
print(printed_and_none)
