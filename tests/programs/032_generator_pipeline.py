def numbers():
    n = 0
    while True:
        yield n
        n += 1
def squares(it):
    return (x * x for x in it)
def take(it, n):
    return [x for x, _ in zip(it, range(n))]
print(take((x for x in squares(numbers()) if x % 2), 5))
