import functools
@functools.total_ordering
class N:
    def __init__(self, v): self.v = v
    def __eq__(self, o): return self.v == o.v
    def __lt__(self, o): return self.v < o.v
print(N(1) <= N(2), N(3) >= N(4), N(1) != N(1), max(N(1), N(5), N(2)).v)
print(1 < 2 < 3 > 2, 1 == 1.0 == True, (1, 2) < (1, 3), "a" < "b" <= "b")
try:
    1 < "x"
except TypeError as e:
    print(e)
