import queue
from concurrent.futures import ThreadPoolExecutor, as_completed
with ThreadPoolExecutor(3) as ex:
    print(list(ex.map(lambda x: x ** 2, range(6))))
    f = ex.submit(int, "x")
    print(type(f.exception()).__name__)
q = queue.PriorityQueue()
for v in (3, 1, 2): q.put(v)
print([q.get() for _ in range(3)])
