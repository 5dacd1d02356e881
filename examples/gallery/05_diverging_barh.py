"""Answers to questions: horizontal bars to both sides of zero."""
import matplotlib.pyplot as plt

questions = ["Easy to read", "Quick to start", "Would use again", "Errors help"]
yes = [62, 71, 55, 38]
no = [21, 12, 19, 44]

figure, axes = plt.subplots(figsize=(7, 3))
axes.barh(questions, yes, color="#4c956c", label="yes")
axes.barh(questions, [-value for value in no], color="#bc4b51", label="no")
axes.axvline(0, color="black", linewidth=0.8)
axes.xaxis.set_major_formatter(lambda value, _: f"{abs(value):.0f} %")
axes.invert_yaxis()
axes.legend(ncols=2, loc="lower right")
axes.set_title("What users answered")
figure.tight_layout()
plt.show()
