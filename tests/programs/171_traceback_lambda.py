f = lambda x: x / 0
g = lambda: f(1)
g()
