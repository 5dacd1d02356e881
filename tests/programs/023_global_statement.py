counter = 0
def bump():
    global counter, created
    counter += 1
    created = "by bump"
bump(); bump()
print(counter, created)
