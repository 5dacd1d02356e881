def a(n):
    return b(n + 1)
def b(n):
    if n > 5:
        return c(n)
    return a(n + 1)
def c(n):
    values = {"n": n}
    return values["missing"]
a(0)
