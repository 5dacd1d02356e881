import multiprocessing


def work(queue, total, lock):
    for n in range(10):
        queue.put(n)
        with lock:
            total.value += n


queue, total, lock = multiprocessing.Queue(), multiprocessing.Value("i", 0), multiprocessing.Lock()
processes = [multiprocessing.Process(target=work, args=(queue, total, lock)) for _ in range(3)]
for process in processes:
    process.start()
print(sorted(queue.get(timeout=30) for _ in range(30)))
for process in processes:
    process.join()
print(total.value)
