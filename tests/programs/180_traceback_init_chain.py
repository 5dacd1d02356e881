class A:
    def __init__(self):
        self.setup()
class B(A):
    def setup(self):
        super().__init__
        raise RuntimeError("in setup")
B()
