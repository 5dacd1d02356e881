# requires: 3.10
def f(x):
    match x:
        case {"type": "circle", "r": r}: return r
        case {"type": t, **rest}: return t, rest
        case {}: return "any mapping"
print(f({"type": "circle", "r": 2, "z": 0}), f({"type": "sq", "a": 1}), f({"q": 1}), f(5))
