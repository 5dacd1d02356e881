if True:
    if True:
        x = max(1,
                2,
                key=lambda v:
                    v.missing)
