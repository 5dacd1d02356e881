# requires: 3.13
class Box[T = int]:
    pass
print(Box.__type_params__[0].__default__)
