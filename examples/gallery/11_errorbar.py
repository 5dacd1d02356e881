"""Measurements with errors in both directions, one of them a bound."""
import numpy as np
import matplotlib.pyplot as plt

x = np.arange(1, 9)
y = 12 / x + 1
lower, upper = 0.1 * y, 0.25 * y

figure, axes = plt.subplots()
axes.errorbar(x, y, yerr=[lower, upper], xerr=0.15, fmt="o", capsize=3, label="measured")
axes.errorbar([9], [1.4], yerr=0.6, uplims=True, fmt="v", color="tab:red", label="upper bound")
axes.plot(np.linspace(1, 9), 12 / np.linspace(1, 9) + 1, color="grey", linewidth=1, label="model")
axes.set(title="Measured and expected", xlabel="distance", ylabel="signal")
axes.legend()
plt.show()
