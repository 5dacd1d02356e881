"""Arrows, spans, text in a box, and an inset."""
import numpy as np
import matplotlib.pyplot as plt

x = np.linspace(0, 12, 400)
y = np.sin(x) * np.exp(-x / 8)
peak = int(np.argmax(y))

figure, axes = plt.subplots()
axes.plot(x, y)
axes.annotate("highest", (x[peak], y[peak]), (3.5, 0.85), arrowprops={"arrowstyle": "->", "color": "tab:red"}, color="tab:red")
axes.axvspan(3 * np.pi - 0.6, 3 * np.pi + 0.6, color="gold", alpha=0.4)
axes.text(0.97, 0.05, "$e^{-x/8}\\,\\sin x$", transform=axes.transAxes, ha="right", bbox={"boxstyle": "round", "facecolor": "white"})
inset = axes.inset_axes([0.58, 0.62, 0.38, 0.33])
inset.plot(x, y)
inset.set(xlim=(8.8, 10.1), ylim=(-0.15, 0.1), xticks=[], yticks=[])
axes.indicate_inset_zoom(inset)
axes.set(title="Where to look", ylim=(-0.8, 1.1))
plt.show()
