def low():
    raise OSError("disk")
def high():
    try:
        low()
    except OSError as e:
        raise RuntimeError("could not save") from e
high()
