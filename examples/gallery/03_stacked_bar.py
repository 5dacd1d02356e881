"""Stacked bars: parts of a whole, by year."""
import numpy as np
import matplotlib.pyplot as plt

years = ["2021", "2022", "2023", "2024"]
parts = {"wind": np.array([21, 24, 27, 30]), "sun": np.array([9, 11, 14, 18]), "water": np.array([5, 5, 4, 5])}

figure, axes = plt.subplots()
bottom = np.zeros(len(years))
for name, part in parts.items():
    bars = axes.bar(years, part, 0.6, bottom=bottom, label=name)
    axes.bar_label(bars, label_type="center", color="white")
    bottom += part
axes.set(title="Electricity by source", ylabel="terawatt hours")
axes.legend(loc="upper left")
plt.show()
