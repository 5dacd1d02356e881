def f(x=[1][3]):
    pass
