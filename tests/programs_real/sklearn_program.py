# needs: sklearn
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score

x, y = make_classification(300, random_state=0)
print(cross_val_score(RandomForestClassifier(10, random_state=0), x, y).mean() > 0.7)
