class T:
    def go(self, n):
        if n == 2:
            raise ValueError("at two")
        self.n = n
        return self
T().go(1).go(2).go(3)
