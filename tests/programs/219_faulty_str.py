class Bad(Exception):
    def __str__(self):
        raise ValueError("str fails")
raise Bad("x")
