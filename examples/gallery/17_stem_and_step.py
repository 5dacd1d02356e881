"""A signal by stems, and what is held between by steps."""
import numpy as np
import matplotlib.pyplot as plt

at = np.arange(0, 15)
signal = np.sin(at / 2.2) * np.exp(-at / 12)

figure, (stems, steps) = plt.subplots(2, 1, sharex=True)
stems.stem(at, signal, basefmt="grey")
stems.set_title("sampled")
for where, offset in [("pre", 0), ("mid", 1), ("post", 2)]:
    steps.step(at, signal + offset, where=where, label=where)
    steps.plot(at, signal + offset, "o", markersize=3, color="grey", alpha=0.5)
steps.legend(ncols=3, fontsize=8)
steps.set(title="held", xlabel="time")
figure.tight_layout()
plt.show()
