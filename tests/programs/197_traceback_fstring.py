name = "x"
print(f"value: {name} {name.missing}")
