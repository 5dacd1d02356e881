"""A small tree search over code: each node is a live episode, its children are forks of it that take one more step, and the best few of a level go on.

    python3 tree_search.py http://127.0.0.1:8000
"""

import asyncio
import sys

from coding_env import AsyncCodingEnv

#: From 1 to 47, by these steps.
MOVES = ["n = n * 2", "n = n * 3 + 1", "n = n - 3"]
#: How many nodes of a level go on.
BEAM = 3


async def grow(path, node, tree):
    """The children of a node, one for each move, all at once."""
    children = await node.fork(len(MOVES))
    results = await asyncio.gather(*(child.step(f"{code}\nprint(n)\nabs(n - 47)") for child, code in zip(children, MOVES)))
    await node.close()
    grown = []
    for at, (child, result) in enumerate(zip(children, results)):
        tree.append((path + (at,), f"{MOVES[at]} → {result.observation.stdout.strip()}"))
        grown.append((int(result.observation.result), path + (at,), child))
    return grown


async def main() -> None:
    root = AsyncCodingEnv(base_url=sys.argv[1])
    await root.reset()
    await root.step("n = 1")
    #: Each node by its way from the root: sorted, that is the tree.
    tree = []
    level = [(46, (), root)]
    while level[0][0] > 0:
        grown = await asyncio.gather(*(grow(path, node, tree) for _, path, node in level))
        children = sorted((child for some in grown for child in some), key=lambda child: child[0])
        await asyncio.gather(*(node.close() for _, _, node in children[BEAM:]))
        level = children[:BEAM]
    for path, told in sorted(tree):
        print("│  " * (len(path) - 1) + f"├─ {told}")
    print(f"found after {len(level[0][1])} steps")
    await asyncio.gather(*(node.close() for _, _, node in level))


if __name__ == "__main__":
    asyncio.run(main())
