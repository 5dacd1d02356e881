"""Two histograms with a density over one of them."""
import numpy as np
import matplotlib.pyplot as plt

random = np.random.default_rng(11)
first, second = random.normal(0, 1, 4000), random.gamma(3, 0.8, 4000) - 1
bins = np.linspace(-4, 7, 56)

figure, axes = plt.subplots()
axes.hist(first, bins, density=True, alpha=0.5, label="normal")
axes.hist(second, bins, density=True, histtype="step", linewidth=2, label="gamma")
axes.plot(bins, np.exp(-bins**2 / 2) / np.sqrt(2 * np.pi), "k--", linewidth=1)
axes.set(title="Samples of two distributions", ylabel="density")
axes.legend()
plt.show()
