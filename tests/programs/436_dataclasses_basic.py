from dataclasses import dataclass, field, asdict, replace, astuple
@dataclass(order=True)
class P:
    x: int
    y: int = 0
    tags: list = field(default_factory=list, compare=False)
    def __post_init__(self):
        self.total = self.x + self.y
p = P(1, 2, ["a"])
print(p, asdict(p), astuple(p), p.total, P(1) < P(2), replace(p, x=9))
@dataclass(frozen=True)
class F:
    a: int
try:
    F(1).a = 2
except Exception as e:
    print(type(e).__name__, e)
print(hash(F(1)) == hash(F(1)), F(1) == F(1))
