import sys
sys.stdout.flush()
sys.stdout.buffer.write(b"ok \xff\xfe bad\n")
sys.stdout.buffer.flush()
