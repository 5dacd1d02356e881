import sys
sys.stdout.write("text first\n")
sys.stdout.flush()
sys.stdout.buffer.write(b"bytes second\n")
sys.stdout.buffer.flush()
print("text third")
sys.stderr.buffer.write(b"err bytes\n")
sys.stderr.buffer.flush()
