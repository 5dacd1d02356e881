from __future__ import annotations
x: undefined_name = 1
def f(a: nowhere) -> nothing:
    return a
print(f.__annotations__)
print(__annotations__)
