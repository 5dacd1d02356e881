class CM:
    def __init__(self, n, swallow=False): self.n, self.swallow = n, swallow
    def __enter__(self):
        print("enter", self.n)
        return self.n
    def __exit__(self, t, v, tb):
        print("exit", self.n, t and t.__name__)
        return self.swallow
with CM(1) as a, CM(2) as b:
    print(a, b)
with CM(3, True), CM(4):
    raise ValueError
print("went on")
try:
    with CM(5):
        raise KeyError("x")
except KeyError as e:
    print("outside", e)
