"""The event loop, in a thread of its own, that the blocking pools of a process share."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import threading
from typing import Any, Coroutine, Optional, TypeVar

from .errors import CodingEnvError

T = TypeVar("T")

#: How long the end of the process waits for what runs, in seconds.
_END_SECONDS = 5.0

_lock = threading.Lock()
_running: Optional["LoopThread"] = None


class LoopThread:
    """A thread that runs an event loop until the process ends."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="coding-env", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Runs it there, and waits. When the wait is interrupted (Ctrl-C), so is the coroutine."""
        if self._ended:
            coroutine.close()
            raise CodingEnvError("this process is ending")
        future = asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def finish(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Runs it there, from wherever a generator ends: that may be in a garbage collection, in this very thread, or when the process ends."""
        if self._ended:
            coroutine.close()
        elif threading.current_thread() is self._thread:
            asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        else:
            self.run(coroutine)

    def stop(self) -> None:
        """At the end of the process: ends what runs, so that nothing is said to have been forgotten."""
        self._ended = True
        ending = asyncio.run_coroutine_threadsafe(_end_tasks(), self.loop)
        with contextlib.suppress(Exception):
            ending.result(_END_SECONDS)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(_END_SECONDS)


async def _end_tasks() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def loop_thread() -> LoopThread:
    """That of this process."""
    global _running
    with _lock:
        if _running is None:
            _running = LoopThread()
            atexit.register(_running.stop)
        return _running


def _after_fork() -> None:
    global _lock, _running
    if _running is not None:
        atexit.unregister(_running.stop)
    _lock, _running = threading.Lock(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
