from dataclasses import dataclass
@dataclass
class Bad:
    a: int = 1
    b: int
