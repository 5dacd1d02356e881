import subprocess, sys
print("parent first")
subprocess.run([sys.executable, "-c", "print('child out')"], check=True)
subprocess.run([sys.executable, "-c", "import sys; print('child err', file=sys.stderr)"])
print("parent last")
