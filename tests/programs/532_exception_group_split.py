# requires: 3.11
g = BaseExceptionGroup("b", [KeyError(1), ExceptionGroup("i", [ValueError(2)])])
m, r = g.split(KeyError)
print(repr(m), repr(r), g.subgroup(ZeroDivisionError))
print(g.derive([OSError()]).message)
try:
    ExceptionGroup("x", [])
except ValueError as e:
    print(e)
