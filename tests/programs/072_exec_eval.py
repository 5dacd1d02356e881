ns = {}
exec("def f(x):\n    return x * y\ny = 3", ns)
print(ns["f"](4), eval("y + 1", ns), eval("a + b", {"a": 1}, {"b": 2}))
code = compile("x = [i for i in range(3)]", "<mine>", "exec")
exec(code)
print(x, code.co_filename, code.co_name)
print(eval(compile("1 + 1", "<e>", "eval")))
exec(compile("'shown? no'", "<s>", "exec"))
