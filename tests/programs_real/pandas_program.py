# needs: pandas
import pandas as pd

table = pd.DataFrame({"k": list("abab"), "v": range(4)})
print(table.groupby("k").v.sum().to_dict())
table.to_csv("t.csv", index=False)
print(pd.read_csv("t.csv").equals(table), table.describe().shape)
print(pd.date_range("2020-01-01", periods=3, tz="Europe/Berlin")[2].isoformat())
