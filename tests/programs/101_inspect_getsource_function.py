import inspect
def documented(x):
    # a comment inside
    return x + 1

print(inspect.getsource(documented))
print(inspect.getsourcelines(documented)[1])
