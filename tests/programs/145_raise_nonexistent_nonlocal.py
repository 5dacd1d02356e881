def f():
    x = 1
    def g():
        return y_missing
    return g()
f()
