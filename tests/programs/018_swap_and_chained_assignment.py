a = b = []
a.append(1)
print(a, b, a is b)
x, y = 1, 2
x, y = y, x
print(x, y)
i = 0
i, z = 5, [10, 20, 30, 40, 50, 60][i]
print(i, z)
