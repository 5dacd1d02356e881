def inner():
    x = yield 1
    print("got", x)
    try:
        yield 2
    except ValueError as e:
        print("caught", e)
        yield 3
    return "result"
def outer():
    r = yield from inner()
    yield r
g = outer()
print(next(g))
print(g.send("hi"))
print(g.throw(ValueError("thrown")))
print(next(g))
