"""A picture of numbers: a heat map with text in its cells."""
import numpy as np
import matplotlib.pyplot as plt

days, hours = ["Mon", "Tue", "Wed", "Thu", "Fri"], [8, 10, 12, 14, 16, 18]
load = np.array([[3 * np.sin(day + hour / 5) + day + 5 for hour in hours] for day in range(len(days))])

figure, axes = plt.subplots()
image = axes.imshow(load, cmap="magma")
for (row, column), value in np.ndenumerate(load):
    axes.text(column, row, f"{value:.0f}", ha="center", va="center", color="white" if value < 7 else "black")
axes.set_xticks(range(len(hours)), [f"{hour}:00" for hour in hours])
axes.set_yticks(range(len(days)), days)
figure.colorbar(image, shrink=0.8, label="requests per second")
axes.set_title("Load of a week")
plt.show()
