# requires: 3.10
match 5:
    case x if x / 0:
        print("no")
