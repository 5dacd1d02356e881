def deco(f):
    raise TypeError("refuses to decorate")
@deco
def func():
    pass
