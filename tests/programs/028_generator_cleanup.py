def g():
    try:
        yield 1
        yield 2
    except GeneratorExit:
        print("exit")
        raise
    finally:
        print("cleanup")
a = g()
print(next(a))
a.close()
b = g()
next(b)
del b
for v in g():
    break
print("end")
