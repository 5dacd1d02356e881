"""Groups of bars side by side."""
import numpy as np
import matplotlib.pyplot as plt

tasks = ["sort", "search", "parse"]
times = {"first": [4.2, 1.3, 6.8], "second": [3.1, 1.1, 5.2], "third": [2.4, 1.0, 4.9]}

at = np.arange(len(tasks))
width = 0.8 / len(times)
figure, axes = plt.subplots(layout="constrained")
for number, (version, values) in enumerate(times.items()):
    axes.bar(at + number * width, values, width * 0.92, label=version + " version")
axes.set_xticks(at + width, tasks)
axes.set(title="Three versions of three tasks", ylabel="seconds")
axes.legend()
