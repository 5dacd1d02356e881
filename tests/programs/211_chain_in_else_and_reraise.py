def f():
    try:
        raise ValueError("original")
    except ValueError:
        print("logged")
        raise
f()
