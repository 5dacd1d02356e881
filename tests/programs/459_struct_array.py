import struct, array
b = struct.pack(">IhB4s", 1, -2, 255, b"ab")
print(b, struct.unpack(">IhB4s", b), struct.calcsize("=qi"))
a = array.array("i", [1, 2, 3])
a.append(4)
print(a, a.itemsize, a.tolist())
try:
    struct.pack("B", 300)
except struct.error as e:
    print(e)
