x = "global"
class A:
    x = "class"
    y = x
    z = [x for _ in range(1)]
    print("in body", y, z, __qualname__, __module__)
    for i in range(2):
        pass
    def m(self):
        return x
print(A.x, A.i, A().m())
