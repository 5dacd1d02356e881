class S:
    __slots__ = ("a", "b")
s = S()
s.a = 1
try:
    s.c = 2
except AttributeError as e:
    print(type(e).__name__)
print(hasattr(s, "__dict__"), hasattr(s, "b"), s.a)
