import multiprocessing as mp
def work(q, n):
    q.put(n * 2)
if __name__ == "__main__":
    ctx = mp.get_context("fork")
    q = ctx.SimpleQueue()
    p = ctx.Process(target=work, args=(q, 21))
    p.start()
    print(q.get())
    p.join()
    print(p.exitcode, p.name)
