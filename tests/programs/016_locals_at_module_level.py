x = 1
print(locals() is globals())
locals()["y"] = 2
print(y)
def f(a):
    b = a + 1
    return sorted(locals())
print(f(1))
