class Odd(Exception):
    __module__ = "some.where"
raise Odd("module is set")
