import sys
print()
print("a", "b", sep="")
print("a", "b", sep="-", end="!\n")
print(1, None, [2], sep="\n", end="")
print(" same line")
print("flushed", flush=True)
print("to err", file=sys.stderr)
print(*range(5), sep=", ")
