import traceback
def f():
    raise ValueError("shown by hand")
try:
    f()
except ValueError:
    traceback.print_exc()
print("continues")
