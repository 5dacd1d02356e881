# requires: 3.10
def f(x):
    match x:
        case 0: return "zero"
        case 1 | 2: return "small"
        case "a": return "letter"
        case None | True: return "singleton"
        case _: return "other"
print([f(v) for v in (0, 2, "a", None, True, 5.5, [])])
