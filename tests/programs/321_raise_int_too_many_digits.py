# requires: 3.11
x = int("9" * 5000)
