for src in ("x = (", "def f(:\n  pass", "x = 1\n y = 2", "'unterminated", "return 1", "f(a=1, a=2)"):
    try:
        compile(src, "<src>", "exec")
    except SyntaxError as e:
        print(type(e).__name__, e.lineno, e.filename)
