data = ["1", "2", "x", "4"]
print([int(v) for v in data])
