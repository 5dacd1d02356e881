def check(v):
    assert v > 0, f"value {v} is not positive"
check(1)
check(-1)
