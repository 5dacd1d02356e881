data = [1, 2, 3, 4, 5, 6]
if (n := len(data)) > 5:
    print("long", n)
print([y for v in data if (y := v * v) > 10], y)
it = iter(data)
while (chunk := list(zip(*[it] * 2))[:1]):
    print(chunk)
print(f"{(w := 10)} {w:=5}")
