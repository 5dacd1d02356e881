print("x")
exit(25)
