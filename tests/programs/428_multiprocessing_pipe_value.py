import multiprocessing as mp
ctx = mp.get_context("fork")
a, b = ctx.Pipe()
v = ctx.Value("i", 0)
def child():
    b.send({"k": [1, 2]})
    with v.get_lock():
        v.value += 5
p = ctx.Process(target=child)
p.start()
print(a.recv())
p.join()
print(v.value)
