def f(n):
    return f(n + 1)
try:
    f(0)
except RecursionError as e:
    text = str(e)
raise RuntimeError("too deep: " + text[:31])
