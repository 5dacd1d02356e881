import zlib, gzip, bz2, base64, binascii
d = b"hello " * 100
print(len(zlib.compress(d)) < 40, zlib.decompress(zlib.compress(d)) == d, zlib.crc32(b"abc"), zlib.adler32(b"abc"))
print(gzip.decompress(gzip.compress(d)) == d, bz2.decompress(bz2.compress(d)) == d)
print(base64.b64encode(b"\xff\x00a"), base64.urlsafe_b64decode("_wBh"), base64.b32encode(b"hi"), binascii.hexlify(b"az"))
try:
    base64.b64decode("abc")
except binascii.Error as e:
    print(e)
