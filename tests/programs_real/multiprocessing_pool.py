import concurrent.futures
import multiprocessing


def square(n):
    return n * n


with multiprocessing.Pool(2) as pool:
    print(pool.map(square, range(10)), pool.apply_async(square, (7,)).get(30))
with concurrent.futures.ProcessPoolExecutor(2) as pool:
    print(list(pool.map(square, range(5))))
