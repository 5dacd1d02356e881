import cmath
z = 3 + 4j
print(abs(z), z.conjugate(), z ** 2, z / (1 - 1j), z.real, z.imag)
print(complex("1+2j"), cmath.sqrt(-1), z == 3 + 4j)
