import pprint, reprlib
pprint.pprint({"key%d" % i: list(range(i)) for i in range(12)}, width=40)
print(reprlib.repr(list(range(100))), pprint.pformat([1, 2]))
