print("a")
yield 1
