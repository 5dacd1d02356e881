# requires: 3.11
def bad(n):
    raise ValueError(f"bad {n}")
errors = []
for i in range(3):
    try:
        bad(i)
    except ValueError as e:
        errors.append(e)
raise ExceptionGroup("several problems", errors)
