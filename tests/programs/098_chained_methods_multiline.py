result = (
    "  Some, Words,  Here "
    .strip()
    .lower()
    .replace(" ", "")
    .split(",")
)
print(result)
