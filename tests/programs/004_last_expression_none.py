print("only printed")
None
