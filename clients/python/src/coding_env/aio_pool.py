"""Many episodes on several servers, without a proxy: for asyncio."""

from __future__ import annotations

import asyncio
import weakref
from types import TracebackType
from typing import TYPE_CHECKING, Any, AsyncGenerator, Awaitable, Iterable, List, Mapping, Optional, Tuple, Type, TypeVar, Union

from . import _bulk
from ._bulk import Result
from ._convert import Seconds
from ._core import Retry
from ._files import Content, RemotePath, first_files
from ._server import Seat, ServerStatus, Standing
from ._servers import ServerSet
from ._target import Servers, resolver
from ._within import within
from .errors import CodingEnvError, DeadlineError, EpisodeGoneError, NoEpisodeError, Reason
from .models import (
    CodeAction,
    EpisodeState,
    InterruptResult,
    Limits,
    Network,
    OnFailure,
    Outcome,
    ResetResult,
    StepLimits,
    StepResult,
)
from .options import Options

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from ._arguments import ClientOptions, ResetArguments, StepArguments

T = TypeVar("T")

#: How long to wait, once one server is ready, for the others to be looked at, in seconds: so that the first episodes are spread.
_SPREAD_SECONDS = 1.0


class AsyncPool:
    """Several servers, and environments on them: each new episode goes to the server with the fewest episodes of this pool, and among
    those to the emptiest. It stays there. Belongs to the event loop that first calls it.

    The pool asks the servers how they are, and its target which there are, every ``refresh_period`` and whenever a call fails. One that
    is full, starting or draining gets no new episodes. Episodes of one that is gone are told so at once, by an ``EpisodeGoneError`` with the
    reason ``EPISODE_SERVER_GONE``: a refused connection is enough, silence is after ``lost_after``. There is one connection to a server,
    however many episodes it has, and on it a few sessions that carry their resets and steps. A stream that breaks is taken over by a new one.

    ``async with`` connects, and closes at its end: that ends all its episodes.

    Args:
        target: ``"dns:///HOST:PORT"``: every address of the name is a server, as with a headless service of Kubernetes. Or a URL, or
            several: those servers, whether they are up or not. Or a function that returns the URLs of the moment. Each has to be the address
            of one server, not of a balancer in front of several.
        secure: Whether servers that are found by a name speak TLS; their certificates have to bear that name. URLs say it themselves.
        refresh_period: How often the target is resolved and every server asked how it is, in seconds.
        lost_after: How long a server may be silent before its episodes are given up, in seconds.
        calls_max: How many calls of bulk operations are in flight at once; more wait here.
        sessions_per_server: How many sessions carry the resets and steps of a server's episodes: streams on the one connection to it. 0 makes each a
            call of its own, as it is at a server that takes no sessions. What is made over a session ends with it: when the process has gone without
            closing the pool, or has not reached the server for its ``session_grace``.
        options: See ``Options``. ``deadline`` is also how long ``connect`` waits for a server, and a reset for a place.

    Raises:
        UrlError: The target is none.
    """

    def __init__(
        self,
        target: Servers,
        *,
        secure: bool = False,
        refresh_period: float = 5.0,
        lost_after: float = 20.0,
        calls_max: int = 512,
        sessions_per_server: int = 4,
        **options: Unpack[ClientOptions],
    ) -> None:
        for name, value in (("refresh_period", refresh_period), ("lost_after", lost_after), ("calls_max", calls_max)):
            if not value > 0:
                raise ValueError(f"{name} has to be more than 0")
        if sessions_per_server < 0:
            raise ValueError("sessions_per_server has to be 0 or more")
        self._options = Options(**options)
        resolve = resolver(target, self._options, secure)
        self._settings = (resolve, self._options, refresh_period, lost_after, sessions_per_server)
        self._calls_max = calls_max
        # Made by the first call: on CPython 3.9 these take the event loop that runs when they are made.
        self._servers: Optional[ServerSet] = None
        self._permits: Optional[asyncio.Semaphore] = None
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._envs: "weakref.WeakSet[AsyncPooledEnv]" = weakref.WeakSet()

    async def connect(self) -> None:
        """Waits until a server is ready. Calls do it by themselves.

        Raises:
            ConnectError: None was ready within the deadline.
            RefusedError: All servers refuse this client, say for its token.
        """
        servers = self._start()
        end = _now() + self._options.deadline
        while not any(status.standing in (Standing.READY, Standing.FULL) for status in servers.status()):
            refusal = servers.refusal() if servers.rounds else None
            if refusal is not None or _now() >= end:
                raise servers.why_no_place()
            await servers.change(end - _now())
        spread = _now() + _SPREAD_SECONDS
        while not servers.rounds and _now() < spread:
            await servers.change(spread - _now())

    def env(self) -> AsyncPooledEnv:
        """An environment without an episode: its ``reset`` starts one."""
        env = AsyncPooledEnv(self)
        self._envs.add(env)
        return env

    def servers(self) -> List[ServerStatus]:
        """The servers, as they were when they were looked at last. Those that have left and hold no episode of this pool are not among them."""
        return self._servers.status() if self._servers else []

    async def reset_many(self, count: int, **options: Unpack[ResetArguments]) -> List[Result[AsyncPooledEnv]]:
        """Starts so many episodes with the same options, each in an environment of its own. Where one fails, its exception is in its place.

        With a seed all have the same one.
        """

        async def reset(env: AsyncPooledEnv) -> AsyncPooledEnv:
            await env.reset(**options)
            return env

        envs = [self.env() for _ in range(count)]
        return await _bulk.in_order(await self._many(((env, env) for env in envs), reset))

    async def reset_all(
        self, envs: Iterable[AsyncPooledEnv], **options: Unpack[ResetArguments]
    ) -> List[Result[ResetResult]]:
        """Starts a fresh episode in each of these environments. The results are in their order."""

        async def reset(env: AsyncPooledEnv) -> ResetResult:
            return await env.reset(**options)

        return await _bulk.in_order(await self._many(((env, env) for env in envs), reset))

    async def step_many(
        self,
        actions: Iterable[Tuple[AsyncPooledEnv, Union[CodeAction, str]]],
        **options: Unpack[StepArguments],
    ) -> List[Result[StepResult]]:
        """Runs code in many episodes at once. The results are in the order of the input. Where one fails, its exception is in its place.

        Steps of the same environment run one after the other, in their order.
        """
        return await _bulk.in_order(self.steps(actions, **options))

    async def steps(
        self,
        actions: Iterable[Tuple[AsyncPooledEnv, Union[CodeAction, str]]],
        **options: Unpack[StepArguments],
    ) -> AsyncGenerator[Tuple[int, Result[StepResult]], None]:
        """As ``step_many``, with each result as soon as it is there: ``async for at, result in pool.steps(…)``, where `at` is its place in
        the input. Leaving the loop gives up what has not come; a step that runs goes on at its server."""

        async def step(call: Tuple[AsyncPooledEnv, Union[CodeAction, str]]) -> StepResult:
            env, action = call
            return await env.step(action, **options)

        results = await self._many(((env, (env, action)) for env, action in actions), step)
        try:
            async for each in results:
                yield each
        finally:
            await results.aclose()

    async def close_many(self, envs: Iterable[AsyncPooledEnv]) -> List[Result[bool]]:
        """Ends the episodes of these environments. The results are in their order."""

        async def close(env: AsyncPooledEnv) -> bool:
            return await env.close()

        return await _bulk.in_order(await self._many(((env, env) for env in envs), close))

    async def close(self) -> None:
        """Ends all its episodes, as far as that can be done now, and the connections. Another call connects again."""
        if self._servers is None:
            return
        servers = self._start()
        living = [env for env in self._envs if env._held.seat is not None]
        try:
            if living:
                await self.close_many(living)
        finally:
            self._servers = None
            await servers.close()

    async def __aenter__(self) -> Self:
        try:
            await self.connect()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        await self.close()

    def _start(self) -> ServerSet:
        loop = asyncio.get_running_loop()
        if self._servers is None:
            self._servers = ServerSet(*self._settings)
            self._permits = asyncio.Semaphore(self._calls_max)
            self._loop = loop
        elif self._loop is not loop:
            raise CodingEnvError("a pool belongs to one event loop, and this is another")
        return self._servers

    async def _many(self, calls: Any, run: Any) -> AsyncGenerator[Any, None]:
        if not self._start().rounds:
            await self.connect()
        assert self._permits is not None
        return _bulk.completions(self._permits, calls, run)


class AsyncPooledEnv:
    """One environment of an ``AsyncPool``: at most one episode at a time. A reset places the episode on a server, and all its calls go there.

    When its server is gone, each call, also one that waits, raises ``EpisodeGoneError`` with the reason ``EPISODE_SERVER_GONE``, and the next
    ``reset`` goes to another. One that is garbage has its episode ended in the background.
    """

    def __init__(self, pool: AsyncPool) -> None:
        self._pool = pool
        self._turn: Optional[asyncio.Lock] = None
        self._held = _Held()
        weakref.finalize(self, _abandon, self._held, weakref.ref(pool))

    @property
    def episode_id(self) -> Optional[str]:
        """The id of the episode, once there is one."""
        return self._held.seat.core.episode_id if self._held.seat else None

    @property
    def server_id(self) -> Optional[str]:
        """The server that holds the episode, once there is one."""
        return self._held.seat.core.server_id if self._held.seat else None

    async def reset(
        self,
        *,
        seed: Optional[int] = None,
        runtime: str = "",
        limits: Optional[Limits] = None,
        environment: Optional[Mapping[str, str]] = None,
        network: Network = Network.UNSPECIFIED,
        files: Optional[Mapping[RemotePath, Content]] = None,
    ) -> ResetResult:
        """Starts a fresh episode on the server that has most room, and ends the one before. See ``CodingEnv.reset``.

        Servers that are full or draining, or can't be reached, are passed over. When none takes it, it waits until one does, or the
        deadline has passed: then it raises what the last one said.
        """
        servers = self._pool._start()
        async with self._lock():
            retry = Retry(self._pool._options, self._pool._options.deadline)
            asked: List[Any] = []
            last: Optional[CodingEnvError] = None
            while True:
                held = self._held.seat
                seat = servers.take_seat(held.server if held else None, asked)
                if seat is None:
                    pause = retry.pause(servers.look_again())
                    if pause is None or servers.refusal() is not None:
                        raise last or servers.why_no_place()
                    await servers.change(pause)
                    asked.clear()
                    continue
                if held is not None and held.server is seat.server:
                    # One call ends the episode and starts the next.
                    seat.server.release()
                    seat = held
                try:
                    flow = seat.core.reset(
                        seed=seed,
                        runtime=runtime,
                        limits=limits,
                        environment=environment,
                        network=network,
                        files=first_files(files),
                    )
                    result = await _within(retry.left(), seat.run(flow))
                except CodingEnvError as error:
                    if not seat.server.note_refusal(error):
                        raise
                    asked.append(seat.server)
                    last = error
                else:
                    before, self._held.seat = held, seat
                    if before is not None and before is not seat:
                        servers.leave(before)
                    return result
                finally:
                    if self._held.seat is not seat:
                        servers.leave(seat)

    async def step(
        self,
        action: Union[CodeAction, str],
        *,
        timeout: Optional[Seconds] = None,
        limits: Optional[StepLimits] = None,
        max_reply_bytes: Optional[int] = None,
        display_mime_types: Iterable[str] = (),
        on_failure: OnFailure = OnFailure.UNSPECIFIED,
        roll_back_outcomes: Iterable[Outcome] = (),
    ) -> StepResult:
        """Runs code in the episode. See ``CodingEnv.step``."""
        async with self._lock():
            seat = self._seat()
            flow = seat.core.step(
                action,
                timeout=timeout,
                limits=limits,
                max_reply_bytes=max_reply_bytes,
                display_mime_types=display_mime_types,
                on_failure=on_failure,
                roll_back_outcomes=roll_back_outcomes,
            )
            return await seat.run(flow)

    async def state(self) -> EpisodeState:
        """The state of the episode, also while a step runs. See ``CodingEnv.state``."""
        seat = self._seat()
        return await seat.run(seat.core.state())

    async def interrupt(self, step_index: Optional[int] = None) -> InterruptResult:
        """Interrupts the running step, from another task. See ``CodingEnv.interrupt``."""
        seat = self._seat()
        return await seat.run(seat.core.interrupt(step_index))

    async def close(self) -> bool:
        """Ends the episode, if there is one, also while a step runs. A server that is gone has ended it already. Another ``reset`` may follow."""
        seat, self._held.seat = self._held.seat, None
        if seat is None:
            return False
        servers = self._pool._start()
        try:
            return await seat.run(seat.core.close())
        except EpisodeGoneError as error:
            if error.reason != Reason.EPISODE_SERVER_GONE:
                raise
            return False
        finally:
            seat.server.has_room()
            # What could not be ended is tried once more, in the background.
            servers.leave(seat)

    def _seat(self) -> Seat:
        self._pool._start()
        seat = self._held.seat
        if seat is None or seat.core.episode_id is None:
            raise NoEpisodeError("there is no episode: reset first")
        return seat

    def _lock(self) -> asyncio.Lock:
        self._pool._start()
        if self._turn is None:
            self._turn = asyncio.Lock()
        return self._turn


class _Held:
    """What an environment has of a server, for when it is garbage."""

    seat: Optional[Seat] = None


def _abandon(held: _Held, pool: "weakref.ref[AsyncPool]") -> None:
    """Ends the episode of an environment that is garbage. The collection may happen in any thread, and when the loop has ended."""
    alive = pool()
    seat, held.seat = held.seat, None
    if seat is None or alive is None or alive._servers is None or alive._loop is None:
        return
    try:
        alive._loop.call_soon_threadsafe(alive._servers.leave, seat)
    except RuntimeError:
        return


async def _within(seconds: float, run: Awaitable[T]) -> T:
    try:
        return await within(seconds, run)
    except asyncio.TimeoutError as error:
        if isinstance(error, CodingEnvError):
            raise
        raise DeadlineError("the deadline passed before an episode was there") from None


def _now() -> float:
    return asyncio.get_running_loop().time()
