x: int = 1
y: "str"
z: list = []
print(__annotations__["x"].__name__, __annotations__["y"])
try:
    y
except NameError as e:
    print(e)
