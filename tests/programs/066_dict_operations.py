d = {"a": 1, "b": 2}
print(d | {"b": 3, "c": 4}, list(d.items()), d.pop("a"), d.get("z", 0))
d.setdefault("l", []).append(1)
print(d, "b" in d, dict(zip("xy", [1, 2])), dict.fromkeys("ab", 0))
print(list(reversed(d)), d.keys() & {"b", "q"})
try:
    for k in d:
        d["new"] = 1
except RuntimeError as e:
    print(e)
