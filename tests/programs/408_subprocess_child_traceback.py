import subprocess, sys
r = subprocess.run([sys.executable, "-c", "def f():\n  1/0\nf()"])
print("child exit", r.returncode)
