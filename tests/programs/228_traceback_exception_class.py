import traceback
def f():
    try:
        1 / 0
    except ZeroDivisionError as e:
        raise ValueError("v") from e
try:
    f()
except ValueError as e:
    te = traceback.TracebackException.from_exception(e)
    print(str(te), str(te.__cause__), te.__suppress_context__)
    print(len(te.stack), te.stack[-1].name)
