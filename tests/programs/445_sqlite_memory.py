import sqlite3
db = sqlite3.connect(":memory:")
db.execute("create table t (id integer primary key, name text, v real)")
db.executemany("insert into t (name, v) values (?, ?)", [("a", 1.5), ("b", 2.5), ("c", None)])
print(db.execute("select count(*), sum(v) from t").fetchone())
db.row_factory = sqlite3.Row
for r in db.execute("select * from t where v is not null order by id desc"):
    print(tuple(r), r["name"])
try:
    db.execute("select * from missing")
except sqlite3.OperationalError as e:
    print(e)
db.close()
