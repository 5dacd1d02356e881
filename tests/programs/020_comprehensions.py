print([x * y for x in range(3) for y in range(x)])
print({x % 3 for x in range(10)} == {0, 1, 2})
print({k: v for k, v in zip("abc", range(3))})
print([[c for c in row if c != "b"] for row in ("abc", "bcd")])
print(sum(x for x in range(10) if x % 2))
x = "outer"
[x for x in range(3)]
print(x)
