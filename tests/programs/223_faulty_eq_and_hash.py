class B:
    def __eq__(self, o): raise ValueError("eq")
    __hash__ = None
try:
    B() == 1
except ValueError as e:
    print(e)
try:
    {B(): 1}
except TypeError as e:
    print(e)
