from math import *
from collections import *
print(floor(2.7), Counter("aab").most_common(1), pi)
