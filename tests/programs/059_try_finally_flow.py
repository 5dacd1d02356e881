def f():
    try:
        return "try"
    finally:
        print("finally runs")
def g():
    for i in range(3):
        try:
            continue
        finally:
            print("loop", i)
    return "end"
def h():
    try:
        1 / 0
    except ZeroDivisionError:
        return "except"
    else:
        return "else"
    finally:
        print("h finally")
print(f(), g(), h())
