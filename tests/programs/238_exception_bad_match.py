try:
    try:
        1 / 0
    except "not a class":
        pass
except TypeError as e:
    print(e)
