def classify(f):
    try:
        f()
    except (KeyError, IndexError):
        return "lookup"
    except ArithmeticError as e:
        return type(e).__name__
    except Exception:
        return "other"
print(classify(lambda: {}[1]), classify(lambda: [][1]), classify(lambda: 1 / 0), classify(lambda: int("x")))
