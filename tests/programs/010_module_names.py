print(__name__)
print(type(__builtins__).__name__)
print(__spec__, __package__)
print(__doc__)
