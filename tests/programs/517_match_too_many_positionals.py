# requires: 3.10
class A:
    __match_args__ = ("x",)
match A():
    case A(1, 2):
        pass
