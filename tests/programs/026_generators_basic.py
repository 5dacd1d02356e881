def count(n):
    i = 0
    while i < n:
        got = yield i
        if got is not None:
            i = got
        i += 1
    return "finished"
g = count(10)
print(next(g), g.send(5), next(g))
try:
    while True:
        print(next(g))
except StopIteration as e:
    print("value", e.value)
