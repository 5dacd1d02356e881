import builtins
builtins.twice = lambda x: x * 2
print(twice(4))
del builtins.twice
try:
    twice(1)
except NameError as e:
    print(e)
