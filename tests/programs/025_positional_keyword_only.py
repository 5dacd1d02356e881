def f(a, b=2, /, c=3, *, d, e=5):
    return a, b, c, d, e
print(f(1, d=4), f(1, 9, c=8, d=7))
for call in (lambda: f(a=1, d=4), lambda: f(1, 2, 3, 4), lambda: f(1), lambda: f(1, d=1, z=2)):
    try:
        call()
    except TypeError as e:
        print(e)
