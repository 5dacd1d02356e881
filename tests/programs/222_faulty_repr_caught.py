class B:
    def __repr__(self):
        return None
try:
    print(B())
except TypeError as e:
    print(e)
