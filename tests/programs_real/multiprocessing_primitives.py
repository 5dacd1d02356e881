import multiprocessing
from multiprocessing import shared_memory


def work(turn, rooms, gate, started, ready, numbers, tasks, simple, listed, holder):
    started.wait(30)
    with rooms:
        pass
    gate.wait(30)
    with ready:
        ready.notify_all()
    with holder:
        with holder:
            numbers[turn] = turn + 1
    while tasks.get(timeout=30) is not None:
        tasks.task_done()
    tasks.task_done()
    listed[turn] = turn * 10
    simple.put(turn)


count = 3
rooms, gate, started = multiprocessing.BoundedSemaphore(2), multiprocessing.Barrier(count + 1), multiprocessing.Event()
ready, holder = multiprocessing.Condition(), multiprocessing.RLock()
numbers, tasks, simple = multiprocessing.Array("l", count), multiprocessing.JoinableQueue(), multiprocessing.SimpleQueue()
listed = shared_memory.ShareableList([0] * count)
parts = rooms, gate, started, ready, numbers, tasks, simple, listed, holder
processes = [multiprocessing.Process(target=work, args=(turn, *parts)) for turn in range(count)]
for process in processes:
    process.start()
started.set()
gate.wait(30)
for task in [1, 2, 3, 4] + [None] * count:
    tasks.put(task)
tasks.join()
print(sorted(simple.get() for _ in processes), list(numbers), list(listed))
for process in processes:
    process.join()
    print(process.exitcode)
try:
    rooms.release()
except ValueError as error:
    print(error)
lock = multiprocessing.Lock()
print(lock.acquire(timeout=1), lock.acquire(block=False), lock.acquire(timeout=0.01), lock)
lock.release()
try:
    lock.release()
except ValueError as error:
    print(error)
try:
    shared_memory.SharedMemory("absent")
except FileNotFoundError as error:
    print(type(error).__name__)
try:
    shared_memory.SharedMemory(listed.shm.name, create=True, size=1)
except FileExistsError as error:
    print(type(error).__name__)
listed.shm.close()
listed.shm.unlink()
# Semaphores end with the objects that they are of.
for _ in range(2000):
    multiprocessing.Lock()
