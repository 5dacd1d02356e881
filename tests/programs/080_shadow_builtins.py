print(len("abc"))
len = lambda x: "mine"
print(len("abc"))
del len
print(len("abc"))
def f():
    print = lambda *a: None
    print("silent")
f()
