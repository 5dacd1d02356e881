# requires: 3.12
x = 1
print(f"{x} {x!z}")
