try:
    raise ValueError("v")
except ValueError as e:
    saved = e
print("later")
raise saved
