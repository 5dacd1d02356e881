import warnings
def show(message, category, filename, lineno, file=None, line=None):
    print("warned:", category.__name__, message, "line", lineno)
warnings.showwarning = show
warnings.simplefilter("always")
warnings.warn("first")
warnings.warn("old", DeprecationWarning)
def f():
    warnings.warn("caller's line", stacklevel=2)
f()
