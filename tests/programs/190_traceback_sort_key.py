sorted([3, "a", None], key=lambda v: v + 1)
