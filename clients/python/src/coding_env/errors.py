"""What can go wrong, as exceptions. What the code of a step does is no error: see ``StepResult.outcome``."""

from __future__ import annotations

import enum
from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional, Sequence, Tuple, Type

import grpc
from google.protobuf.message import DecodeError, Message

from . import _details_pb2 as details_pb
from .models import FileFailure


class Reason(str, enum.Enum):
    """The reasons of the contract, and the client's own. A member is equal to its text."""

    #: The request does not make sense; ``RefusedError.violations`` tells what.
    INVALID_FIELD = "INVALID_FIELD"
    #: There is no such episode.
    EPISODE_NOT_FOUND = "EPISODE_NOT_FOUND"
    #: It was closed.
    EPISODE_CLOSED = "EPISODE_CLOSED"
    #: It was idle for too long.
    EPISODE_EXPIRED = "EPISODE_EXPIRED"
    #: It was held by another server.
    EPISODE_SERVER_GONE = "EPISODE_SERVER_GONE"
    #: The id is in use.
    EPISODE_EXISTS = "EPISODE_EXISTS"
    #: Its interpreter is gone.
    EPISODE_LOST = "EPISODE_LOST"
    #: The step's index does not fit.
    STEP_OUT_OF_ORDER = "STEP_OUT_OF_ORDER"
    #: The step has run, and its reply was dropped.
    STEP_REPLY_DROPPED = "STEP_REPLY_DROPPED"
    #: The episode ended while the step ran or was queued.
    EPISODE_ENDED = "EPISODE_ENDED"
    #: As many episodes as the server holds.
    EPISODE_LIMIT = "EPISODE_LIMIT"
    #: As many steps as may wait for a turn.
    STEP_LIMIT = "STEP_LIMIT"
    #: As many steps as may be queued in an episode.
    STEP_QUEUE_FULL = "STEP_QUEUE_FULL"
    #: Another stream has opened the session.
    SESSION_TAKEN_OVER = "SESSION_TAKEN_OVER"
    #: As many sessions as the server holds.
    SESSION_LIMIT = "SESSION_LIMIT"
    #: As many calls that move files as may wait for a turn.
    FILES_LIMIT = "FILES_LIMIT"
    #: Nothing was sent or taken for too long in a call that moves files.
    FILES_STALLED = "FILES_STALLED"
    #: Files can't be worked with, or one of a reset can't be written.
    FILES_REFUSED = "FILES_REFUSED"
    #: The episode has something that can't be copied, or the host can't do it.
    FORK_UNSUPPORTED = "FORK_UNSUPPORTED"
    #: The episode's files are more than are copied.
    FORK_TOO_LARGE = "FORK_TOO_LARGE"
    #: A copy of a copy too many.
    FORK_DEPTH_LIMIT = "FORK_DEPTH_LIMIT"
    #: The host was short of something for a copy, or copies break as they are made.
    FORK_FAILED = "FORK_FAILED"
    #: There is no such checkpoint.
    CHECKPOINT_NOT_FOUND = "CHECKPOINT_NOT_FOUND"
    #: There is a checkpoint of this name.
    CHECKPOINT_EXISTS = "CHECKPOINT_EXISTS"
    #: No room for a checkpoint.
    CHECKPOINT_LIMIT = "CHECKPOINT_LIMIT"
    #: No interpreter became ready in time.
    NO_WORKER = "NO_WORKER"
    #: The server is shutting down.
    SHUTTING_DOWN = "SHUTTING_DOWN"
    #: The token is missing, wrong or expired.
    TOKEN_INVALID = "TOKEN_INVALID"
    #: The deadline passed.
    DEADLINE = "DEADLINE"
    #: A fault of the server.
    INTERNAL = "INTERNAL"
    #: The client's own: the server can't be reached.
    CONNECT = "CONNECT"
    #: The client's own: the URL is none.
    URL = "URL"
    #: The client's own: there is no episode.
    NO_EPISODE = "NO_EPISODE"
    #: The client's own: something went wrong with some files of a call.
    FILES = "FILES"
    #: The client's own: a container can't be had.
    DOCKER = "DOCKER"

    def __str__(self) -> str:
        return self.value


class Violation(NamedTuple):
    """What is wrong with one field of a request."""

    #: The field, as the contract names it: ``limits.memory_bytes``.
    field: str
    #: What would be right.
    description: str


class CodingEnvError(Exception):
    """Every error of this package.

    Attributes:
        reason: Why: a ``Reason``, or the text of one that this package does not know. Empty when there is none.
    """

    reason: str = ""
    #: Whether the same call may be sent again by itself.
    _retryable = False
    #: Whether what was asked for may have been done, or be done yet.
    _unsure = False


class UrlError(CodingEnvError, ValueError):
    """The URL is none that can be connected to."""

    reason = Reason.URL


class NoEpisodeError(CodingEnvError):
    """There is no episode: reset first."""

    reason = Reason.NO_EPISODE


class DeadlineError(CodingEnvError, TimeoutError):
    """The deadline passed, here or at the server. A step may have run, or run still: the same code again gets its reply, and other
    code runs after it."""

    reason = Reason.DEADLINE
    _unsure = True


class ConnectError(CodingEnvError, ConnectionError):
    """The connection broke, and stayed broken until the deadline. What holds for a step after a ``DeadlineError`` holds here too."""

    reason = Reason.CONNECT
    _retryable = True
    _unsure = True


class DockerError(CodingEnvError):
    """The container could not be started, or did not become ready.

    Attributes:
        log: The last lines that the container wrote, if it ran at all.
    """

    reason = Reason.DOCKER

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message, log)
        self.message = message
        self.log = log

    def __str__(self) -> str:
        if not self.log:
            return self.message
        return f"{self.message}\nThe container's log:\n{self.log.rstrip()}"


class FilesError(CodingEnvError):
    """Something went wrong with some files of a call; what went well is done.

    Attributes:
        failures: The first of those files, and why.
        failed: How many there are in all.
        truncated: Whether a limit of the server ended the call before all was done.
        result: What the call would have returned, as far as it went well.
    """

    reason = Reason.FILES

    def __init__(
        self, what: str, failures: Sequence[FileFailure], failed: int, truncated: bool, result: Any = None
    ) -> None:
        super().__init__(what, tuple(failures), failed, truncated, result)
        self.what = what
        self.failures = tuple(failures)
        self.failed = failed
        self.truncated = truncated
        self.result = result

    def __str__(self) -> str:
        told = [f"{failure.path!r}: {failure.message}" for failure in self.failures[:5]]
        if self.failed > len(told):
            told.append(f"and {self.failed - len(told)} more")
        if self.truncated:
            told.append("a limit of the server was reached before all was done")
        return f"{self.failed} files {self.what}: " + "; ".join(told)


class RefusedError(CodingEnvError):
    """The server refused it, or had a fault.

    Attributes:
        reason: Why, as the contract names it. Empty when the answer came from a gRPC library or a proxy and bears none.
        code: The gRPC code.
        message: What would be right, for people.
        metadata: The values in the message: ``expected``, ``episode_id``, …
        retry_after: When to try again, in seconds, if the server said so.
        violations: What is wrong with each field, when reason is INVALID_FIELD.
        request_id: Where to look in the server's log, when reason is INTERNAL.
    """

    def __init__(
        self,
        reason: str,
        code: grpc.StatusCode,
        message: str,
        metadata: Optional[Mapping[str, str]] = None,
        retry_after: Optional[float] = None,
        violations: Tuple[Violation, ...] = (),
        request_id: str = "",
    ) -> None:
        super().__init__(reason, code, message)
        self.reason = reason
        self.code = code
        self.message = message
        self.metadata: Dict[str, str] = dict(metadata or {})
        self.retry_after = retry_after
        self.violations = violations
        self.request_id = request_id
        self._retryable = retry_after is not None
        self._unsure = not reason and code not in _SURELY_REFUSED or reason == Reason.INTERNAL

    def __str__(self) -> str:
        text = f"{self.reason or self.code.name}: {self.message}"
        return f"{text} (request {self.request_id})" if self.request_id else text

    # An exception is made again from its arguments in another process.
    def __reduce__(self) -> Tuple[Any, ...]:
        arguments = (
            self.reason,
            self.code,
            self.message,
            self.metadata,
            self.retry_after,
            self.violations,
            self.request_id,
        )
        return type(self), arguments


class EpisodeGoneError(RefusedError):
    """The episode can't go on: it was closed, expired, lost, or its server is gone. A reset starts a fresh one."""


class BusyError(RefusedError):
    """The server was short of something, and stayed so until the deadline. Another server, or a later time, may do."""


#: Answers without a reason after which nothing was done.
_SURELY_REFUSED = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)
_GONE = frozenset(
    {
        Reason.EPISODE_NOT_FOUND,
        Reason.EPISODE_CLOSED,
        Reason.EPISODE_EXPIRED,
        Reason.EPISODE_SERVER_GONE,
        Reason.EPISODE_LOST,
        Reason.EPISODE_ENDED,
    }
)
_BUSY = frozenset(
    {
        Reason.EPISODE_LIMIT,
        Reason.STEP_LIMIT,
        Reason.STEP_QUEUE_FULL,
        Reason.SESSION_LIMIT,
        Reason.FILES_LIMIT,
        Reason.FORK_FAILED,
        Reason.NO_WORKER,
        Reason.SHUTTING_DOWN,
    }
)
#: What the gRPC library and the server's HTTP/2 library say when a connection or stream breaks; the codes differ.
_BROKEN = (
    "RST_STREAM",
    "Stream removed",
    "Socket closed",
    "Connection reset",
    "h2 protocol error",
    "error reading a body",
    # asyncio's, of a stream that breaks while something is written to it.
    "Internal error from Core",
)
_BROKEN_CODES = frozenset({grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL, grpc.StatusCode.CANCELLED})

_CODES: Dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}

_READERS: Dict[str, Callable[[], Message]] = {
    "google.rpc.ErrorInfo": details_pb.ErrorInfo,
    "google.rpc.RetryInfo": details_pb.RetryInfo,
    "google.rpc.BadRequest": details_pb.BadRequest,
    "google.rpc.RequestInfo": details_pb.RequestInfo,
}


def _read_details(trailers: Optional[Any]) -> Dict[str, Any]:
    """The details of a status by name; none when there are none or they can't be read."""
    found: Dict[str, Any] = {}
    for key, value in trailers or ():
        if key != "grpc-status-details-bin":
            continue
        found.update(_read_status(value))
    return found


def _read_status(value: bytes) -> Dict[str, Any]:
    found: Dict[str, Any] = {}
    try:
        status = details_pb.Status.FromString(value)
        for detail in status.details:
            name = detail.type_url.rpartition("/")[2]
            reader = _READERS.get(name)
            if reader is not None:
                message = reader()
                message.ParseFromString(detail.value)
                found[name] = message
    except DecodeError:
        return found
    return found


def from_rpc_error(error: Any) -> CodingEnvError:
    """What an error of the gRPC library means."""
    return _from_status(error.code(), error.details() or "", _read_details(error.trailing_metadata()))


def from_message(status: Any) -> CodingEnvError:
    """What a google.rpc.Status means."""
    code = _CODES.get(status.code, grpc.StatusCode.UNKNOWN)
    return _from_status(code, status.message, _read_status(status.SerializeToString()))


def _from_status(code: grpc.StatusCode, message: str, details: Mapping[str, Any]) -> CodingEnvError:
    info = details.get("google.rpc.ErrorInfo")
    if info is None:
        timed_out = code is grpc.StatusCode.CANCELLED and message == "Timeout expired"
        if code is grpc.StatusCode.DEADLINE_EXCEEDED or timed_out:
            return DeadlineError("the deadline passed before the reply was there")
        broken = code in _BROKEN_CODES and any(text in message for text in _BROKEN)
        if code is grpc.StatusCode.UNAVAILABLE or broken:
            return ConnectError(f"the server can't be reached: {message}")
        return RefusedError("", code, message)
    if info.reason == Reason.DEADLINE:
        return DeadlineError(f"the deadline passed before the reply was there: {message}")
    retry = details.get("google.rpc.RetryInfo")
    request = details.get("google.rpc.RequestInfo")
    bad = details.get("google.rpc.BadRequest")
    try:
        reason: str = Reason(info.reason)
    except ValueError:
        reason = info.reason
    kind: Type[RefusedError] = RefusedError
    if reason in _GONE:
        kind = EpisodeGoneError
    elif reason in _BUSY:
        kind = BusyError
    return kind(
        reason,
        code,
        message,
        info.metadata,
        retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9 if retry is not None and retry.HasField("retry_delay") else None,
        tuple(Violation(each.field, each.description) for each in bad.field_violations) if bad is not None else (),
        request.request_id if request is not None else "",
    )
