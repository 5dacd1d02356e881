print(list({"delta", "alpha", "charlie", "bravo", "echo"}))
print(hash("the seed is fixed"))
