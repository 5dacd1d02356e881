"""The same curves on linear and logarithmic scales."""
import numpy as np
import matplotlib.pyplot as plt

n = np.arange(1, 200)
curves = {"n": n, "n log n": n * np.log2(n) + 1, "n^2": n**2, "1.05^n": 1.05**n}

figure, grid = plt.subplots(2, 2, figsize=(8, 6), layout="constrained")
for axes, (horizontal, vertical) in zip(grid.flat, [("linear", "linear"), ("linear", "log"), ("log", "linear"), ("log", "log")]):
    for name, values in curves.items():
        axes.plot(n, values, label=name)
    axes.set(xscale=horizontal, yscale=vertical, title=f"x {horizontal}, y {vertical}")
    axes.grid(True, which="both", alpha=0.2)
grid[0, 0].legend()
plt.show()
