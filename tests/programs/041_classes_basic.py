class Animal:
    kind = "animal"
    def __init__(self, name):
        self.name = name
    def speak(self):
        return f"{self.name} makes a sound"
    @property
    def upper(self):
        return self.name.upper()
    @classmethod
    def make(cls, n):
        return cls(n)
    @staticmethod
    def add(a, b):
        return a + b
class Dog(Animal):
    kind = "dog"
    def speak(self):
        return super().speak() + ": woof"
d = Dog.make("Rex")
print(d.speak(), d.upper, d.add(1, 2), Animal.kind, d.kind)
print(Dog.__mro__, isinstance(d, Animal), Dog.__module__, Dog.__qualname__)
