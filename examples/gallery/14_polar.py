"""A rose of winds and a spiral, on polar axes."""
import numpy as np
import matplotlib.pyplot as plt

random = np.random.default_rng(5)
angle = np.linspace(0, 2 * np.pi, 16, endpoint=False)
speed = 3 + 4 * random.random(16)

figure, (rose, spiral) = plt.subplots(1, 2, subplot_kw={"projection": "polar"}, figsize=(9, 4.2))
rose.bar(angle, speed, width=0.35, color=plt.cm.plasma(speed / 8), alpha=0.85)
rose.set_theta_zero_location("N")
rose.set_title("winds")
turn = np.linspace(0, 6 * np.pi, 400)
spiral.plot(turn, turn / np.pi)
spiral.set_title("spiral")
plt.show()
