from enum import Enum, IntEnum, Flag, auto, unique
class Color(Enum):
    RED = 1
    GREEN = "g"
    ALIAS = 1
    def describe(self): return self.name.lower()
class N(IntEnum):
    A = auto(); B = auto()
class Perm(Flag):
    R = 4; W = 2; X = 1
print(Color.RED.name, Color("g").name, Color["RED"].value, Color.ALIAS is Color.RED, list(N) == [1, 2])
print(Color.RED.describe(), (Perm.R | Perm.W).value, bool(Perm.R & Perm.X), len(Color))
try:
    Color(5)
except ValueError as e:
    print(e)
