try:
    raise ValueError("v")
except ValueError as e:
    kept = e
try:
    e
except NameError as err:
    print(err)
print(kept)
