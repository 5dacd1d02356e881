n = "a"
while n > 3:
    pass
