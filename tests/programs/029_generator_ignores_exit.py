def g():
    while True:
        try:
            yield 1
        except GeneratorExit:
            print("ignored")
            yield 2
            return
a = g()
next(a)
try:
    a.close()
except RuntimeError as e:
    print(e)
a.close()
