import os, sys
with os.fdopen(os.dup(1), "w") as f:
    f.write("through a dup\n")
print("direct")
with open(1, "w", closefd=False) as f:
    f.write("open(1)\n")
