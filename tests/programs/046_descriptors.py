class Typed:
    def __init__(self, kind): self.kind = kind
    def __set_name__(self, owner, name): self.name = "_" + name
    def __get__(self, obj, owner=None):
        return self if obj is None else getattr(obj, self.name)
    def __set__(self, obj, value):
        if not isinstance(value, self.kind):
            raise TypeError(f"{self.name[1:]} wants {self.kind.__name__}")
        setattr(obj, self.name, value)
    def __delete__(self, obj):
        delattr(obj, self.name)
class P:
    age = Typed(int)
p = P()
p.age = 3
print(p.age, p.__dict__, isinstance(P.age, Typed))
try:
    p.age = "x"
except TypeError as e:
    print(e)
del p.age
print(p.__dict__)
