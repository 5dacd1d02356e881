# requires: 3.12
from itertools import batched
from typing import override
class A:
    def f(self): return 1
class B(A):
    @override
    def f(self): return 2
print(list(batched("abcdefg", 3)), B().f())
