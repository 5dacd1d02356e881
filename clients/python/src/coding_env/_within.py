"""Waiting with a bound, for asyncio."""

from __future__ import annotations

import asyncio
from typing import Awaitable, Optional, TypeVar

T = TypeVar("T")


async def within(seconds: Optional[float], what: Awaitable[T]) -> T:
    """As ``asyncio.wait_for``, which before CPython 3.12 loses a cancellation that comes just as the awaited thing is done.

    Raises:
        asyncio.TimeoutError: The time has passed; what was awaited has been cancelled.
    """
    waiting = asyncio.ensure_future(what)
    try:
        done, _ = await asyncio.wait({waiting}, timeout=seconds)
    except asyncio.CancelledError:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        raise
    if not done:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        raise asyncio.TimeoutError
    return waiting.result()
