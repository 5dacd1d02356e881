"""Points with sizes and colours of their own, and a colour bar."""
import numpy as np
import matplotlib.pyplot as plt

random = np.random.default_rng(3)
height = random.normal(170, 10, 120)
weight = 0.9 * (height - 100) + random.normal(0, 8, 120)
age = random.integers(18, 80, 120)

figure, axes = plt.subplots()
points = axes.scatter(height, weight, c=age, s=age * 2, cmap="viridis", alpha=0.7, edgecolors="white")
figure.colorbar(points, label="age in years")
axes.set(title="Made-up people", xlabel="height in cm", ylabel="weight in kg")
plt.show()
