print("no newline at the end", end="")
raise KeyError("k")
