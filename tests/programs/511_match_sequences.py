# requires: 3.10
def f(x):
    match x:
        case []: return "empty"
        case [a]: return ("one", a)
        case (a, [b, *_], *rest): return ("nested", a, b, rest)
        case [1, *mid, 9]: return ("between", mid)
        case _: return "no"
print(f([]), f([5]), f((1, [2, 3], 4, 5)), f([1, 2, 3, 9]), f("ab"))
