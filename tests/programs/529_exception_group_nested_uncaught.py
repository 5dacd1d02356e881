# requires: 3.11
def make():
    try:
        raise KeyError("inner")
    except KeyError as e:
        return e
g = ExceptionGroup("outer", [make(), ExceptionGroup("middle", [TypeError("never raised"), make()])])
g.add_note("note on the group")
raise g
