import pickle
data = {"a": (1, 2.5, None), "b": {1, 2}, "c": b"x"}
for p in range(pickle.HIGHEST_PROTOCOL + 1):
    assert pickle.loads(pickle.dumps(data, p)) == data
class R:
    def __reduce__(self): return (str.upper, ("reduced",))
print(pickle.loads(pickle.dumps(R())))
try:
    pickle.dumps(lambda: 0)
except Exception as e:
    print(type(e).__name__)
