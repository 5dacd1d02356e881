print((10).bit_length(), (-1).to_bytes(2, "big", signed=True), int.from_bytes(b"\x01\x00", "little"))
print(int("ff", 16), int("  12  "), int(-3.9), ~5, 6 ^ 3, 1 << 70, -1 >> 5)
print(2 ** 200 % 97, hash(2 ** 61 - 1), True + True, 10 ** -2)
try:
    int("x1")
except ValueError as e:
    print(e)
