# requires: 3.10
match = 1
case = 2
print(match + case)
match match:
    case 1: print("still a name")
