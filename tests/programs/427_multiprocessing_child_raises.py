import multiprocessing as mp
def fail():
    raise ValueError("in the child")
p = mp.get_context("fork").Process(target=fail, name="child")
p.start()
p.join()
print(p.exitcode)
