"""Many calls at once: as many as allowed, each with its own result. For asyncio."""

from __future__ import annotations

import asyncio
from typing import AsyncGenerator, AsyncIterator, Awaitable, Callable, Hashable, Iterable, List, Tuple, TypeVar, Union

C = TypeVar("C")
T = TypeVar("T")

#: What came of one of many calls.
Result = Union[T, Exception]


async def completions(
    permits: asyncio.Semaphore, calls: Iterable[Tuple[Hashable, C]], run: Callable[[C], Awaitable[T]]
) -> AsyncGenerator[Tuple[int, Result[T]], None]:
    """Each result as soon as it is there, with its place in the input. `calls` are given with keys: those with the same one run one after
    the other, in order."""
    groups: "dict[Hashable, List[Tuple[int, C]]]" = {}
    count = 0
    for key, call in calls:
        groups.setdefault(key, []).append((count, call))
        count += 1
    results: "asyncio.Queue[Tuple[int, Result[T]]]" = asyncio.Queue()

    async def run_group(group: List[Tuple[int, C]]) -> None:
        for at, call in group:
            async with permits:
                try:
                    result: Result[T] = await run(call)
                except Exception as error:
                    result = error
            results.put_nowait((at, result))

    tasks = [asyncio.ensure_future(run_group(group)) for group in groups.values()]
    try:
        for _ in range(count):
            yield await results.get()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def in_order(results: AsyncIterator[Tuple[int, Result[T]]]) -> List[Result[T]]:
    """All results, in the order of the input."""
    return [result for _, result in sorted([each async for each in results], key=lambda each: each[0])]
