def queens(n, cols=()):
    if len(cols) == n:
        yield cols
        return
    for c in range(n):
        if all(c != q and abs(c - q) != len(cols) - i for i, q in enumerate(cols)):
            yield from queens(n, cols + (c,))
s = list(queens(6))
print(len(s), s[0])
