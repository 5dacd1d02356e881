def d(n):
    print("make", n)
    def deco(f):
        print("apply", n)
        return f
    return deco
@d(1)
@d(2)
class K:
    @d(3)
    def m(self): pass
@(lambda f: f)
def g(): return "lambda decorated"
print(g())
