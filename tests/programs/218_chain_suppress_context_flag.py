try:
    try:
        1 / 0
    except ZeroDivisionError as e:
        err = RuntimeError("r")
        err.__suppress_context__ = True
        raise err
except RuntimeError as e:
    print(repr(e.__context__), e.__cause__)
    raise
