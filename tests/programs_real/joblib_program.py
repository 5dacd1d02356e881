# needs: joblib
import os

import numpy as np
from joblib import Parallel, delayed


def largest(number):
    matrix = np.random.default_rng(number).random((50, 50))
    return os.getpid(), float(np.linalg.eigvalsh(matrix @ matrix.T)[-1].round(6))


ended = Parallel(n_jobs=2)(delayed(largest)(number) for number in range(8))
print([value for _, value in ended] == [largest(number)[1] for number in range(8)])
print("in one process" if os.getpid() in [pid for pid, _ in ended] else "in processes")
