import sys
print("out 1")
print("err 1", file=sys.stderr)
sys.stderr.write("no newline")
raise ValueError("after stderr")
