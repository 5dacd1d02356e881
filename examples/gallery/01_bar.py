"""Bars of rainfall, each with its number on top."""
import matplotlib.pyplot as plt

months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun"]
rain = [62, 48, 55, 71, 83, 40]

figure, axes = plt.subplots()
bars = axes.bar(months, rain, color=["tab:blue" if value < 60 else "tab:cyan" for value in rain])
axes.bar_label(bars, padding=2)
axes.set(title="Rain in the first half of the year", ylabel="millimetres", ylim=(0, 95))
plt.show()
