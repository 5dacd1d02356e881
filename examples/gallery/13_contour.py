"""Filled contours with labelled lines."""
import numpy as np
import matplotlib.pyplot as plt

x, y = np.meshgrid(np.linspace(-3, 3, 200), np.linspace(-2, 2, 160))
height = (1 - x / 2 + x**5 + y**3) * np.exp(-(x**2) - y**2)

figure, axes = plt.subplots()
filled = axes.contourf(x, y, height, 14, cmap="RdBu_r")
lines = axes.contour(x, y, height, 7, colors="black", linewidths=0.6)
axes.clabel(lines, fontsize=8)
figure.colorbar(filled)
axes.set_title("Hills and hollows")
plt.show()
