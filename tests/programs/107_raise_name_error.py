print("one")
undefined_variable
