import sys
n = sys.stdout.write("héllo\n")
print(n)
sys.stdout.writelines(["a\n", "b\n"])
print(sys.stdout.isatty(), sys.stdin.isatty(), sys.stdout.encoding, sys.stdout.fileno(), sys.stderr.fileno())
print(sys.stdout.name, sys.stdin.name, sys.stdout.writable(), sys.stdout is sys.__stdout__)
try:
    sys.stdout.write(b"bytes")
except TypeError as e:
    print(type(e).__name__)
