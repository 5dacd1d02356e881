a = [1]
b = a
a += [2]
print(b)
t = ([],)
try:
    t[0] += [1]
except TypeError as e:
    print(e)
print(t)
x = 5; x **= 2; x //= 4; x <<= 3; x |= 1; x ^= 2
print(x)
