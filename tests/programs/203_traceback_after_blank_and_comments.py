

# a comment


def f():

    # inside

    raise ValueError("line numbers")


f()  # called
