import io
s = io.StringIO("line1\nline2\n")
print(s.readline(), list(s), s.tell(), s.read())
b = io.BytesIO()
b.write(b"abc")
b.seek(1)
print(b.read(), b.getvalue())
t = io.TextIOWrapper(io.BytesIO("ünï\r\n".encode("latin-1")), encoding="latin-1")
print(repr(t.read()))
try:
    s.close(); s.read()
except ValueError as e:
    print(e)
