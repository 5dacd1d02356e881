# requires: 3.10
x = """abc
y = 1
