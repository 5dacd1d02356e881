def make():
    count = 0
    def inc():
        nonlocal count
        count += 1
        return count
    return inc, lambda: count
inc, get = make()
inc(); inc()
print(get(), inc.__closure__[0].cell_contents)
fs = [lambda: i for i in range(3)]
print([f() for f in fs])
fs = [lambda i=i: i for i in range(3)]
print([f() for f in fs])
