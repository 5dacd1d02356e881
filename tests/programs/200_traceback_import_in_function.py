def load():
    import definitely.not_there
load()
