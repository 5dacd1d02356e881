for t in (KeyError, FileNotFoundError, UnicodeError, RecursionError, ModuleNotFoundError, TabError, BrokenPipeError):
    print(" < ".join(k.__name__ for k in t.__mro__))
