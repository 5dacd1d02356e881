"""Boxes and violins of the same samples."""
import numpy as np
import matplotlib.pyplot as plt

random = np.random.default_rng(19)
samples = [random.normal(centre, spread, 150) for centre, spread in [(0, 1), (1, 2), (2, 0.7)]]

figure, (left, right) = plt.subplots(1, 2, sharey=True, figsize=(8, 4))
left.boxplot(samples, notch=True, patch_artist=True, boxprops={"facecolor": "lightblue"})
left.set_title("boxes")
right.violinplot(samples, showmedians=True)
right.set_title("violins")
for axes in (left, right):
    axes.yaxis.grid(alpha=0.4)
figure.suptitle("Three samples, shown twice")
