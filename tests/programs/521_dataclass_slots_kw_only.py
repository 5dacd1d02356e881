# requires: 3.10
from dataclasses import dataclass, KW_ONLY
@dataclass(slots=True, kw_only=True)
class A:
    x: int
    y: int = 2
@dataclass
class B:
    a: int
    _: KW_ONLY
    b: int = 0
print(A(x=1), B(1, b=3), hasattr(A(x=1), "__dict__"))
B(1, 3)
