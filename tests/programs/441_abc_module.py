from abc import ABC, abstractmethod
class Shape(ABC):
    @abstractmethod
    def area(self): ...
    @property
    @abstractmethod
    def name(self): ...
class Sq(Shape):
    name = "sq"
    def area(self): return 4
print(Sq().area(), sorted(Shape.__abstractmethods__))
Shape.register(int)
print(isinstance(5, Shape))
Shape()
