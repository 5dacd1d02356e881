# requires: 3.13
def f():
    """First.

        Indented.
    """
print(repr(f.__doc__))
