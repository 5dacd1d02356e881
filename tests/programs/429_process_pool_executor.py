import multiprocessing as mp
from concurrent.futures import ProcessPoolExecutor
def cube(x):
    return x ** 3
if __name__ == "__main__":
    with ProcessPoolExecutor(2, mp_context=mp.get_context("fork")) as ex:
        print(list(ex.map(cube, range(5))))
