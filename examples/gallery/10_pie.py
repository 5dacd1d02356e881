"""A pie with one piece pulled out."""
import matplotlib.pyplot as plt

figure, axes = plt.subplots()
axes.pie(
    [44, 27, 17, 12],
    labels=["rice", "beans", "maize", "other"],
    autopct="%1.0f %%",
    explode=(0, 0.08, 0, 0),
    startangle=90,
    wedgeprops={"edgecolor": "white"},
)
axes.set_title("What the field grows")
plt.show()
