"""Lines of different styles with markers."""
import numpy as np
import matplotlib.pyplot as plt

time = np.linspace(0, 10, 200)
figure, axes = plt.subplots()
for damping, style in [(0.05, "-"), (0.2, "--"), (0.6, ":")]:
    axes.plot(time, np.exp(-damping * time) * np.cos(2 * time), style, label=rf"$\gamma = {damping}$")
axes.plot(time[::20], np.exp(-0.05 * time[::20]) * np.cos(2 * time[::20]), "ko", markersize=4)
axes.set(title="Damped oscillation", xlabel="time in seconds", ylabel="amplitude")
axes.grid(alpha=0.3)
axes.legend()
plt.show()
