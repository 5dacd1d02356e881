def gen():
    yield 1
    raise LookupError("in the generator")
for v in gen():
    print(v)
