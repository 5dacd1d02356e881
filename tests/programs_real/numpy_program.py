# needs: numpy
import numpy as np

a = np.arange(10000, dtype=float).reshape(100, 100)
print(np.allclose(np.linalg.inv(a + np.eye(100) * 1e4) @ (a + np.eye(100) * 1e4), np.eye(100)))
print((a @ a).shape, a.sum(), np.fft.fft(a[0]).shape, np.linalg.svd(a)[1].shape)
np.save("a.npy", a)
print(np.load("a.npy", mmap_mode="r")[3, 4])
