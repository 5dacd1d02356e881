import subprocess, sys
r = subprocess.run(["cat"], capture_output=True)
print(r.returncode, r.stdout)
