"""Many requests for many episodes on one stream, blocking callers' and asyncio's."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Iterator, List, Mapping, Optional, Tuple, Union

import grpc
import grpc.aio

from . import _channels, models
from ._convert import Seconds
from ._core import SERVER_HEADER, Retry
from ._files import Content, RemotePath
from ._session import SessionCore, reset_request, step_request
from .errors import CodingEnvError, ConnectError, Reason, RefusedError, from_rpc_error
from .options import Options, parse_url
from .v1 import coding_env_pb2 as pb

if TYPE_CHECKING:
    from typing_extensions import Self


def _ended() -> CodingEnvError:
    return ConnectError("the session has ended")


def _goes_on(error: CodingEnvError) -> bool:
    """Whether a new stream can take the session over."""
    return error._retryable and error.reason != Reason.SESSION_TAKEN_OVER


class _Requests:
    """What both kinds of session ask, and how. ``_ask`` sends it and returns what the answer will be in."""

    _core: SessionCore
    _options: Options

    def _metadata(self) -> Tuple[Tuple[str, str], ...]:
        metadata = self._options.headers()
        if self._core.server is not None:
            metadata += ((SERVER_HEADER, self._core.server),)
        return metadata

    @property
    def id(self) -> str:
        """Its id."""
        return self._core.id


class Session(_Requests):
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
        return self._ask(reset=reset_request(episode_id, seed, runtime, limits, environment, network, files))

    def step(
        self,
        episode_id: str,
        action: Union[models.CodeAction, str],
        *,
        step_index: Optional[int] = None,
        timeout: Optional[Seconds] = None,
        limits: Optional[models.StepLimits] = None,
        max_reply_bytes: Optional[int] = None,
    ) -> "Future[models.StepResult]":
        """Runs a step."""
        return self._ask(step=step_request(episode_id, action, step_index, timeout, limits, max_reply_bytes))

    def state(self, episode_id: str) -> "Future[models.EpisodeState]":
        """The state of an episode."""
        return self._ask(get_state=pb.GetStateRequest(episode_id=episode_id))

    def interrupt(self, episode_id: str, step_index: Optional[int] = None) -> "Future[models.InterruptResult]":
        """Interrupts a running step, at once."""
        return self._ask(interrupt=pb.InterruptRequest(episode_id=episode_id, step_index=step_index))

    def end(self, episode_id: str) -> "Future[bool]":
        """Ends an episode; false if there was nothing to end."""
        return self._ask(close=pb.CloseRequest(episode_id=episode_id))

    def detach(self, *episode_ids: str) -> "Future[List[str]]":
        """Makes episodes independent of the session, all if none are named. Gives those that were its."""
        return self._ask(detach=pb.SessionDetach(episode_ids=episode_ids))

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

    def _ask(self, **request: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()

        def done(result: Any, error: Optional[CodingEnvError]) -> None:
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        with self._lock:
            if self._error is not None or self._closing:
                future.set_exception(self._error or _ended())
            else:
                self._outgoing.put(self._core.ask(done, **request))
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
            if not self._closing and _goes_on(broken):
                pause = retry.pause(broken.retry_after if isinstance(broken, RefusedError) else None)
            if pause is None:
                error = _ended() if self._closing else broken
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
            yield from self._rpc(requests, metadata=self._metadata())
        finally:
            # Lets the library's reader of the requests end.
            outgoing.put(None)


class AsyncSession(_Requests):
    """As ``Session``, for asyncio: each method sends its request at once and returns an ``asyncio.Future``. It belongs to the event loop in which it
    is made. ``async with`` closes."""

    def __init__(self, base_url: str, options: Optional[Options] = None) -> None:
        self._options = options or Options()
        self._core = SessionCore()
        self._target = parse_url(base_url, self._options)
        self._outgoing: asyncio.Queue[Optional[pb.SessionRequest]] = asyncio.Queue()
        self._closing = False
        self._error: Optional[CodingEnvError] = None
        self._task = asyncio.get_running_loop().create_task(self._run())

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
        return self._ask(reset=reset_request(episode_id, seed, runtime, limits, environment, network, files))

    def step(
        self,
        episode_id: str,
        action: Union[models.CodeAction, str],
        *,
        step_index: Optional[int] = None,
        timeout: Optional[Seconds] = None,
        limits: Optional[models.StepLimits] = None,
        max_reply_bytes: Optional[int] = None,
    ) -> "asyncio.Future[models.StepResult]":
        """See ``Session.step``."""
        return self._ask(step=step_request(episode_id, action, step_index, timeout, limits, max_reply_bytes))

    def state(self, episode_id: str) -> "asyncio.Future[models.EpisodeState]":
        """See ``Session.state``."""
        return self._ask(get_state=pb.GetStateRequest(episode_id=episode_id))

    def interrupt(self, episode_id: str, step_index: Optional[int] = None) -> "asyncio.Future[models.InterruptResult]":
        """See ``Session.interrupt``."""
        return self._ask(interrupt=pb.InterruptRequest(episode_id=episode_id, step_index=step_index))

    def end(self, episode_id: str) -> "asyncio.Future[bool]":
        """See ``Session.end``."""
        return self._ask(close=pb.CloseRequest(episode_id=episode_id))

    def detach(self, *episode_ids: str) -> "asyncio.Future[List[str]]":
        """See ``Session.detach``."""
        return self._ask(detach=pb.SessionDetach(episode_ids=episode_ids))

    async def close(self) -> None:
        """See ``Session.close``."""
        self._closing = True
        self._outgoing.put_nowait(None)
        await self._task

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _ask(self, **request: Any) -> "asyncio.Future[Any]":
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def done(result: Any, error: Optional[CodingEnvError]) -> None:
            if future.done():
                return  # who asked has cancelled it
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        if self._error is not None or self._closing:
            future.set_exception(self._error or _ended())
        else:
            self._outgoing.put_nowait(self._core.ask(done, **request))
        return future

    async def _run(self) -> None:
        channel = _channels.aio_channel_to(self._target)
        retry = Retry(self._options, self._options.deadline)
        error: Optional[CodingEnvError] = None
        try:
            rpc = _channels.rpcs(channel)["Session"]
            while error is None:
                broken: CodingEnvError = ConnectError("the server can't be reached: the session's stream ended")
                call, writing = self._stream(rpc)
                try:
                    while True:
                        response = await call.read()
                        if response is grpc.aio.EOF:  # type: ignore[attr-defined]
                            break
                        retry = Retry(self._options, self._options.deadline)
                        acknowledgement = self._core.take(response)
                        if acknowledgement is not None:
                            self._outgoing.put_nowait(acknowledgement)
                except grpc.RpcError as caught:
                    broken = from_rpc_error(caught)
                finally:
                    writing.cancel()
                    call.cancel()
                pause = None
                if not self._closing and _goes_on(broken):
                    pause = retry.pause(broken.retry_after if isinstance(broken, RefusedError) else None)
                if pause is None:
                    error = _ended() if self._closing else broken
                else:
                    await asyncio.sleep(pause)
        finally:
            self._error = error or _ended()
            self._core.fail(self._error)
            await channel.close()

    def _stream(self, rpc: Any) -> Tuple[Any, "asyncio.Task[None]"]:
        outgoing = self._outgoing = asyncio.Queue()
        for request in self._core.begin():
            outgoing.put_nowait(request)
        if self._closing:
            outgoing.put_nowait(None)
        call = rpc(metadata=self._metadata())
        return call, asyncio.get_running_loop().create_task(_write(call, outgoing))


async def _write(call: Any, outgoing: "asyncio.Queue[Optional[pb.SessionRequest]]") -> None:
    """Writes requests until the stream breaks, which its reader is told."""
    try:
        while True:
            request = await outgoing.get()
            if request is None:
                await call.done_writing()
                return
            await call.write(request)
    except (grpc.RpcError, asyncio.InvalidStateError):
        return
