class L:
    def __len__(self): return -1
class I:
    def __index__(self): return "x"
class T:
    def __bool__(self): return 1
for f in (lambda: len(L()), lambda: [1][I()], lambda: bool(T()), lambda: hash([]), lambda: iter(5)):
    try:
        f()
    except (ValueError, TypeError) as e:
        print(type(e).__name__, e)
