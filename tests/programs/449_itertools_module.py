from itertools import *
print(list(chain("ab", [1])), list(islice(count(5, 2), 3)), list(accumulate([1, 2, 3], lambda a, b: a * b)))
print(list(combinations("abc", 2)), list(permutations([1, 2], 2)), list(product("ab", repeat=2)))
print([(k, list(g)) for k, g in groupby("aabbba")], list(zip_longest("ab", "c", fillvalue="-")))
print(list(takewhile(lambda x: x < 3, range(9))), list(dropwhile(lambda x: x < 3, range(5))), list(compress("abc", [1, 0, 1])))
a, b = tee(iter("xy"))
print(list(a), list(b), list(starmap(pow, [(2, 3)])), list(repeat(0, 3)))
