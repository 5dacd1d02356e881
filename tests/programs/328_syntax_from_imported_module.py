import sys, tempfile, os
d = tempfile.mkdtemp()
try:
    with open(os.path.join(d, "broken_mod_x.py"), "w") as f:
        f.write("x = (\n")
    sys.path.insert(0, d)
    try:
        import broken_mod_x
    except SyntaxError as e:
        print(type(e).__name__, e.lineno)
finally:
    os.remove(os.path.join(d, "broken_mod_x.py"))
    os.rmdir(d)
