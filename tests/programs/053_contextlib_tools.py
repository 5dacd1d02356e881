import contextlib, io
@contextlib.contextmanager
def tag(name):
    print(f"<{name}>")
    try:
        yield name
    except ZeroDivisionError:
        print("swallowed")
    finally:
        print(f"</{name}>")
with tag("b"), contextlib.suppress(KeyError):
    {}["x"]
with tag("i"):
    1 / 0
with contextlib.ExitStack() as s:
    for n in "xy":
        s.enter_context(tag(n))
    s.callback(print, "callback")
buf = io.StringIO()
with contextlib.redirect_stdout(buf):
    print("hidden")
print(repr(buf.getvalue()))
