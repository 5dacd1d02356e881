import sqlite3
import threading

for where in (":memory:", "data.db"):
    with sqlite3.connect(where) as db:
        if where != ":memory:":
            print(db.execute("pragma journal_mode=wal").fetchone())
        db.execute("create table t (n integer primary key, text text)")
        db.executemany("insert into t values (?, ?)", [(n, "x" * n) for n in range(100)])
        print(db.execute("select sum(n), max(length(text)) from t").fetchone())
        db.create_function("twice", 1, lambda n: 2 * n)
        print(db.execute("select twice(n) from t where n = 21").fetchone())


def count():
    with sqlite3.connect("data.db") as db:
        counts.append(db.execute("select count(*) from t").fetchone())


counts = []
threads = [threading.Thread(target=count) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(counts)
