a = 1; b = 2; print(a + b); c = a + \
    b
print(c); print((1 +
    2 +
    3))
if a: print("one line"); print("two")
