a, b = {1, 2, 3}, {2, 3, 4}
print(sorted(a | b), sorted(a & b), sorted(a - b), sorted(a ^ b), a <= {1, 2, 3, 4})
f = frozenset([1, 2])
print(f in {f}, len({1, 1.0, True}), set() == {*()})
try:
    {[]}
except TypeError as e:
    print(type(e).__name__)
