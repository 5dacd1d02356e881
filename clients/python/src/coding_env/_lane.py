"""The streams that carry the resets and steps of a pool's episodes to one server. For asyncio.

A lane is a session that is opened when it is first needed, and anew when it has failed. What it can't carry goes as a call of its own, as does all
else: in a session a request waits for those before it that name its episode, and a close or a look at the state must not wait for a step. Only the
close of an episode whose Reset was given up goes over it as well, because it must not pass that.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Optional

import grpc

from ._core import Call
from ._liveness import Liveness
from ._streams import Streams, goes_on
from ._within import within
from .errors import CodingEnvError, DeadlineError, Reason, RefusedError
from .options import Options

#: How long a server that took no session is not asked for one, in seconds.
_NONE_SECONDS = 30.0
#: How long a server may take to end a session that is closed, in seconds. It ends by itself after the server's `session_grace`.
_CLOSE_SECONDS = 5.0
#: The names of requests in a session, by those of the calls that a lane carries.
_KINDS = {"Reset": "reset", "Step": "step", "Close": "close"}


class Lane:
    """A session of a pool's."""

    def __init__(self, rpc: Any, options: Options, liveness: Liveness) -> None:
        self._rpc = rpc
        self._options = options
        self._liveness = liveness
        self._streams: Optional[Streams] = None
        self._running: Optional["asyncio.Task[None]"] = None
        #: Until when the server is not asked for one, by the event loop's clock.
        self._none_until = 0.0

    def carries(self, call: Call, step_timeout: float) -> bool:
        """Whether it can carry a call. `step_timeout` is the server's, in seconds, of a step whose timeout nobody tells."""
        if not call.in_order or self._liveness.cause is not None:
            return False
        if call.method == "Step" and not call.request.HasField("timeout") and self._options.deadline <= step_timeout:
            return False  # the server fits that to the deadline of a call, and there is none in a session
        return asyncio.get_running_loop().time() >= self._none_until

    async def ask(self, call: Call) -> Any:
        """The reply; None when the server takes no session: then it has not heard of this."""
        loop = asyncio.get_running_loop()
        future: "asyncio.Future[Any]" = loop.create_future()

        def done(reply: Any, error: Optional[CodingEnvError]) -> None:
            if future.done():
                return  # nobody waits any more
            if error is None:
                future.set_result(reply)
            else:
                future.set_exception(error)

        request: Any = {_KINDS[call.method]: call.request}
        self._open().ask(done, **request)
        expiring = loop.call_later(call.timeout, done, None, DeadlineError("the deadline passed before the reply was there"))
        try:
            return await future
        except RefusedError as error:
            if error.reason != Reason.SESSION_LIMIT and error.code is not grpc.StatusCode.UNIMPLEMENTED:
                raise
            self._none_until = loop.time() + _NONE_SECONDS
            return None
        finally:
            expiring.cancel()

    def _open(self) -> Streams:
        if self._streams is None or self._streams.has_ended:
            self._streams = Streams(self._rpc, self._options, self._goes_on)
            self._running = asyncio.ensure_future(self._streams.run())
        return self._streams

    def _goes_on(self, error: CodingEnvError) -> bool:
        if self._liveness.cause is not None:
            return False
        self._liveness.note(error)
        if error.reason == Reason.EPISODE_SERVER_GONE:
            # Whoever answers there now knows nothing of its episodes.
            self._liveness.give_up("another server answers there")
        return error.reason != Reason.SESSION_LIMIT and goes_on(error)

    def end(self) -> None:
        """Ends it at once: its server is lost."""
        if self._running is not None:
            self._running.cancel()

    async def close(self) -> None:
        """Ends the session, and what is left of its episodes."""
        if self._streams is None or self._running is None or self._running.done():
            return
        self._streams.close()
        with contextlib.suppress(asyncio.TimeoutError, asyncio.CancelledError):
            await within(_CLOSE_SECONDS, self._running)
