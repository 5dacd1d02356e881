import pickle
class Point:
    def __init__(self, x, y): self.x, self.y = x, y
    def __eq__(self, o): return (self.x, self.y) == (o.x, o.y)
p = pickle.loads(pickle.dumps(Point(1, [2])))
print(p == Point(1, [2]), type(p) is Point)
def f(): return "pickled by name"
print(pickle.loads(pickle.dumps(f))())
print(b"__main__" in pickle.dumps(Point))
