try:
    [].pop()
except IndexError as e:
    e.args = ("changed message",)
    raise
