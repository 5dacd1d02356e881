# requires: 3.11
import tomllib
from enum import StrEnum, auto
class S(StrEnum):
    ONE = auto()
print(tomllib.loads("a = 1\n[t]\nb = [1.5, true]"), S.ONE, f"{S.ONE}")
tomllib.loads("a = ")
