"""Many requests for many episodes on one stream, blocking callers' and asyncio's."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, AsyncIterator, Iterable, Iterator, List, Mapping, Optional, Tuple, Union

import grpc
import grpc.aio

from . import _channels, _convert, models
from ._convert import Seconds
from ._core import Retry
from ._files import Content, RemotePath
from ._session import PIECES_MAX, RESULTS, Fitting, SessionCore, Told, reset_request, step_request
from ._streams import Streams, ended, goes_on, metadata
from .errors import CodingEnvError, ConnectError, RefusedError, from_rpc_error
from .options import Options, parse_url
from .v1 import coding_env_pb2 as pb

if TYPE_CHECKING:
    from typing_extensions import Self


class SessionStep:
    """A step of a ``Session`` and what it prints: an iterator of pieces of output, as they are printed.

    A stream that breaks is taken over, and no piece comes twice. Who does not take them holds up nobody: past 64 that wait they are dropped, and
    the next one tells how many bytes (``dropped_bytes``). What was not told by the end comes from the result, as far as that has it whole.
    """

    def __init__(self) -> None:
        self._future: Future[models.StepResult] = Future()
        self._pieces: queue.SimpleQueue[Optional[models.OutputPiece]] = queue.SimpleQueue()
        self._fitting = Fitting()
        self._future.set_running_or_notify_cancel()
        self._future.add_done_callback(lambda _: self._pieces.put(None))

    def _told(self, piece: pb.OutputPiece) -> None:
        if self._pieces.qsize() < PIECES_MAX:
            self._pieces.put(_convert.output_piece(piece))

    def __iter__(self) -> Iterator[models.OutputPiece]:
        return self

    def __next__(self) -> models.OutputPiece:
        """Waits for the next piece. After the last it raises what ``result`` raises, if that does."""
        while True:
            piece = self._pieces.get()
            if piece is None:
                self._pieces.put(None)  # for whoever asks again
                untold = self._fitting.untold(self._future.result())
                if untold is not None:
                    return untold
                raise StopIteration
            fitting = self._fitting.fit(piece)
            if fitting is not None:
                return fitting

    def result(self, timeout: Optional[float] = None) -> models.StepResult:
        """What ``Session.step`` would have given; waits for it, so many seconds at most. Pieces may be taken before or after."""
        return self._future.result(timeout)


class AsyncSessionStep:
    """As ``SessionStep``, for ``async for``."""

    def __init__(self) -> None:
        self._future: asyncio.Future[models.StepResult] = asyncio.get_running_loop().create_future()
        self._pieces: asyncio.Queue[Optional[models.OutputPiece]] = asyncio.Queue()
        self._fitting = Fitting()
        self._future.add_done_callback(lambda _: self._pieces.put_nowait(None))

    def _told(self, piece: pb.OutputPiece) -> None:
        if self._pieces.qsize() < PIECES_MAX:
            self._pieces.put_nowait(_convert.output_piece(piece))

    def __aiter__(self) -> AsyncIterator[models.OutputPiece]:
        return self

    async def __anext__(self) -> models.OutputPiece:
        """See ``SessionStep.__next__``."""
        while True:
            piece = await self._pieces.get()
            if piece is None:
                self._pieces.put_nowait(None)  # for whoever asks again
                untold = self._fitting.untold(await self.result())
                if untold is not None:
                    return untold
                raise StopAsyncIteration
            fitting = self._fitting.fit(piece)
            if fitting is not None:
                return fitting

    async def result(self) -> models.StepResult:
        """See ``SessionStep.result``."""
        return await asyncio.shield(self._future)


class Session:
    """A session: the requests of many episodes on one stream. Each method returns a future at once.

    Requests that name the same episode are carried out in the order in which they were made; all others run side by side. When the stream
    breaks a new one takes the session over: nothing is carried out twice and no answer is lost, until ``deadline`` has passed without a
    connection. ``close`` (and the end of ``with``) ends the session and its episodes at once; ``detach`` lets them live on.

    Args:
        base_url: The server: ``http://HOST:PORT``, or ``https://HOST:PORT`` for TLS.
        options: See ``Options``.

    Raises:
        UrlError: The URL is none that can be connected to.
    """

    def __init__(self, base_url: str, options: Optional[Options] = None) -> None:
        self._options = options or Options()
        self._core = SessionCore()
        self._channel = _channels.channel_to(parse_url(base_url, self._options))
        self._rpc = _channels.rpcs(self._channel)["Session"]
        #: What goes to the stream that there is now; None ends it.
        self._outgoing: queue.SimpleQueue[Optional[pb.SessionRequest]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closing = False
        self._error: Optional[CodingEnvError] = None
        self._thread = threading.Thread(target=self._run, name="coding-env session", daemon=True)
        self._thread.start()

    @property
    def id(self) -> str:
        """Its id."""
        return self._core.id

    def reset(
        self,
        episode_id: str,
        *,
        seed: Optional[int] = None,
        runtime: str = "",
        limits: Optional[models.Limits] = None,
        environment: Optional[Mapping[str, str]] = None,
        network: models.Network = models.Network.UNSPECIFIED,
        files: Optional[Mapping[RemotePath, Content]] = None,
    ) -> "Future[models.ResetResult]":
        """Starts an episode, which ends with the session."""
        return self._ask("reset", reset_request(episode_id, seed, runtime, limits, environment, network, files))

    def step(
        self,
        episode_id: str,
        action: Union[models.CodeAction, str],
        *,
        step_index: Optional[int] = None,
        timeout: Optional[Seconds] = None,
        limits: Optional[models.StepLimits] = None,
        max_reply_bytes: Optional[int] = None,
        display_mime_types: Iterable[str] = (),
    ) -> "Future[models.StepResult]":
        """Runs a step."""
        return self._ask(
            "step", step_request(episode_id, action, step_index, timeout, limits, max_reply_bytes, display_mime_types)
        )

    def step_stream(
        self,
        episode_id: str,
        action: Union[models.CodeAction, str],
        *,
        step_index: Optional[int] = None,
        timeout: Optional[Seconds] = None,
        limits: Optional[models.StepLimits] = None,
        max_reply_bytes: Optional[int] = None,
        display_mime_types: Iterable[str] = (),
    ) -> SessionStep:
        """Runs a step, and tells what it prints while it runs: ``for piece in session.step_stream(…)``."""
        step = SessionStep()
        request = step_request(episode_id, action, step_index, timeout, limits, max_reply_bytes, display_mime_types)
        self._ask("step_stream", pb.StepStreamRequest(step=request), step._future, step._told)
        return step

    def state(self, episode_id: str) -> "Future[models.EpisodeState]":
        """The state of an episode."""
        return self._ask("get_state", pb.GetStateRequest(episode_id=episode_id))

    def interrupt(self, episode_id: str, step_index: Optional[int] = None) -> "Future[models.InterruptResult]":
        """Interrupts a running step, at once."""
        return self._ask("interrupt", pb.InterruptRequest(episode_id=episode_id, step_index=step_index))

    def end(self, episode_id: str) -> "Future[bool]":
        """Ends an episode; false if there was nothing to end."""
        return self._ask("close", pb.CloseRequest(episode_id=episode_id))

    def detach(self, *episode_ids: str) -> "Future[List[str]]":
        """Makes episodes independent of the session, all if none are named. Gives those that were its."""
        return self._ask("detach", pb.SessionDetach(episode_ids=episode_ids))

    def close(self) -> None:
        """Ends the session, and its episodes at once. What is not answered then fails. May be called again."""
        with self._lock:
            self._closing = True
            self._outgoing.put(None)
        self._thread.join()
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(
        self, kind: str, request: Any, future: "Optional[Future[Any]]" = None, told: Optional[Told] = None
    ) -> "Future[Any]":
        if future is None:
            future = Future()
            future.set_running_or_notify_cancel()
        answer = future

        def done(reply: Any, error: Optional[CodingEnvError]) -> None:
            if error is None:
                answer.set_result(RESULTS[kind](reply))
            else:
                answer.set_exception(error)

        with self._lock:
            failed = self._error or (ended() if self._closing else None)
            if failed is None:
                self._outgoing.put(self._core.ask(done, told, **{kind: request}))
        if failed is not None:
            future.set_exception(failed)
        return future

    def _run(self) -> None:
        retry = Retry(self._options, self._options.deadline)
        error: Optional[CodingEnvError] = None
        while error is None:
            try:
                for response in self._stream():
                    retry = Retry(self._options, self._options.deadline)
                    acknowledgement = self._core.take(response)
                    if acknowledgement is not None:
                        self._outgoing.put(acknowledgement)
                broken: CodingEnvError = ConnectError("the server can't be reached: the session's stream ended")
            except grpc.RpcError as caught:
                broken = from_rpc_error(caught)
            pause = None
            if not self._closing and goes_on(broken):
                pause = retry.pause(broken.retry_after if isinstance(broken, RefusedError) else None)
            if pause is None:
                error = ended() if self._closing else broken
            else:
                time.sleep(pause)
        with self._lock:
            self._error = error
        self._core.fail(error)

    def _stream(self) -> Any:
        """The responses of a new stream."""
        with self._lock:
            outgoing = self._outgoing = queue.SimpleQueue()
            for request in self._core.begin():
                outgoing.put(request)
            if self._closing:
                outgoing.put(None)
        requests: Iterator[pb.SessionRequest] = iter(outgoing.get, None)
        try:
            yield from self._rpc(requests, metadata=metadata(self._options, self._core))
        finally:
            # Lets the library's reader of the requests end.
            outgoing.put(None)


class AsyncSession:
    """As ``Session``, for asyncio: each method sends its request at once and returns an ``asyncio.Future``. It belongs to the event loop in which it
    is made. ``async with`` closes."""

    def __init__(self, base_url: str, options: Optional[Options] = None) -> None:
        options = options or Options()
        # Made here and not by the task: both belong to this event loop.
        self._channel = _channels.aio_channel_to(parse_url(base_url, options))
        self._streams = Streams(_channels.rpcs(self._channel)["Session"], options)
        self._task = asyncio.get_running_loop().create_task(self._run())

    @property
    def id(self) -> str:
        """Its id."""
        return self._streams.id

    def reset(
        self,
        episode_id: str,
        *,
        seed: Optional[int] = None,
        runtime: str = "",
        limits: Optional[models.Limits] = None,
        environment: Optional[Mapping[str, str]] = None,
        network: models.Network = models.Network.UNSPECIFIED,
        files: Optional[Mapping[RemotePath, Content]] = None,
    ) -> "asyncio.Future[models.ResetResult]":
        """See ``Session.reset``."""
        return self._ask("reset", reset_request(episode_id, seed, runtime, limits, environment, network, files))

    def step(
        self,
        episode_id: str,
        action: Union[models.CodeAction, str],
        *,
        step_index: Optional[int] = None,
        timeout: Optional[Seconds] = None,
        limits: Optional[models.StepLimits] = None,
        max_reply_bytes: Optional[int] = None,
        display_mime_types: Iterable[str] = (),
    ) -> "asyncio.Future[models.StepResult]":
        """See ``Session.step``."""
        return self._ask(
            "step", step_request(episode_id, action, step_index, timeout, limits, max_reply_bytes, display_mime_types)
        )

    def step_stream(
        self,
        episode_id: str,
        action: Union[models.CodeAction, str],
        *,
        step_index: Optional[int] = None,
        timeout: Optional[Seconds] = None,
        limits: Optional[models.StepLimits] = None,
        max_reply_bytes: Optional[int] = None,
        display_mime_types: Iterable[str] = (),
    ) -> AsyncSessionStep:
        """Runs a step, and tells what it prints while it runs: ``async for piece in session.step_stream(…)``."""
        step = AsyncSessionStep()
        request = step_request(episode_id, action, step_index, timeout, limits, max_reply_bytes, display_mime_types)
        self._ask("step_stream", pb.StepStreamRequest(step=request), step._future, step._told)
        return step

    def state(self, episode_id: str) -> "asyncio.Future[models.EpisodeState]":
        """See ``Session.state``."""
        return self._ask("get_state", pb.GetStateRequest(episode_id=episode_id))

    def interrupt(self, episode_id: str, step_index: Optional[int] = None) -> "asyncio.Future[models.InterruptResult]":
        """See ``Session.interrupt``."""
        return self._ask("interrupt", pb.InterruptRequest(episode_id=episode_id, step_index=step_index))

    def end(self, episode_id: str) -> "asyncio.Future[bool]":
        """See ``Session.end``."""
        return self._ask("close", pb.CloseRequest(episode_id=episode_id))

    def detach(self, *episode_ids: str) -> "asyncio.Future[List[str]]":
        """See ``Session.detach``."""
        return self._ask("detach", pb.SessionDetach(episode_ids=episode_ids))

    async def close(self) -> None:
        """See ``Session.close``."""
        self._streams.close()
        await self._task

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _ask(
        self, kind: str, request: Any, future: "Optional[asyncio.Future[Any]]" = None, told: Optional[Told] = None
    ) -> "asyncio.Future[Any]":
        if future is None:
            future = asyncio.get_running_loop().create_future()
        answer = future

        def done(reply: Any, error: Optional[CodingEnvError]) -> None:
            if answer.done():
                return  # who asked has cancelled it
            if error is None:
                answer.set_result(RESULTS[kind](reply))
            else:
                answer.set_exception(error)

        self._streams.ask(done, told, **{kind: request})
        return future

    async def _run(self) -> None:
        try:
            await self._streams.run()
        finally:
            await self._channel.close()
