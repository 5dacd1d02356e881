"""What a client does, without input and output.

Each operation is a generator. It yields a ``Call`` or a ``Pause``, is sent what came of it (or has the error thrown into it), and returns
its result. ``client.py`` carries them out with blocking calls, ``aio.py`` with awaits; so both do the same.

A retry never runs code twice: every Reset bears an id and a request id, every Step its index.
"""

from __future__ import annotations

import os
import random
import time
import uuid
from typing import Any, Callable, Generator, Iterable, Iterator, List, Mapping, Optional, Tuple, TypeVar, Union

from google.protobuf.message import Message

from . import _convert, models
from ._convert import Seconds
from ._liveness import Liveness
from .errors import CodingEnvError, ConnectError, NoEpisodeError, Reason, RefusedError
from .options import Options
from .v1 import coding_env_pb2 as pb

T = TypeVar("T")

#: The header that names the server which holds the episode: see "Routing" in the contract.
SERVER_HEADER = "x-coding-env-server"
EPISODE_HEADER = "x-episode-id"
#: How long a call may wait beyond the step's own timeout: for its turn, for the grace and for the network.
_CALL_SLACK_SECONDS = 60.0
#: How long a close tries, when the deadline is longer: what it can't end is left to the server's idle timeout.
_CLOSE_SECONDS = 10.0

#: Not the `random` module's own generator, whose state is the user's.
_random = random.SystemRandom()


class Call:
    """Send this."""

    __slots__ = ("in_order", "metadata", "method", "request", "timeout", "wants_server")

    def __init__(
        self,
        method: str,
        request: Message,
        timeout: float,
        metadata: Tuple[Tuple[str, str], ...],
        wants_server: bool,
        in_order: bool = False,
    ) -> None:
        self.method = method
        self.request = request
        self.timeout = timeout
        self.metadata = metadata
        #: Whether the reply is wanted as a pair: the message, and the value of the header SERVER_HEADER or None.
        self.wants_server = wants_server
        #: Whether it may wait for what was asked of its episode before, as it does in a session.
        self.in_order = in_order


class Open:
    """Send this, whose responses are many. What is wanted is the call, for `Receive`."""

    __slots__ = ("metadata", "method", "request", "timeout")

    def __init__(self, method: str, request: Message, timeout: float, metadata: Tuple[Tuple[str, str], ...]) -> None:
        self.method = method
        self.request = request
        self.timeout = timeout
        self.metadata = metadata


class Receive:
    """Wait for the next response of a call. What is wanted is that, or None after the last."""

    __slots__ = ("call",)

    def __init__(self, call: Any) -> None:
        self.call = call


class Emit:
    """Give this to the caller."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Upload:
    """Send these messages, and return the one that comes back."""

    __slots__ = ("messages", "metadata", "method", "timeout")

    def __init__(
        self,
        method: str,
        messages: Callable[[], Iterator[Message]],
        timeout: float,
        metadata: Tuple[Tuple[str, str], ...],
    ) -> None:
        self.method = method
        #: Begins them, which may be again.
        self.messages = messages
        self.timeout = timeout
        self.metadata = metadata

    def guarded(self, failed: List[BaseException]) -> Iterator[Message]:
        """The messages. What is raised while they are made is kept: the gRPC library only says that something was."""
        try:
            yield from self.messages()
        except GeneratorExit:
            raise
        except BaseException as error:
            failed.append(error)
            raise


class Download:
    """Send this, and give each message that comes back to `take`."""

    __slots__ = ("begin", "metadata", "method", "request", "take", "timeout")

    def __init__(
        self,
        method: str,
        request: Message,
        timeout: float,
        metadata: Tuple[Tuple[str, str], ...],
        begin: Callable[[], None],
        take: Callable[[Any], None],
    ) -> None:
        self.method = method
        self.request = request
        self.timeout = timeout
        self.metadata = metadata
        #: Called before the first message, which may be again.
        self.begin = begin
        self.take = take


class Pause:
    """Wait so many seconds."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


Command = Union[Call, Open, Receive, Emit, Upload, Download, Pause]
Flow = Generator[Command, Any, T]


def new_id() -> str:
    """A UUIDv7 (RFC 9562): the time in milliseconds, then chance. From the kernel, so that forks and seeds don't repeat it."""
    millis = time.time_ns() // 1_000_000 & (1 << 48) - 1
    chance = int.from_bytes(os.urandom(10), "big")
    value = millis << 80 | 0x7 << 76 | (chance >> 62 & 0xFFF) << 64 | 0x2 << 62 | chance & (1 << 62) - 1
    return str(uuid.UUID(int=value))


class _Episode:
    __slots__ = ("headers", "id", "made", "server", "steps", "unsure")

    def __init__(
        self, id: str, server: Optional[str], headers: Tuple[Tuple[str, str], ...], made: bool = False
    ) -> None:
        self.id = id
        self.server = server
        #: Whether its Reset was answered.
        self.made = made
        #: How many steps have run, as far as this client knows.
        self.steps = 0
        #: One more may have run, or may be running: its reply never came.
        self.unsure = False
        self.headers = (*headers, (EPISODE_HEADER, id))
        if server:
            self.headers += ((SERVER_HEADER, server),)


class Retry:
    """The tries of one call."""

    __slots__ = ("_end", "_max", "_next")

    def __init__(self, options: Options, deadline: float) -> None:
        self._end = time.monotonic() + deadline
        self._next = options.retry_first
        self._max = options.retry_max

    def left(self) -> float:
        """Seconds until the deadline."""
        return max(0.0, self._end - time.monotonic())

    def pause(self, asked: Optional[float]) -> Optional[float]:
        """How long to wait before the next try: as long as the server asked, or twice as long as before; spread at random, so that many
        clients don't come back at once. None when there is no time for another try."""
        pause = self._next if asked is None else asked
        self._next = min(self._next * 2, self._max)
        pause *= 0.5 + _random.random()
        return pause if pause < self.left() else None


class Core:
    """One environment: at most one episode at a time, on one server."""

    def __init__(self, options: Options, liveness: Optional[Liveness] = None) -> None:
        self.options = options
        #: In a pool: what tells that the server is gone. A Reset then is tried once, because another server may take it.
        self._liveness = liveness
        self._headers = options.headers()
        self._episode: Optional[_Episode] = None
        #: Episodes that a Reset may have made whose reply never came: ended with the next one, so that none is left over.
        self._unsure: List[_Episode] = []

    @property
    def episode_id(self) -> Optional[str]:
        return self._episode.id if self._episode else None

    @property
    def server_id(self) -> Optional[str]:
        return self._episode.server if self._episode else None

    def _current(self) -> _Episode:
        if self._episode is None:
            raise NoEpisodeError("there is no episode: reset first")
        return self._episode

    def reset(
        self,
        *,
        seed: Optional[int],
        runtime: str,
        limits: Optional[models.Limits],
        environment: Optional[Mapping[str, str]],
        network: models.Network,
        files: List[pb.ResetFile],
    ) -> Flow[models.ResetResult]:
        request = _convert.to_reset_request(
            seed=seed, runtime=runtime, limits=limits, environment=environment, network=network, files=files
        )
        previous = self._episode
        request.episode_id = new_id()
        request.request_id = new_id()
        request.previous_episode_id = previous.id if previous else ""
        episode = _Episode(request.episode_id, previous.server if previous else None, self._headers)
        retry = Retry(self.options, self.options.deadline)
        # A step that may yet run ends with its episode: it is not waited for.
        in_order = previous is None or not previous.unsure
        # Before the call, because it may be interrupted.
        self._unsure.append(episode)
        while True:
            try:
                response, server = yield from self._call("Reset", request, episode.headers, retry, True, in_order)
                break
            except RefusedError as error:
                if error.reason == Reason.EPISODE_SERVER_GONE and episode.server is not None:
                    # The server that held the episode before is gone, and that episode with it: any other will do.
                    self._settle(episode)
                    request.previous_episode_id = ""
                    episode = _Episode(episode.id, None, self._headers)
                    self._unsure.append(episode)
                    continue
                if not error._unsure:
                    self._settle(episode)
                raise
        self._settle(episode)
        self._episode = _Episode(episode.id, server or response.server_id, self._headers, made=True)
        yield from self._end_unsure()
        return _convert.reset_result(response)

    def step(
        self,
        action: Union[models.CodeAction, str],
        *,
        timeout: Optional[Seconds],
        limits: Optional[models.StepLimits],
        max_reply_bytes: Optional[int],
        display_mime_types: Iterable[str],
        on_failure: models.OnFailure,
        roll_back_outcomes: Iterable[models.Outcome],
    ) -> Flow[models.StepResult]:
        episode = self._current()
        request, retry = self._step_request(
            episode, action, timeout, limits, max_reply_bytes, display_mime_types, on_failure, roll_back_outcomes
        )
        first = episode.steps
        # The server tells where a step stands that this client knows nothing about: it was admitted, or dropped since.
        corrections = 2 if episode.unsure else 0
        while True:
            # Before the call, because it may be interrupted.
            episode.steps, episode.unsure = request.step_index, True
            try:
                response = yield from self._call("Step", request, episode.headers, retry, in_order=True)
            except CodingEnvError as error:
                expected = _expected_step(error)
                if corrections > 0 and expected is not None and expected - first in (0, 1):
                    corrections -= 1
                    request.step_index = expected
                    continue
                if isinstance(error, RefusedError) and error.reason == Reason.STEP_REPLY_DROPPED:
                    episode.steps, episode.unsure = request.step_index + 1, False
                else:
                    episode.unsure = error._unsure
                raise
            episode.steps, episode.unsure = response.step_index + 1, False
            return _convert.step_result(response)

    def step_stream(
        self,
        action: Union[models.CodeAction, str],
        *,
        timeout: Optional[Seconds],
        limits: Optional[models.StepLimits],
        max_reply_bytes: Optional[int],
        display_mime_types: Iterable[str],
        on_failure: models.OnFailure,
        roll_back_outcomes: Iterable[models.Outcome],
    ) -> Flow[models.StepResult]:
        """As ``step``, and emits each piece of output once, also when the connection breaks in between."""
        episode = self._current()
        step, retry = self._step_request(
            episode, action, timeout, limits, max_reply_bytes, display_mime_types, on_failure, roll_back_outcomes
        )
        request = pb.StepStreamRequest(step=step)
        first = episode.steps
        corrections = 2 if episode.unsure else 0
        unsure = False
        while True:
            # Before the call, because it may be interrupted.
            episode.steps, episode.unsure = request.step.step_index, True
            try:
                call = yield Open("StepStream", request, retry.left(), episode.headers)
                response = yield from self._receive(call, request)
            except CodingEnvError as error:
                expected = _expected_step(error)
                if corrections > 0 and expected is not None and expected - first in (0, 1):
                    corrections -= 1
                    request.step.step_index = expected
                    continue
                unsure = unsure or error._unsure
                if error._retryable:
                    pause = retry.pause(error.retry_after if isinstance(error, RefusedError) else None)
                    if pause is not None:
                        yield Pause(pause)
                        continue
                if isinstance(error, RefusedError) and error.reason == Reason.STEP_REPLY_DROPPED:
                    episode.steps, episode.unsure = request.step.step_index + 1, False
                else:
                    episode.unsure = unsure
                raise
            episode.steps, episode.unsure = response.step_index + 1, False
            return _convert.step_result(response)

    @staticmethod
    def _receive(call: Any, request: pb.StepStreamRequest) -> Flow[pb.StepResponse]:
        """Emits the pieces of a call, and notes them in the request, so that a retry goes on after them."""
        while True:
            response = yield Receive(call)
            if response is None:
                raise ConnectError("the server can't be reached: the stream ended before the reply")
            event = response.WhichOneof("event")
            if event == "reply":
                return response.reply  # type: ignore[no-any-return]
            if event != "piece":
                continue
            piece = _convert.output_piece(response.piece)
            end = piece.offset + len(piece.data)
            if piece.stream is models.OutputStream.STDERR:
                request.stderr_offset = end
            else:
                request.stdout_offset = end
            yield Emit(piece)

    def _step_request(
        self,
        episode: _Episode,
        action: Union[models.CodeAction, str],
        timeout: Optional[Seconds],
        limits: Optional[models.StepLimits],
        max_reply_bytes: Optional[int],
        display_mime_types: Iterable[str],
        on_failure: models.OnFailure,
        roll_back_outcomes: Iterable[models.Outcome],
    ) -> Tuple[pb.StepRequest, Retry]:
        deadline = self.options.deadline
        if timeout is not None:
            deadline = max(deadline, _convert.to_seconds(timeout) + _CALL_SLACK_SECONDS)
        request = pb.StepRequest(
            episode_id=episode.id,
            action=pb.CodeAction(code=action if isinstance(action, str) else action.code),
            step_index=episode.steps,
            timeout=_convert.to_duration(timeout),
            limits=_convert.to_step_limits(limits),
            max_reply_bytes=max_reply_bytes,
            display_mime_types=display_mime_types,
            on_failure=int(on_failure),  # type: ignore[arg-type]
            roll_back_outcomes=[int(outcome) for outcome in roll_back_outcomes],  # type: ignore[misc]
        )
        return request, Retry(self.options, deadline)

    def copy_call(self, method: str, make: Callable[[str, Optional[int]], Message]) -> Flow[Any]:
        """Sends a request about copies. `make` makes it of the episode's id and how many steps have run, if that is sure."""
        episode = self._current()
        request = make(episode.id, None if episode.unsure else episode.steps)
        return (yield from self._call(method, request, episode.headers, self._retry()))

    def unsure_children(self, ids: Iterable[str]) -> List[_Episode]:
        """Notes children that a fork may have made: they are ended with the next reset or close, unless the reply comes."""
        server = self._current().server
        children = [_Episode(id, server, self._headers) for id in ids]
        self._unsure += children
        return children

    def settle_children(self, children: Iterable[_Episode]) -> None:
        for child in children:
            self._settle(child)

    def of_child(self, id: str, step_count: int) -> "Core":
        """The core of a child's environment."""
        core = Core(self.options, self._liveness)
        core._episode = _Episode(id, self._current().server, self._headers)
        core._episode.steps = step_count
        return core

    def state(self) -> Flow[models.EpisodeState]:
        episode = self._current()
        request = pb.GetStateRequest(episode_id=episode.id)
        response = yield from self._call("GetState", request, episode.headers, self._retry())
        return _convert.episode_state(response)

    def interrupt(self, step_index: Optional[int]) -> Flow[models.InterruptResult]:
        episode = self._current()
        request = pb.InterruptRequest(episode_id=episode.id, step_index=step_index)
        response = yield from self._call("Interrupt", request, episode.headers, self._retry())
        return _convert.interrupt_result(response)

    def server_info(self) -> Flow[models.ServerInfo]:
        headers = self._episode.headers if self._episode else self._headers
        response = yield from self._call("GetServerInfo", pb.GetServerInfoRequest(), headers, self._retry())
        return _convert.server_info(response)

    def current_id(self) -> str:
        return self._current().id

    def files_call(self, make: Callable[[float, Tuple[Tuple[str, str], ...]], Command]) -> Flow[Any]:
        """Moves files. `make` makes the command for each try, from its timeout and headers."""
        episode = self._current()
        headers = episode.headers
        retry = self._retry()
        return (yield from self._again(lambda: make(retry.left(), headers), retry, episode.id))

    def file_unary(self, method: str, request: Message) -> Flow[Any]:
        return (yield from self._call(method, request, self._current().headers, self._retry()))

    def close(self) -> Flow[bool]:
        episode, self._episode = self._episode, None
        yield from self._end_unsure()
        if episode is None:
            return False
        return (yield from self._end(episode))

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to end."""
        return self._episode is None and not self._unsure

    def adopt(self, other: "Core") -> None:
        """Takes over what another one has to end."""
        self._unsure += other._unsure
        if other._episode is not None:
            self._unsure.append(other._episode)
        other.forget()

    def forget(self) -> None:
        """As after a close, when the server has ended and everything with it."""
        self._episode = None
        self._unsure.clear()

    def _settle(self, episode: _Episode) -> None:
        """It is known what became of it. A close in another thread may have come first."""
        if episode in self._unsure:
            self._unsure.remove(episode)

    def _end_unsure(self) -> Flow[None]:
        """Ends what lost Resets may have made. What can't be ended now is left to the next time, or to the server's idle timeout."""
        while self._unsure:
            episode = self._unsure[-1]
            try:
                yield from self._end(episode)
            except CodingEnvError as error:
                if error._unsure:
                    return
            self._settle(episode)

    def _end(self, episode: _Episode) -> Flow[bool]:
        request = pb.CloseRequest(episode_id=episode.id)
        retry = Retry(self.options, min(self.options.deadline, _CLOSE_SECONDS))
        try:
            # It must not pass a Reset that nobody waits for any more.
            response = yield from self._call("Close", request, episode.headers, retry, in_order=not episode.made)
        except RefusedError as error:
            if error.reason == Reason.EPISODE_SERVER_GONE:
                return False
            raise
        return bool(response.closed)

    def _retry(self) -> Retry:
        return Retry(self.options, self.options.deadline)

    def _call(
        self,
        method: str,
        request: Message,
        headers: Tuple[Tuple[str, str], ...],
        retry: Retry,
        wants_server: bool = False,
        in_order: bool = False,
    ) -> Flow[Any]:
        """Sends a request until it is answered, refused, or the deadline has passed. Every request can be sent again: see the module."""
        episode_id = getattr(request, "episode_id", "")
        make = lambda: Call(method, request, retry.left(), headers, wants_server, in_order)  # noqa: E731
        return (yield from self._again(make, retry, episode_id, is_reset=method == "Reset"))

    def _again(self, make: Callable[[], Command], retry: Retry, episode_id: str, is_reset: bool = False) -> Flow[Any]:
        liveness = self._liveness
        while True:
            try:
                if liveness is None:
                    return (yield make())
                liveness.check(episode_id)
                reply = yield make()
                liveness.note(None)
                return reply
            except CodingEnvError as error:
                if liveness is not None and liveness.cause is None:
                    liveness.note(error)
                    if is_reset:
                        raise
                    liveness.check(episode_id)
                if not error._retryable:
                    raise
                asked = error.retry_after if isinstance(error, RefusedError) else None
                pause = retry.pause(asked)
                if pause is None:
                    raise
            yield Pause(pause)


def _expected_step(error: CodingEnvError) -> Optional[int]:
    """The index that the server expects, when a step was out of order."""
    if isinstance(error, RefusedError) and error.reason == Reason.STEP_OUT_OF_ORDER:
        expected = error.metadata.get("expected", "")
        return int(expected) if expected.isdecimal() else None
    return None


def server_of(headers: Optional[Iterable[Any]]) -> Optional[str]:
    """The server that a reply's headers name."""
    for name, value in headers or ():
        if name == SERVER_HEADER:
            return str(value)
    return None
