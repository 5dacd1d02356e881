def a():
    class B:
        def c(self):
            def d(): pass
            return d
    return B
print(a().__qualname__, a()().c().__qualname__, (lambda: 0).__qualname__)
print(a.__code__.co_name, a.__code__.co_firstlineno, a()().c.__module__)
