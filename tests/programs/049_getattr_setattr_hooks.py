class Log:
    def __getattr__(self, name):
        if name.startswith("dyn_"):
            return name[4:]
        raise AttributeError(name)
    def __setattr__(self, name, value):
        print("set", name)
        super().__setattr__(name, value)
    def __delattr__(self, name):
        print("del", name)
        super().__delattr__(name)
x = Log()
x.a = 1
print(x.a, x.dyn_hello, getattr(x, "nope", "default"))
del x.a
