import sys
def a():
    b()
def b():
    print("leaving")
    sys.exit(11)
a()
