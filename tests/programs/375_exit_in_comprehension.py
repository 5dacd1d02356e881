import sys
[sys.exit(n) for n in (17, 18)]
