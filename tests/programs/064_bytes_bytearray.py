b = b"abc\x00\xff"
print(b, b[0], b[1:3], list(b), b.hex(" "))
ba = bytearray(b"hello")
ba[0:1] = b"J"
ba.extend(b"!!")
print(ba, bytes(ba), ba.find(b"l"))
m = memoryview(ba)
print(m[1], m[1:3].tobytes(), m.nbytes)
m.release()
