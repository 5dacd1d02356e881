import subprocess, sys
r = subprocess.run([sys.executable, "-c", "import sys; print(sys.stdin.read().upper()); sys.exit(3)"],
                   input="hello", capture_output=True, text=True)
print(r.returncode, repr(r.stdout), repr(r.stderr))
