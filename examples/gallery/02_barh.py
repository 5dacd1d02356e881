"""Horizontal bars, the longest on top, with a spread."""
import matplotlib.pyplot as plt

minutes = {"compile": 7.5, "unit tests": 3.1, "integration tests": 11.4, "package": 2.2, "lint": 1.3}
spread = [1.0, 0.4, 2.1, 0.3, 0.2]

names = sorted(minutes, key=minutes.get)
figure, axes = plt.subplots(figsize=(7, 3.5))
axes.barh(names, [minutes[name] for name in names], xerr=sorted(spread), color="tab:green", alpha=0.8)
axes.set(title="Where the time of a build goes", xlabel="minutes")
figure.tight_layout()
