print(hash("a") == hash("a"), {"b", "a", "c"} == set("abc"))
print(hash((1, 2, 3)), hash(1.5), hash(frozenset()))
