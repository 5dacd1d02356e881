from typing import TypedDict, Protocol, runtime_checkable, Literal, Any, Callable
class M(TypedDict, total=False):
    a: int
@runtime_checkable
class HasLen(Protocol):
    def __len__(self) -> int: ...
print(M(a=1), isinstance([], HasLen), isinstance(5, HasLen))
print(Literal["a", 1], Callable[[int], str], M.__total__)
