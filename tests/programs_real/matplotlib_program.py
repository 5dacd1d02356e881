# needs: matplotlib
import logging
import os

import matplotlib

# A machine that is slow at the first look for fonts is told so after 5 s.
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
matplotlib.use("Agg")
import matplotlib.pyplot as plt

plt.plot([1, 2, 3])
plt.title("title")
plt.savefig("plot.png")
plt.savefig("plot.svg")
print(os.path.getsize("plot.png") > 1000, os.path.getsize("plot.svg") > 1000)
