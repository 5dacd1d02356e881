"""What a step costs the client's own process: its CPU time, over many steps one after another, on a server in another process.

    python3 examples/cost.py http://127.0.0.1:8000 5000
"""

import asyncio
import sys
import time
from typing import Tuple

from coding_env import AsyncCodingEnv, CodingEnv, Pool


def now() -> Tuple[float, float]:
    """CPU time of all threads, and time, in seconds."""
    return time.process_time(), time.perf_counter()


def tell(what: str, before: Tuple[float, float], steps: int) -> None:
    cpu, wall = ((after - start) * 1e6 / steps for after, start in zip(now(), before))
    print(f"{what}: {cpu:.0f} µs of CPU and {wall:.0f} µs a step, {steps} steps")


def blocking(url: str, steps: int) -> None:
    with CodingEnv(url) as env:
        env.reset()
        before = now()
        for _ in range(steps):
            env.step("x = 1")
        tell("blocking", before, steps)


async def under_asyncio(url: str, steps: int) -> None:
    async with AsyncCodingEnv(url) as env:
        await env.reset()
        before = now()
        for _ in range(steps):
            await env.step("x = 1")
        tell("asyncio", before, steps)


def in_a_pool(url: str, steps: int) -> None:
    """32 episodes, all stepped at once."""
    with Pool(url) as pool:
        envs = [env for env in pool.reset_many(32) if not isinstance(env, Exception)]
        rounds = max(1, steps // 32)
        before = now()
        for _ in range(rounds):
            pool.step_many((env, "x = 1") for env in envs)
        tell("pool", before, rounds * len(envs))


def main() -> None:
    url = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"
    steps = int(sys.argv[2]) if len(sys.argv) > 2 else 5000
    blocking(url, steps)
    asyncio.run(under_asyncio(url, steps))
    in_a_pool(url, steps)


if __name__ == "__main__":
    main()
