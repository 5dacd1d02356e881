import concurrent.futures
import queue
import threading

total = 0
lock = threading.Lock()


def add(count):
    global total
    for _ in range(count):
        with lock:
            total += 1


threads = [threading.Thread(target=add, args=(1000,)) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(total)

with concurrent.futures.ThreadPoolExecutor(4) as pool:
    print(list(pool.map(lambda n: n * n, range(10))))

work, done = queue.Queue(), threading.Event()
threading.Thread(target=lambda: (work.put("made"), done.set())).start()
print(work.get(timeout=10), done.wait(10))

local = threading.local()
local.value = "main"
seen = []
thread = threading.Thread(target=lambda: seen.append(hasattr(local, "value")))
thread.start()
thread.join()
print(seen, local.value)

barrier = threading.Barrier(3)
timer = threading.Timer(0.01, barrier.wait)
timer.start()
threading.Thread(target=barrier.wait).start()
barrier.wait(10)
print("barrier", barrier.broken)
