# requires: 3.12
def f(rows):
    return [[1 / v for v in row] for row in rows]
f([[1], [2, 0]])
