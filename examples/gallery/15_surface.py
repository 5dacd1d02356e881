"""A surface in three dimensions with its shadow below."""
import numpy as np
import matplotlib.pyplot as plt

x, y = np.meshgrid(np.linspace(-4, 4, 70), np.linspace(-4, 4, 70))
distance = np.hypot(x, y)
z = np.sinc(distance / 2)

figure, axes = plt.subplots(subplot_kw={"projection": "3d"})
axes.plot_surface(x, y, z, cmap="coolwarm", linewidth=0)
axes.contourf(x, y, z, zdir="z", offset=-0.6, cmap="coolwarm", alpha=0.6)
axes.set(zlim=(-0.6, 1), title="A drop in water")
axes.view_init(elev=28, azim=-50)
plt.show()
