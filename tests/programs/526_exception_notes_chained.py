# requires: 3.11
try:
    try:
        1 / 0
    except ZeroDivisionError as e:
        e.add_note("noted in the handler")
        raise
except ZeroDivisionError as e:
    raise RuntimeError("outer") from e
