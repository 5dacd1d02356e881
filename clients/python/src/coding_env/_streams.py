"""A session on its streams, one after the other, for asyncio."""

from __future__ import annotations

import asyncio
from typing import Any, Callable, Optional, Tuple

import grpc
import grpc.aio

from ._core import SERVER_HEADER, Retry
from ._session import Done, SessionCore, Told
from .errors import CodingEnvError, ConnectError, Reason, RefusedError, from_rpc_error
from .options import Options
from .v1 import coding_env_pb2 as pb


def ended() -> CodingEnvError:
    return ConnectError("the session has ended")


def goes_on(error: CodingEnvError) -> bool:
    """Whether a new stream can take the session over."""
    return error._retryable and error.reason != Reason.SESSION_TAKEN_OVER


def metadata(options: Options, core: SessionCore) -> Tuple[Tuple[str, str], ...]:
    """What a stream is opened with."""
    headers = options.headers()
    return headers if core.server is None else headers + ((SERVER_HEADER, core.server),)


class Streams:
    """A session: ``run`` keeps it on a stream, and takes it over with a new one when that breaks. It belongs to the event loop in which it
    is made.

    Args:
        rpc: The RPC ``Session``.
        goes_on: Whether a session whose stream ended so is to be taken over.
    """

    def __init__(self, rpc: Any, options: Options, goes_on: Callable[[CodingEnvError], bool] = goes_on) -> None:
        self._rpc = rpc
        self._options = options
        self._goes_on = goes_on
        self._core = SessionCore()
        #: What goes to the stream that there is now; None ends it.
        self._outgoing: asyncio.Queue[Optional[pb.SessionRequest]] = asyncio.Queue()
        self._closing = False
        #: Why nothing can be asked any more.
        self._error: Optional[CodingEnvError] = None

    @property
    def id(self) -> str:
        return self._core.id

    @property
    def has_ended(self) -> bool:
        return self._error is not None

    def ask(self, done: Done, told: Optional[Told] = None, **request: Any) -> None:
        """Sends a request."""
        failed = self._error or (ended() if self._closing else None)
        if failed is not None:
            done(None, failed)
        else:
            self._outgoing.put_nowait(self._core.ask(done, told, **request))

    def close(self) -> None:
        """Ends the session, and its episodes."""
        self._closing = True
        self._outgoing.put_nowait(None)

    async def run(self) -> None:
        retry = Retry(self._options, self._options.deadline)
        error: Optional[CodingEnvError] = None
        try:
            while error is None:
                broken: CodingEnvError = ConnectError("the server can't be reached: the session's stream ended")
                call, writing = self._open()
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
                if not self._closing and self._goes_on(broken):
                    pause = retry.pause(broken.retry_after if isinstance(broken, RefusedError) else None)
                if pause is None:
                    error = ended() if self._closing else broken
                else:
                    await asyncio.sleep(pause)
        finally:
            self._error = error or ended()
            self._core.fail(self._error)

    def _open(self) -> Tuple[Any, "asyncio.Task[None]"]:
        outgoing = self._outgoing = asyncio.Queue()
        for request in self._core.begin():
            outgoing.put_nowait(request)
        if self._closing:
            outgoing.put_nowait(None)
        call = self._rpc(metadata=metadata(self._options, self._core))
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
