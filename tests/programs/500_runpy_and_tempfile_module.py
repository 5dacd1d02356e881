import runpy, tempfile, os
with tempfile.TemporaryDirectory() as d:
    p = os.path.join(d, "prog.py")
    with open(p, "w") as f:
        f.write("if __name__ == '__main__':\n    v = 7\n")
    ns = runpy.run_path(p, run_name="__main__")
print(ns["v"], __name__)
