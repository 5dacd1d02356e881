"""All servers of a pool: which there are, and where a new episode goes. For asyncio."""

from __future__ import annotations

import asyncio
import collections
import contextlib
from typing import Deque, Dict, List, Mapping, Optional, Sequence, Set, Tuple

from ._core import Core
from ._server import Process, Seat, Server, ServerStatus
from ._target import Resolver
from ._within import within
from .errors import CodingEnvError, ConnectError, RefusedError, UrlError
from .options import Options, Target

#: The least time between two looks at the servers, however much trouble there is.
_SPACING_SECONDS = 0.1
#: How many episodes of servers that were given up are remembered.
_LEFT_MAX = 10_000


class ServerSet:
    """The servers of a target. It belongs to the event loop that makes it."""

    def __init__(
        self, resolve: Resolver, options: Options, refresh_period: float, lost_after: float, sessions_per_server: int
    ) -> None:
        self._resolve = resolve
        self._options = options
        self._refresh_period = refresh_period
        self._lost_after = lost_after
        self._sessions_per_server = sessions_per_server
        self._all: Dict[str, Server] = {}
        #: Why the target could not be resolved the last time.
        self._error: Optional[CodingEnvError] = None
        self._placements = 0
        #: What could not be ended on servers that were given up, by their processes: ended if one turns out to live on.
        self._left: Deque[Tuple[Process, Core]] = collections.deque(maxlen=_LEFT_MAX)
        self._trouble = asyncio.Event()
        #: Those who wait for a place, the longest first.
        self._waiting: Deque["asyncio.Future[None]"] = collections.deque()
        self.rounds = 0
        self._tasks: Set["asyncio.Task[None]"] = set()
        self._looking = asyncio.ensure_future(self._look_after())

    def status(self) -> List[ServerStatus]:
        return [server.status() for server in self._all.values()]

    def take_seat(self, holding: Optional[Server], asked: Sequence[Server]) -> Optional[Seat]:
        """Takes the best place for a new episode. `holding` has the one that ends with the reset; `asked` have refused it."""
        found = []
        for server in self._all.values():
            if server not in asked:
                load = server.load(server is holding)
                if load is not None:
                    found.append((load, server))
        if not found:
            return None
        server = min(found, key=lambda each: each[0])[1]
        self._placements += 1
        server.place(self._placements)
        return Seat(server)

    def leave(self, seat: Seat) -> None:
        """Ends in the background what a seat has."""
        task = asyncio.ensure_future(self._end(seat))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end(self, seat: Seat) -> None:
        await seat.end()
        if seat.server.liveness.cause is not None and not seat.core.is_empty and seat.server.process is not None:
            self._left.append((seat.server.process, seat.core))
        self.wake(1)

    def wake(self, count: Optional[int] = None) -> None:
        """Wakes those who wait for a place; or so many of them, because so many places are free."""
        while self._waiting and count != 0:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(None)
                count = None if count is None else count - 1

    async def change(self, seconds: Optional[float] = None) -> None:
        """Waits for what may bring a place: an episode that ended, a look at the servers; so many seconds at most."""
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        with contextlib.suppress(asyncio.TimeoutError):
            await within(seconds, waiting)

    def look_again(self) -> Optional[float]:
        """Nobody takes new episodes: has them looked at again, and says when the first of them asked to come back, in seconds."""
        self._trouble.set()
        return min((server.full_for() for server in self._all.values() if server.is_full()), default=None)

    def refusal(self) -> Optional[CodingEnvError]:
        """What no later try would mend: none of them takes what is asked for, and says so."""
        errors = [server.error for server in self._all.values()]
        if errors and all(isinstance(error, RefusedError) and not error._retryable for error in errors):
            return errors[0]
        return self._error if isinstance(self._error, UrlError) and not errors else None

    def why_no_place(self) -> CodingEnvError:
        refusal = self.refusal()
        if refusal is not None:
            return refusal
        said = [str(self._error)] if self._error else []
        for status in self.status():
            said.append(f"{status.url}: {status.error or status.standing.value}")
        return ConnectError(f"none of {len(self._all)} servers takes new episodes: {'; '.join(said[:8])}")

    async def _look_after(self) -> None:
        while True:
            await self._look()
            await asyncio.sleep(_SPACING_SECONDS)
            with contextlib.suppress(asyncio.TimeoutError):
                await within(self._refresh_period, self._trouble.wait())
            self._trouble.clear()

    async def _look(self) -> None:
        """Resolves the target and asks every server how it is."""
        try:
            self._set_listed(await self._resolve())
        except (CodingEnvError, OSError) as error:
            # Those that are known may well be there yet.
            self._error = error if isinstance(error, CodingEnvError) else ConnectError(f"resolving: {error}")
        except Exception as error:  # the user's own discovery
            self._error = ConnectError(f"the list of servers can't be had: {error!r}")
        await asyncio.gather(*(self._look_at(server) for server in list(self._all.values())))
        await self._sort_out()
        self.rounds += 1
        self.wake()

    def _set_listed(self, targets: Mapping[str, Target]) -> None:
        self._error = None
        for url, server in list(self._all.items()):
            server.listed = url in targets
        for url, target in targets.items():
            known = self._all.get(url)
            # What comes up where one was lost is another process.
            if known is None or known.liveness.cause is not None:
                if known is not None:
                    self._forget(url)
                self._all[url] = Server(url, target, self._options, self._sessions_per_server, self._trouble.set)

    async def _look_at(self, server: Server) -> None:
        await server.look()
        silent = server.liveness.silent_for()
        if silent is not None and silent >= self._lost_after:
            server.liveness.give_up(f"no answer for {self._lost_after:g} s")
        elif isinstance(server.error, ConnectError) and not server.listed:
            server.liveness.give_up("it has left, and does not answer")
        # So that the first episodes need not wait for the last server.
        self.wake()

    async def _sort_out(self) -> None:
        """Forgets servers that have left, and finds those that are listed twice."""
        for url, server in list(self._all.items()):
            if not server.listed and (server.liveness.cause is not None or server.episodes == 0):
                self._forget(url)
        found: Set[Process] = set()
        for server in self._all.values():
            if server.listed and server.process is not None:
                server.alias = server.process in found
                found.add(server.process)
                self._end_left(server)

    def _end_left(self, server: Server) -> None:
        """Ends what was left on a server that was given up and answers again."""
        for process, core in list(self._left):
            if process == server.process:
                self._left.remove((process, core))
                seat = Seat(server)
                seat.core.adopt(core)
                server.place(0)
                self.leave(seat)

    def _forget(self, url: str) -> None:
        closing = asyncio.ensure_future(self._all.pop(url).close())
        self._tasks.add(closing)
        closing.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Ends the connections. What is being ended in the background is waited for."""
        self._looking.cancel()
        await asyncio.gather(self._looking, *self._tasks, return_exceptions=True)
        living = [server for server in self._all.values() if server.liveness.cause is None]
        await asyncio.gather(*(server.end_sessions() for server in living))
        for server in self._all.values():
            # Calls that wait are told.
            server.liveness.give_up("the pool was closed")
            await server.close()
        self._all.clear()
