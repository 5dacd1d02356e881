"""Best of n: several ways on from one prefix, each in a child of its own; the server judges them, and the best goes on.

    python3 best_of_n.py http://127.0.0.1:8000
"""

import sys

from coding_env import Call, CallCheck, CodingEnv

#: What all of them begin with, and what a model proposed to go on with.
PREFIX = "words = 'the cat sat on the mat and the dog sat too'.split()"
PROPOSALS = [
    "def count(word): return words.index(word)",
    "def count(word): return sum(word in one for one in words)",
    "import collections\ncount = collections.Counter(words).__getitem__",
    "def count(word) return words.count(word)",
]
#: What the function is to return: the episodes never see it.
CALLS = [Call(["the"], 3), Call(["sat"], 2), Call(["a"], 0), Call(["dog"], 1)]


def main() -> None:
    with CodingEnv(base_url=sys.argv[1]) as root:
        root.reset()
        root.step(PREFIX)
        print(PREFIX)
        best = (-1.0, "")
        for child, code in zip(root.fork(len(PROPOSALS)), PROPOSALS):
            with child:
                child.step(code)
                score = child.evaluate("", CallCheck("count", CALLS)).score or 0.0
            told = code.replace("\n", "; ")
            print(f"├─ {score:.2f}  {told}")
            best = max(best, (score, told))
        print(f"└─ the best: {best[1]}")


if __name__ == "__main__":
    main()
