import os, tempfile
old = os.getcwd()
with tempfile.TemporaryDirectory() as d:
    os.chdir(d)
    with open("rel.txt", "w") as f:
        f.write("relative")
    print(open("rel.txt").read(), os.listdir("."))
    os.chdir(old)
print(os.getcwd() == old)
