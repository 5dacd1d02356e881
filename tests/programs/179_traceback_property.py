class P:
    @property
    def v(self):
        return self._missing
print(P().v)
