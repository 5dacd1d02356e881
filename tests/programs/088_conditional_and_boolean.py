x = None
print(x or "default", x and x.y, not x, 0 or [] or "last", 1 and 2 and 3)
print("yes" if x is None else "no", (1 if 0 else 2 if 0 else 3))
def noisy(v):
    print("eval", v)
    return v
noisy(0) and noisy(1) or noisy(2)
