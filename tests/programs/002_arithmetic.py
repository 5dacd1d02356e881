print(5 + 3, 7 // 2, -7 // 2, 7 % -3, 2 ** 100, 7 / 2)
print(0.1 + 0.2, 1e308 * 10, -1e308 * 10, float("nan"))
print(divmod(-7, 3), pow(3, -1, 7), round(2.5), round(-0.5, 1))
print(0xff, 0o17, 0b1011, 1_000_000, 1j * 1j)
