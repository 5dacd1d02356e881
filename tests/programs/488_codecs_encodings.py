import codecs
print("é".encode("latin-1"), "é".encode("utf-16-le"), b"\xe9".decode("cp1252"))
print("a\ud800".encode("utf-8", "surrogatepass"), b"\xff".decode("utf-8", "surrogateescape"), "x☃".encode("ascii", "xmlcharrefreplace"))
print(codecs.encode("Hello", "rot13"), b"\xff\xfe".decode("utf-8", "replace"))
try:
    "x".encode("no-such-codec")
except LookupError as e:
    print(e)
