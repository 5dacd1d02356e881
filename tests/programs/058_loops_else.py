for i in range(3):
    if i == 5:
        break
else:
    print("no break")
n = 3
while n:
    n -= 1
    if n == 1:
        continue
    print(n)
else:
    print("while else")
for x in []:
    pass
else:
    print("empty")
print(i)
