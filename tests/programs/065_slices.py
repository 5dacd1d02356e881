class S:
    def __getitem__(self, k): return k
s = S()
print(s[1], s[1:2], s[::3], s[1, ..., :], s[None])
l = list(range(10))
l[2:5] = ["x"]
del l[::3]
print(l, l[-3:], l[slice(1, None, 2)])
print(slice(None, 10, 3).indices(7))
