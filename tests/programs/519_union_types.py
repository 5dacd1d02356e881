# requires: 3.10
x: int | None = None
print(isinstance(5, int | str), int | None, (int | str).__args__)
def f(a: int | str) -> list[int] | None: ...
print(f.__annotations__)
