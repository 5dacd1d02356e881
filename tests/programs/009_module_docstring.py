"""The docstring of the module."""
print(__doc__)
