import contextlib, io, sys
buf = io.StringIO()
with contextlib.redirect_stderr(buf):
    print("to stderr", file=sys.stderr)
print(repr(buf.getvalue()))
print("real", file=sys.stderr)
