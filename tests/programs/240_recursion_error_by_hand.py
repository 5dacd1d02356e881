def f(n):
    if n == 90:
        raise RecursionError("deep enough")
    f(n + 1)
f(0)
