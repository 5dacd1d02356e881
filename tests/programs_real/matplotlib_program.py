# needs: matplotlib
import os

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

plt.plot([1, 2, 3])
plt.title("title")
plt.savefig("plot.png")
plt.savefig("plot.svg")
print(os.path.getsize("plot.png") > 1000, os.path.getsize("plot.svg") > 1000)
