"""A band of uncertainty around a mean, and where it is above zero."""
import numpy as np
import matplotlib.pyplot as plt

random = np.random.default_rng(7)
walks = random.normal(0.05, 1, (200, 120)).cumsum(axis=1)
step = np.arange(walks.shape[1])
mean, spread = walks.mean(axis=0), walks.std(axis=0)

figure, axes = plt.subplots()
axes.fill_between(step, mean - spread, mean + spread, alpha=0.25, label="one standard deviation")
axes.fill_between(step, 0, mean, where=mean > 0, color="tab:orange", alpha=0.6, label="mean above zero")
axes.plot(step, mean, color="tab:blue", label="mean of 200 walks")
axes.set(title="Random walks with a drift", xlabel="step")
axes.legend(loc="upper left")
