import shutil, tempfile, os, glob, fnmatch
with tempfile.TemporaryDirectory() as d:
    for n in ("a.txt", "b.txt", "c.py"):
        open(os.path.join(d, n), "w").close()
    print(sorted(os.path.basename(p) for p in glob.glob(d + "/*.txt")))
    shutil.copytree(d, d + "/copy")
    print(sorted(os.listdir(d + "/copy")))
    shutil.rmtree(d + "/copy")
print(fnmatch.filter(["x.py", "y.c"], "*.py"), shutil.which("sh") is not None)
