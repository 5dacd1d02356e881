def e(n):
    print(n, end=" ")
    return n
r = [e(1), e(2)] + [e(3)]
d = {e(4): e(5), e(6): e(7)}
f = (lambda *a, **k: None)(e(8), *[e(9)], k=e(10))
e(11) if e(12) else e(13)
x = [0, 0]
x[e(0)] = e(1)
e(1) < e(2) < e(0) < e(5)
print()
