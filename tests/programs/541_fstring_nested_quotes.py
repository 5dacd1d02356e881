# requires: 3.12
names = ["a", "b"]
print(f"{", ".join(names)} {f"{f"{1 + 1}"}"}")
print(f"{'\n'.join(names)}")
print(f"{
    # a comment inside
    len(names)
}")
