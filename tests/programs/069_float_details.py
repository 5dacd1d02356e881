import math
print(0.1.hex(), (0.5).as_integer_ratio(), float("1e-5"), 1e16, 123456789012345680.0)
print(math.inf > 10 ** 400, math.isnan(math.nan), -0.0, 0.0 == -0.0, math.copysign(1, -0.0))
print(math.pi, math.e, math.factorial(20), math.comb(10, 3), math.gcd(12, 18), math.isqrt(99))
print(round(2.675, 2), sum([0.1] * 10), math.fsum([0.1] * 10), 5e-324 / 2)
try:
    math.sqrt(-1)
except ValueError as e:
    print(type(e).__name__)
