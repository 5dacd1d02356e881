# requires: 3.12
def first[T](items: list[T]) -> T:
    return items[0]
class Stack[T]:
    def __init__(self): self.items: list[T] = []
    def push(self, x: T) -> None: self.items.append(x)
type Pair[A] = tuple[A, A]
s = Stack[int]()
s.push(1)
print(first(["a"]), s.items, first.__type_params__, Pair.__value__, Stack.__type_params__)
