from collections import namedtuple
from typing import NamedTuple, Optional, List, Dict, Union, get_type_hints, TypeVar, Generic
P = namedtuple("P", "x y", defaults=[0])
print(P(1), P(1, 2)._replace(x=5), P._fields, P(3)._asdict())
class E(NamedTuple):
    name: str
    age: int = 3
print(E("a"), E.__annotations__["name"].__name__)
T = TypeVar("T")
class Box(Generic[T]):
    def __init__(self, v: T): self.v = v
print(Box[int](3).v, Optional[int], List[Dict[str, int]], Union[int, str, int])
def f(a: int, b: "str" = "") -> Optional[bool]: ...
print(get_type_hints(f))
