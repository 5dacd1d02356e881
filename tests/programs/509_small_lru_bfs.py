from collections import deque
grid = ["S.#.", "..#.", "...E"]
cells = {(r, c): ch for r, row in enumerate(grid) for c, ch in enumerate(row)}
start = next(k for k, v in cells.items() if v == "S")
q, seen = deque([(start, 0)]), {start}
while q:
    (r, c), d = q.popleft()
    if cells[r, c] == "E":
        print("distance", d)
        break
    for n in ((r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)):
        if cells.get(n, "#") != "#" and n not in seen:
            seen.add(n)
            q.append((n, d + 1))
