class W:
    def __init__(self): self.parts = []
    def write(self, s): self.parts.append(s)
w = W()
print("x", 1, file=w)
print(w.parts)
print("default", file=None)
try:
    print("x", sep=5)
except TypeError as e:
    print(e)
