l = [1]
l.append(l)
d = {}
d["self"] = d
print(l, d)
print(l[1] is l, l == l)
