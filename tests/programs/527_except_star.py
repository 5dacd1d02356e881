# requires: 3.11
try:
    raise ExceptionGroup("g", [ValueError(1), TypeError("t"), ExceptionGroup("in", [ValueError(2), OSError("o")])])
except* ValueError as eg:
    print("values", [e.args for e in eg.exceptions], eg)
except* TypeError as eg:
    print("types", eg.exceptions)
except* OSError:
    print("os")
print("done")
