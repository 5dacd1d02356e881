import code
i = code.InteractiveInterpreter({"x": 5})
print(i.runsource("print(x * 2)"))
print(i.runsource("if x:"))
i.runsource("x + 1")
