print(__debug__)
try:
    assert False, "asserts are on"
except AssertionError as e:
    print(e)
