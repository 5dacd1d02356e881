import csv, io
b = io.StringIO()
w = csv.DictWriter(b, ["a", "b"])
w.writeheader()
w.writerows([{"a": 1, "b": 'say "hi", ok'}, {"a": "", "b": "new\nline"}])
print(b.getvalue())
print(list(csv.reader(io.StringIO('1,"2,3"\n4,5\n'))))
print(list(csv.DictReader(io.StringIO("x;y\n1;2\n"), delimiter=";")))
