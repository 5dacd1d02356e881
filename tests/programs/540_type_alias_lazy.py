# requires: 3.12
type Loop = list[Loop]
print(Loop, Loop.__value__)
type Bad = not_defined
print("defined lazily")
Bad.__value__
