# requires: 3.11
from typing import TypeVarTuple, Generic, Self
Ts = TypeVarTuple("Ts")
class A(Generic[*Ts]): pass
class S:
    def __getitem__(self, k): return k
t = (1, 2)
print(S()[*t, 3])
