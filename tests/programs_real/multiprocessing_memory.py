import multiprocessing
from multiprocessing import shared_memory


def work(name):
    attached = shared_memory.SharedMemory(name)
    attached.buf[0] = 42
    attached.close()


memory = shared_memory.SharedMemory(create=True, size=4096)
process = multiprocessing.Process(target=work, args=(memory.name,))
process.start()
process.join()
print(memory.buf[0])
memory.close()
memory.unlink()
