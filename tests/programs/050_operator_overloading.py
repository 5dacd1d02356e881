class V:
    def __init__(self, *c): self.c = c
    def __add__(self, o): return V(*(a + b for a, b in zip(self.c, o.c)))
    def __mul__(self, k): return NotImplemented if not isinstance(k, int) else V(*(a * k for a in self.c))
    __rmul__ = __mul__
    def __matmul__(self, o): return sum(a * b for a, b in zip(self.c, o.c))
    def __neg__(self): return V(*(-a for a in self.c))
    def __eq__(self, o): return self.c == o.c
    def __hash__(self): return hash(self.c)
    def __bool__(self): return any(self.c)
    def __len__(self): return len(self.c)
    def __repr__(self): return f"V{self.c}"
    def __iadd__(self, o): return V(*self.c, *o.c)
    def __format__(self, spec): return f"<{spec}>{self.c}"
v = V(1, 2)
print(v + V(3, 4), 3 * v, v @ v, -v, v == V(1, 2), bool(V(0, 0)), len(v))
v += V(9)
print(v, f"{v:wide}", {V(1): "one"}[V(1)])
try:
    v * "x"
except TypeError as e:
    print(e)
