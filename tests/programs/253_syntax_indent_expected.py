# requires: 3.13
def f():
print("x")
