import os
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError as e:
    print(e.errno, type(e).__name__)
