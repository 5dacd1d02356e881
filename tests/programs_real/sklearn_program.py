# needs: sklearn
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score

x, y = make_classification(300, random_state=0)
forest = RandomForestClassifier(10, random_state=0, n_jobs=2)
print(forest.fit(x, y).score(x, y) > 0.9, cross_val_score(forest, x, y).mean() > 0.7)
