"""What a session is, without input and output: which requests have no answer, what a new stream has to say, and what is new of its output."""

from __future__ import annotations

import threading
from typing import Any, Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Union

from . import _convert, models
from ._convert import Seconds
from ._core import new_id
from ._files import Content, RemotePath, first_files
from .errors import CodingEnvError, from_message
from .v1 import coding_env_pb2 as pb

#: After how many answers the server is told that they have come, when there is no request to tell it by.
_ACKNOWLEDGE_EVERY = 64

#: Pieces of output of one step that wait to be taken, at the most. Past it they are dropped, which the next one tells.
PIECES_MAX = 64

#: What makes a result of a reply, by the name of the request.
RESULTS: Mapping[str, Callable[[Any], Any]] = {
    "reset": _convert.reset_result,
    "step": _convert.step_result,
    "step_stream": _convert.step_result,
    "get_state": _convert.episode_state,
    "interrupt": _convert.interrupt_result,
    "close": lambda reply: bool(reply.closed),
    "detach": lambda reply: list(reply.episode_ids),
}


#: Called with the reply and None, or None and the error.
Done = Callable[[Any, Optional[CodingEnvError]], None]
#: Called with each piece of a step's output.
Told = Callable[[pb.OutputPiece], None]


class _Pending(NamedTuple):
    request: pb.SessionRequest
    done: Done
    told: Optional[Told]


class SessionCore:
    """The requests and answers of a session. Its methods may be called from several threads."""

    def __init__(self) -> None:
        self.id = new_id()
        #: The server that holds it, once it is open.
        self.server: Optional[str] = None
        self._lock = threading.Lock()
        # The opening request's is 1.
        self._last_id = 1
        self._pending: Dict[int, _Pending] = {}
        self._received = 0
        self._unacknowledged = 0

    def begin(self) -> List[pb.SessionRequest]:
        """What a new stream has to say first: which session, and all that has no answer."""
        with self._lock:
            first = pb.SessionRequest(id=1, received=self._received, open=pb.SessionOpen(session_id=self.id))
            return [first, *(pending.request for pending in self._pending.values())]

    def ask(self, done: Done, told: Optional[Told] = None, **request: Any) -> pb.SessionRequest:
        """A request, whose reply `done` gets, and its output `told`."""
        with self._lock:
            self._last_id += 1
            message = pb.SessionRequest(id=self._last_id, received=self._received, **request)
            self._unacknowledged = 0
            self._pending[self._last_id] = _Pending(message, done, told)
            return message

    def take(self, response: pb.SessionResponse) -> Optional[pb.SessionRequest]:
        """Hands an answer over. Returns what is to be said to the server, if anything."""
        kind = response.WhichOneof("response")
        if kind == "open":
            with self._lock:
                self.server = response.open.server_id
                if not response.open.resumed:
                    # It was forgotten: another one begins, with numbers of its own.
                    self._received = self._unacknowledged = 0
            return None
        if kind == "step_stream" and response.step_stream.WhichOneof("event") != "reply":
            pending = self._pending.get(response.id)
            if pending is not None and pending.told is not None and response.step_stream.HasField("piece"):
                pending.told(response.step_stream.piece)
            return None
        with self._lock:
            if response.number:
                if response.number <= self._received:
                    return None  # it came before
                self._received = response.number
                self._unacknowledged += 1
            pending = self._pending.pop(response.id, None)
            acknowledgement = None
            if self._unacknowledged >= _ACKNOWLEDGE_EVERY:
                self._unacknowledged = 0
                acknowledgement = pb.SessionRequest(received=self._received)
        if pending is not None:
            if kind == "error":
                pending.done(None, from_message(response.error))
            elif kind == "step_stream":
                pending.done(response.step_stream.reply, None)
            else:
                pending.done(getattr(response, kind or ""), None)
        return acknowledgement

    def fail(self, error: CodingEnvError) -> None:
        """Nothing is answered any more."""
        with self._lock:
            pending, self._pending = self._pending, {}
        for each in pending.values():
            each.done(None, error)


class Fitting:
    """What is new of the pieces of one step: a stream that takes a session over tells output again, and some may have been dropped; when the
    step ended while its stream was broken, the last ones never come."""

    def __init__(self) -> None:
        self._at: Dict[models.OutputStream, int] = {}

    def fit(self, piece: models.OutputPiece) -> Optional[models.OutputPiece]:
        at = self._at.get(piece.stream, 0)
        known = max(0, at - piece.offset)
        if known >= len(piece.data):
            return None
        offset, data = piece.offset + known, piece.data[known:]
        self._at[piece.stream] = offset + len(data)
        return models.OutputPiece(stream=piece.stream, offset=offset, data=data, dropped_bytes=offset - at)

    def untold(self, result: models.StepResult) -> Optional[models.OutputPiece]:
        """The next part of what was not told, where the result has the output as it was written."""
        shown, observed = result.observation, result.observed
        for stream, text, total_bytes in (
            (models.OutputStream.STDOUT, shown.stdout, observed.stdout_total_bytes),
            (models.OutputStream.STDERR, shown.stderr, observed.stderr_total_bytes),
        ):
            data = text.encode("utf-8", "replace")
            if len(data) == total_bytes and "\ufffd" not in text:
                piece = self.fit(models.OutputPiece(stream=stream, offset=0, data=data))
                if piece is not None:
                    return piece
        return None


def step_request(
    episode_id: str,
    action: Union[models.CodeAction, str],
    step_index: Optional[int],
    timeout: Optional[Seconds],
    limits: Optional[models.StepLimits],
    max_reply_bytes: Optional[int],
    display_mime_types: Iterable[str],
) -> pb.StepRequest:
    return pb.StepRequest(
        episode_id=episode_id,
        action=pb.CodeAction(code=action if isinstance(action, str) else action.code),
        step_index=step_index,
        timeout=_convert.to_duration(timeout),
        limits=_convert.to_step_limits(limits),
        max_reply_bytes=max_reply_bytes,
        display_mime_types=display_mime_types,
    )


def reset_request(
    episode_id: str,
    seed: Optional[int],
    runtime: str,
    limits: Optional[models.Limits],
    environment: Optional[Mapping[str, str]],
    network: models.Network,
    files: Optional[Mapping[RemotePath, Content]],
) -> pb.ResetRequest:
    request = _convert.to_reset_request(
        seed=seed,
        runtime=runtime,
        limits=limits,
        environment=environment,
        network=network,
        files=first_files(files),
    )
    request.episode_id = episode_id
    request.request_id = new_id()
    return request
