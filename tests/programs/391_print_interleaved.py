import sys
for i in range(5):
    print("out", i)
    print("err", i, file=sys.stderr)
    sys.stdout.write("w%d " % i)
    sys.stderr.write("e%d\n" % i)
