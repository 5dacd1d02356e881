class Account:
    def __init__(self, owner, balance=0):
        self.owner, self.balance, self.log = owner, balance, []
    def deposit(self, n):
        if n <= 0:
            raise ValueError("deposit must be positive")
        self.balance += n
        self.log.append(("in", n))
    def withdraw(self, n):
        if n > self.balance:
            raise ValueError(f"{self.owner}: balance {self.balance} is less than {n}")
        self.balance -= n
        self.log.append(("out", n))
a = Account("ann", 10)
a.deposit(5)
a.withdraw(12)
print(a.balance, a.log)
a.withdraw(100)
