"""Two scales on one plot: temperature and rain."""
import matplotlib.pyplot as plt

months = list("JFMAMJJASOND")
temperature = [1, 2, 6, 10, 15, 18, 20, 19, 15, 10, 5, 2]
rain = [50, 42, 48, 44, 60, 69, 77, 72, 57, 52, 55, 58]

figure, axes = plt.subplots()
axes.bar(range(12), rain, color="lightsteelblue")
axes.set_ylabel("rain in mm", color="steelblue")
axes.set_xticks(range(12), months)
other = axes.twinx()
other.plot(range(12), temperature, color="firebrick", marker="o")
other.set_ylabel("temperature in \N{DEGREE SIGN}C", color="firebrick")
axes.set_title("A climate")
figure.tight_layout()
plt.show()
