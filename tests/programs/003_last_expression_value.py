x = 20
print("before")
x * 2 + 2
