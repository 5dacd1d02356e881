"""Whether the server of a pool's episodes is still there.

An episode lives and ends with its server's process. So a connection that is refused, where a server has answered before, tells that its
episodes are gone; silence tells it after a while. Calls that wait for such a server end at once, with one kind of error.
"""

from __future__ import annotations

import time
from typing import Any, Callable, Optional

import grpc

from .errors import ConnectError, DeadlineError, EpisodeGoneError, CodingEnvError, Reason

#: What gRPC says when nobody listens at the address.
_REFUSED = "Connection refused"


class Liveness:
    """What is known of one process of a server."""

    __slots__ = ("_address", "_heard", "_on_loss", "_on_trouble", "cause")

    def __init__(self, address: str, on_trouble: Callable[[], Any], on_loss: Callable[[], Any]) -> None:
        self._address = address
        self._heard: Optional[float] = None
        self._on_trouble = on_trouble
        self._on_loss = on_loss
        #: Why it is lost, once it is. Nothing takes that back: what comes up at the address later is another process.
        self.cause: Optional[str] = None

    def note(self, error: Optional[CodingEnvError]) -> None:
        """What came of a call: None when the reply is there."""
        if isinstance(error, ConnectError):
            if self._heard is not None and _REFUSED in str(error):
                self.give_up(str(error))
            self._on_trouble()
        elif not isinstance(error, DeadlineError):
            self._heard = time.monotonic()

    def silent_for(self) -> Optional[float]:
        """How long ago it answered, in seconds; None when it never has."""
        return None if self._heard is None else time.monotonic() - self._heard

    def give_up(self, cause: str) -> None:
        """It is gone for good. The first cause stays."""
        if self.cause is None:
            self.cause = cause
            self._on_loss()
            self._on_trouble()

    def check(self, episode_id: str = "") -> None:
        """Raises what its episodes' calls end with, once it is lost: the answer that a proxy gives too."""
        if self.cause is None:
            return
        of_episode = f" of episode {episode_id!r}" if episode_id else ""
        metadata = {"address": self._address, "cause": self.cause}
        if episode_id:
            metadata["episode_id"] = episode_id
        raise EpisodeGoneError(
            Reason.EPISODE_SERVER_GONE,
            grpc.StatusCode.NOT_FOUND,
            f"the server{of_episode}, at {self._address}, is gone: {self.cause}",
            metadata,
        )
