# requires: 3.10
from dataclasses import dataclass
@dataclass
class P:
    x: int
    y: int
def f(p):
    match p:
        case P(0, 0): return "origin"
        case P(x=0, y=yy) if yy > 0: return f"up {yy}"
        case P(x, y) as whole if x == y: return f"diagonal {whole}"
        case int(n) | float(n): return f"number {n}"
        case str() as s: return s.upper()
        case _: return "else"
print(f(P(0, 0)), f(P(0, 3)), f(P(2, 2)), f(4.5), f("s"), f(P(1, 2)))
