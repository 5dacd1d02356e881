def configure(*, verbose=False):
    pass
configure(verbos=True)
