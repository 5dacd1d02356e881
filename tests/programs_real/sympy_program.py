# needs: sympy
from sympy import Symbol, diff, integrate, sin, solve

x = Symbol("x")
print(diff(sin(x) * x, x), integrate(x**2, (x, 0, 3)), solve(x**2 - 2, x))
