import math

def first():
    return 1

def second():
    if math.pi > 3
        return 2

print(first())
