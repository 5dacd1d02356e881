a, (b, *c), d = 1, (2, 3, 4), 5
print(a, b, c, d)
*start, end = "hello"
print(start, end)
print([*range(3), *"ab"], {**{"x": 1}, "y": 2}, (*(), 1))
def f(*args, k=0, **kw):
    return args, k, kw
print(f(*[1, 2], *(3,), k=4, **{"z": 5}))
first, second = {"k1": 1, "k2": 2}
print(first, second)
