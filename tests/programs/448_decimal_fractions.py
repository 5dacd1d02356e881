from decimal import Decimal, getcontext, ROUND_HALF_UP
from fractions import Fraction
print(Decimal("0.1") + Decimal("0.2"), Decimal(1) / Decimal(7), Decimal("2.675").quantize(Decimal("0.01"), ROUND_HALF_UP))
getcontext().prec = 5
print(Decimal(1) / 3, Decimal("NaN"), Decimal(2).sqrt())
print(Fraction(1, 3) + Fraction("0.25"), Fraction(0.5), Fraction(6, 4).limit_denominator(), sum([Fraction(1, 10)] * 10))
