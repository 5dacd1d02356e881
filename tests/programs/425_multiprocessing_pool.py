import multiprocessing as mp
def square(x):
    return x * x
with mp.get_context("fork").Pool(2) as pool:
    print(pool.map(square, range(8)))
    try:
        pool.apply(int, ("x",))
    except ValueError as e:
        print(e)
