class T:
    def __init__(self): self._c = 0
    @property
    def c(self): "temperature"; return self._c
    @c.setter
    def c(self, v):
        if v < -273: raise ValueError("too cold")
        self._c = v
    @c.deleter
    def c(self): self._c = None
t = T()
t.c = 20
print(t.c)
try:
    t.c = -300
except ValueError as e:
    print(e)
del t.c
print(t.c, T.c.__doc__)
