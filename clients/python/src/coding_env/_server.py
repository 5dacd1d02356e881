"""One server of a pool: its connection, what is known of its load, and an environment's seat on it. For asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import datetime
import enum
import functools
from typing import Any, Callable, Mapping, Optional, Set, Tuple, TypeVar

import grpc
import grpc.aio

from . import _channels, _convert, models
from . import _details_pb2 as details_pb
from ._core import Call, Command, Core, Flow, Pause, server_of
from ._lane import Lane
from ._liveness import Liveness
from ._within import within
from .aio import drive
from .errors import BusyError, CodingEnvError, ConnectError, DeadlineError, Reason, RefusedError, from_rpc_error
from .options import Options, Target
from .v1 import coding_env_pb2 as pb

T = TypeVar("T")

#: What tells one process of a server from the next at the same address: its id, and when it started.
Process = Tuple[str, Optional[datetime.datetime]]

#: How long a server may take to say how it is.
_LOOK_SECONDS = 5.0
#: How long a server counts as full that did not say when to come back.
_FULL_SECONDS = 1.0
#: What the contract says of a step whose timeout nobody told, until the server has said it, in seconds.
_STEP_SECONDS = 30.0
#: How long an episode is tried to be ended that nobody holds any more. What can't be ended is left to the server's idle timeout.
_END_SECONDS = 10.0
#: grpc.health.v1.HealthCheckResponse.ServingStatus
_SERVING = 1


class Standing(enum.Enum):
    """How a server stands to new episodes. Those that live on it go on in any case but the last."""

    #: It takes new ones.
    READY = "ready"
    #: It has as many as it may, or no interpreter to spare: asked again soon.
    FULL = "full"
    #: It is starting, or draining.
    NOT_READY = "not ready"
    #: It does not answer, or not as it should.
    UNREACHABLE = "unreachable"


@dataclasses.dataclass(frozen=True)
class ServerStatus:
    """A server of a pool, as that sees it."""

    #: Where it is: ``http://HOST:PORT``.
    url: str
    #: What it calls itself; empty before it has answered.
    server_id: str
    #: How it stands to new episodes.
    standing: Standing
    #: Episodes of this pool on it.
    episodes: int
    #: What was wrong when it was looked at last.
    error: Optional[CodingEnvError]


class Server:
    """One server: its connection, and what is known of its load."""

    def __init__(self, url: str, target: Target, options: Options, sessions: int, on_trouble: Callable[[], Any]) -> None:
        self.url = url
        self.liveness = Liveness(url, on_trouble, self._end_calls)
        self._options = options
        self._headers = options.headers()
        self._channel = _channels.aio_channel_to(target)
        self._rpcs: Mapping[str, Any] = _channels.rpcs(self._channel)
        #: Calls in flight, which end when the server is lost.
        self._calls: Set[Any] = set()
        self._lost = asyncio.Event()
        #: What carries resets and steps; each episode's go over one.
        self._lanes = [Lane(self._rpcs["Session"], options, self.liveness) for _ in range(sessions)]
        self._turn = 0
        self._step_timeout = _STEP_SECONDS
        #: Whether the target names it; if not, it gets no new episodes.
        self.listed = True
        #: Another entry leads to the same process, and is the one that is used.
        self.alias = False
        self.ready = False
        self.error: Optional[CodingEnvError] = ConnectError("not asked yet")
        self._full_until = 0.0
        #: Episodes of this pool, those that are being made included.
        self.episodes = 0
        #: Episodes of everybody, as a part of what it may have.
        self._occupied = 0.0
        self._placed = 0
        self.process: Optional[Process] = None

    async def run(self, flow: Flow[T], lane: Optional[Lane] = None) -> T:
        """Carries out an operation on this server, its resets and steps over the lane where that can carry them."""
        if lane is None:
            return await drive(flow, self._carry_out)
        return await drive(flow, functools.partial(self._carry_out_over, lane))

    def next_lane(self) -> Optional[Lane]:
        """One for the next episode, in turn. None when there are none."""
        if not self._lanes:
            return None
        self._turn = (self._turn + 1) % len(self._lanes)
        return self._lanes[self._turn]

    def core(self) -> Core:
        return Core(self._options, self.liveness)

    def _end_calls(self) -> None:
        self._lost.set()
        for lane in self._lanes:
            lane.end()
        for call in self._calls:
            call.cancel()

    async def _carry_out_over(self, lane: Lane, command: Command) -> Any:
        if not isinstance(command, Call) or not lane.carries(command, self._step_timeout):
            return await self._carry_out(command)
        try:
            reply = await lane.ask(command)
        except CodingEnvError:
            self.liveness.check(getattr(command.request, "episode_id", ""))
            raise
        if reply is None:
            return await self._carry_out(command)
        return (reply, reply.server_id) if command.wants_server else reply

    async def _carry_out(self, command: Command) -> Any:
        if isinstance(command, Pause):
            with contextlib.suppress(asyncio.TimeoutError):
                await within(command.seconds, self._lost.wait())
            return None
        if not isinstance(command, Call):
            raise TypeError(f"a pool does not carry out {type(command).__name__}")
        self.liveness.check(getattr(command.request, "episode_id", ""))
        call = self._rpcs[command.method](command.request, timeout=command.timeout, metadata=command.metadata)
        self._calls.add(call)
        try:
            response = await call
            if not command.wants_server:
                return response
            return response, server_of(await call.initial_metadata())
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
        except asyncio.CancelledError:
            # It was the call that was cancelled, and not the task, when the server was lost meanwhile.
            if not _is_cancelled():
                self.liveness.check(getattr(command.request, "episode_id", ""))
            raise
        finally:
            self._calls.discard(call)

    def is_full(self) -> bool:
        return self.full_for() > 0

    def full_for(self) -> float:
        """How long it is still full, in seconds."""
        return max(0.0, self._full_until - asyncio.get_running_loop().time())

    def load(self, holds_the_last: bool) -> Optional[Tuple[int, bool, float, int]]:
        """Which server is the least loaded: the one with the fewest episodes of this pool, then where the episode was that ends with the
        reset (one call does both), then the emptiest, then the one that has waited longest. None when it takes no new episode. One that
        ends with the reset leaves its place to the next."""
        if not self.ready or not self.listed or self.alias or self.liveness.cause is not None:
            return None
        if self.is_full() and not holds_the_last:
            return None
        return self.episodes - holds_the_last, not holds_the_last, self._occupied, self._placed

    def place(self, placement: int) -> None:
        self.episodes += 1
        self._placed = placement

    def release(self) -> None:
        self.episodes -= 1

    def has_room(self) -> None:
        """One of its episodes has ended."""
        self._full_until = 0.0

    def note_refusal(self, error: CodingEnvError) -> bool:
        """What it says to a new episode. True when another server may say something else."""
        if isinstance(error, ConnectError):
            self.ready, self.error = False, error
            return True
        if not isinstance(error, RefusedError):
            return False
        if error.reason == Reason.SHUTTING_DOWN:
            self.ready = False
            return True
        if error.reason == Reason.EPISODE_SERVER_GONE:
            # It is lost, or was asked for an episode of another's.
            return True
        if isinstance(error, BusyError) or error.retry_after is not None:
            pause = _FULL_SECONDS if error.retry_after is None else error.retry_after
            self._full_until = asyncio.get_running_loop().time() + pause
            return True
        return False

    async def look(self) -> None:
        """Asks it how it is."""
        try:
            ready, info = await asyncio.gather(self._ask_ready(), self._ask_info())
        except DeadlineError as error:
            silent = self.liveness.silent_for()
            # It may be busy with other calls.
            if silent is None or silent >= _LOOK_SECONDS:
                self.ready, self.error = False, error
        except CodingEnvError as error:
            self.ready, self.error = False, error
        else:
            self._learn(ready, info)

    def _learn(self, ready: bool, info: models.ServerInfo) -> None:
        process = (info.server_id, info.start_time)
        if self.process is not None and self.process != process:
            self.liveness.give_up("it was started again")
        self.process = process
        capacity, limit = info.capacity, info.server_limits.episodes
        if info.server_limits.default_step_timeout is not None:
            self._step_timeout = info.server_limits.default_step_timeout.total_seconds()
        self.ready, self.error = ready and not capacity.draining, None
        self._occupied = capacity.episodes / limit if limit else 0.0
        if capacity.episodes < limit:
            self._full_until = 0.0

    async def _ask_ready(self) -> bool:
        """A server that does not tell is taken for ready: a Reset will show."""
        try:
            answer = await self._ask("Health", details_pb.HealthCheckRequest(service="readiness"))
        except RefusedError:
            return True
        return bool(answer.status == _SERVING)

    async def _ask_info(self) -> models.ServerInfo:
        return _convert.server_info(await self._ask("GetServerInfo", pb.GetServerInfoRequest()))

    async def _ask(self, method: str, request: Any) -> Any:
        try:
            answer = await self._carry_out(Call(method, request, _LOOK_SECONDS, self._headers, False))
        except CodingEnvError as error:
            if self.liveness.cause is None:
                self.liveness.note(error)
            raise
        self.liveness.note(None)
        return answer

    def status(self) -> ServerStatus:
        if self.liveness.cause is not None or self.error is not None:
            standing = Standing.UNREACHABLE
        elif not self.ready:
            standing = Standing.NOT_READY
        else:
            standing = Standing.FULL if self.is_full() else Standing.READY
        server_id = self.process[0] if self.process else ""
        return ServerStatus(self.url, server_id, standing, self.episodes, self.error)

    async def end_sessions(self) -> None:
        """Ends its sessions, so that the server keeps nothing for them."""
        await asyncio.gather(*(lane.close() for lane in self._lanes))

    async def close(self) -> None:
        if self.liveness.cause is None:
            await self.end_sessions()
        await self._channel.close()


class Seat:
    """What one environment does on one server, and its place there."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.core = server.core()
        self._lane = server.next_lane()
        self._released = False

    async def run(self, flow: Flow[T]) -> T:
        """Carries out an operation of its core."""
        return await self.server.run(flow, self._lane)

    async def end(self) -> None:
        """Ends what it has, as far as that can be done now, and gives its place back."""
        try:
            if not self.core.is_empty and self.server.liveness.cause is None:
                await within(_END_SECONDS, self.run(self.core.close()))
                self.server.has_room()
        except (CodingEnvError, asyncio.TimeoutError):
            pass
        finally:
            if not self._released:
                self._released = True
                self.server.release()


def _is_cancelled() -> bool:
    """Whether the task itself was cancelled. CPython before 3.11 does not tell."""
    task: Any = asyncio.current_task()
    cancelling = getattr(task, "cancelling", None)
    return cancelling is not None and cancelling() > 0
