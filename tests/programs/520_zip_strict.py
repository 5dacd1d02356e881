# requires: 3.10
print(list(zip([1, 2], "ab", strict=True)))
list(zip([1, 2], [3], strict=True))
