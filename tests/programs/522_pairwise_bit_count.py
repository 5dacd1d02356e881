# requires: 3.10
from itertools import pairwise
import bisect
print(list(pairwise("abcd")), (255).bit_count(), bisect.bisect([1, 5, 9], 4, key=lambda v: v))
