import multiprocessing as mp, sys
ctx = mp.get_context("fork")
for arg in (None, 0, 5):
    p = ctx.Process(target=sys.exit, args=(arg,))
    p.start()
    p.join()
    print(p.exitcode)
