# requires: 3.13
import copy
from dataclasses import dataclass
@dataclass
class P:
    x: int
    y: int = 2
print(copy.replace(P(1), y=9))
