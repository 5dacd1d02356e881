"""The environment for blocking callers."""

from __future__ import annotations

import threading
import time
import weakref
from types import TracebackType
from typing import TYPE_CHECKING, Any, Iterable, Mapping, Optional, Type, TypeVar, Union

import grpc

from . import _channels, _docker
from ._convert import Seconds
from ._core import Call, Core, Flow, Pause, server_of
from .errors import CodingEnvError, from_rpc_error
from .models import (
    CodeAction,
    EpisodeState,
    InterruptResult,
    Limits,
    Network,
    ResetResult,
    ServerInfo,
    StepLimits,
    StepResult,
)
from .options import Options, parse_url

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from ._arguments import FromImage

T = TypeVar("T")


class CodingEnv:
    """One environment: at most one episode at a time, on one server.

    Cheap to make: all environments of a process that lead to the same server share one connection, so thousands of episodes go over it.
    One thread steps it at a time; others wait for their turn. ``interrupt``, ``state`` and ``close`` may be called meanwhile.

    ``close`` ends the episode and does not stop the server. Without it the episode is left to the server's idle timeout. ``with`` closes.

    Args:
        base_url: The server: ``http://HOST:PORT``, or ``https://HOST:PORT`` for TLS. It is connected to by the first call.
        deadline, retry_first, retry_max, keepalive, token, metadata, root_certificates, client_certificate, client_key: See ``Options``.

    Raises:
        UrlError: The URL is none that can be connected to.
    """

    def __init__(
        self,
        base_url: str,
        *,
        deadline: float = Options.deadline,
        retry_first: float = Options.retry_first,
        retry_max: float = Options.retry_max,
        keepalive: float = Options.keepalive,
        token: Optional[str] = None,
        metadata: Optional[Mapping[str, str]] = None,
        root_certificates: Optional[bytes] = None,
        client_certificate: Optional[bytes] = None,
        client_key: Optional[bytes] = None,
    ) -> None:
        options = Options(
            deadline,
            retry_first,
            retry_max,
            keepalive,
            token,
            metadata,
            root_certificates,
            client_certificate,
            client_key,
        )
        self._core = Core(options)
        self._target = parse_url(base_url, options)
        self._turn = threading.Lock()
        self._shared: Optional[_channels.Shared[grpc.Channel]] = None
        self._give_back: Optional[weakref.finalize[..., CodingEnv]] = None
        self._container: Optional[_docker.Container] = None

    @classmethod
    def from_docker_image(cls, image: str, **arguments: Unpack[FromImage]) -> Self:
        """Starts a container and connects to the server in it, once that is ready.

        The container listens on a free port of this machine's loopback address. It is removed by ``close``, when the environment is
        garbage, when the process ends in an ordinary way (an exception and Ctrl-C included), and when this fails.

        Args:
            image: As for ``docker run``; pulled if the engine does not have it.
            arguments: See ``FromImage``, and the options of ``CodingEnv``.

        Raises:
            DockerError: No engine was found, the image could not be pulled, or the server did not become ready; it has the
                container's log.
        """
        settings, options = _docker.split(arguments)
        headers = Options(**options).headers()
        container = _docker.Container.run(image, settings, headers, threading.Event())
        try:
            return cls._of(container, options)
        except BaseException:
            container.remove()
            raise

    @classmethod
    def _of(cls, container: _docker.Container, options: Mapping[str, Any]) -> Self:
        env = cls(container.url, **options)
        env._container = container
        container.remove_with(env)
        return env

    @property
    def episode_id(self) -> Optional[str]:
        """The id of the episode, once there is one."""
        return self._core.episode_id

    @property
    def server_id(self) -> Optional[str]:
        """The server that holds the episode, once there is one."""
        return self._core.server_id

    def reset(
        self,
        *,
        seed: Optional[int] = None,
        runtime: str = "",
        limits: Optional[Limits] = None,
        environment: Optional[Mapping[str, str]] = None,
        network: Network = Network.UNSPECIFIED,
    ) -> ResetResult:
        """Starts a fresh episode and ends the one before.

        Args:
            seed: Makes the episode's pseudo-random numbers reproducible: 0 to 2**64 - 1.
            runtime: The name of one of the server's runtimes; empty for the default.
            limits: Lowers limits for this episode.
            environment: Environment variables to add.
            network: The network that the episode has.

        Raises:
            RefusedError: The server refused it.
            ConnectError: The connection stayed broken until the deadline.
            DeadlineError: The deadline passed.
        """
        flow = self._core.reset(seed=seed, runtime=runtime, limits=limits, environment=environment, network=network)
        with self._turn:
            return self._run(flow)

    def step(
        self,
        action: Union[CodeAction, str],
        *,
        timeout: Optional[Seconds] = None,
        limits: Optional[StepLimits] = None,
        max_reply_bytes: Optional[int] = None,
        display_mime_types: Iterable[str] = (),
    ) -> StepResult:
        """Runs code in the episode.

        What the code does is no error: see ``StepResult.outcome``. After an error that leaves open whether a step ran
        (``DeadlineError``, ``ConnectError``, KeyboardInterrupt), the same code again gets the reply of that step; other code runs after it.

        Args:
            action: What to run: a ``CodeAction``, or just its code.
            timeout: How long the code may run, in seconds or as a timedelta. None: the server's default.
            limits: Lowers limits for this step.
            max_reply_bytes: The largest reply: 64 KiB to 64 MiB. None: the server's default. Output past it is cut out of the middle.
            display_mime_types: The representations that displays are to have: ``["image/svg+xml"]``. Empty: what they have, and PNG of figures.

        Raises:
            NoEpisodeError: Before a reset.
            EpisodeGoneError: The episode can't go on: a reset starts a fresh one.
            RefusedError: The server refused it.
            ConnectError: The connection stayed broken until the deadline.
            DeadlineError: The deadline passed.
        """
        with self._turn:
            return self._run(
                self._core.step(
                    action,
                    timeout=timeout,
                    limits=limits,
                    max_reply_bytes=max_reply_bytes,
                    display_mime_types=display_mime_types,
                )
            )

    def state(self) -> EpisodeState:
        """The state of the episode. It still answers for a lost one. Raises as ``step``."""
        return self._run(self._core.state())

    def interrupt(self, step_index: Optional[int] = None) -> InterruptResult:
        """Interrupts the running step, from another thread: that step's own reply tells its outcome. Raises as ``step``.

        Args:
            step_index: Only interrupt the step with this index. None: whichever runs.
        """
        return self._run(self._core.interrupt(step_index))

    def server_info(self) -> ServerInfo:
        """What the server is, what it allows, and what it is doing. Raises as ``reset``."""
        return self._run(self._core.server_info())

    def close(self) -> bool:
        """Ends the episode, if there is one; false if there was nothing to end. It does not stop the server, unless
        ``from_docker_image`` started it: then the container is removed. It may be called again, and so may ``reset``, but for a container.

        Raises:
            ConnectError, DeadlineError: The episode could not be ended within 10 s; it is left to the server's idle timeout.
            DockerError: The container could not be removed.
        """
        try:
            if self._container is None:
                return self._run(self._core.close())
            ended = self._core.episode_id is not None
            self._core.forget()
            self._container.remove()
            return ended
        finally:
            self._disconnect()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        try:
            self.close()
        except CodingEnvError:
            # What went wrong first is what is told.
            if error is None:
                raise

    def _run(self, flow: Flow[T]) -> T:
        value: Any = None
        error: Optional[BaseException] = None
        while True:
            try:
                command = flow.send(value) if error is None else flow.throw(error)
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]
            value = error = None
            try:
                value = self._carry_out(command)
            except BaseException as caught:
                error = caught

    def _carry_out(self, command: Union[Call, Pause]) -> Any:
        if isinstance(command, Pause):
            time.sleep(command.seconds)
            return None
        rpc = self._rpcs()[command.method]
        try:
            if not command.wants_server:
                return rpc(command.request, timeout=command.timeout, metadata=command.metadata)
            response, call = rpc.with_call(command.request, timeout=command.timeout, metadata=command.metadata)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
        return response, server_of(call.initial_metadata())

    def _rpcs(self) -> Mapping[str, Any]:
        shared = self._shared
        if shared is None:
            if self._container is not None and self._container.removed:
                raise CodingEnvError("this environment is closed, and its container removed: make another one")
            shared = self._shared = _channels.POOL.take(self._target)
            self._give_back = weakref.finalize(self, _channels.POOL.give_back, shared)
            for channel in _channels.POOL.take_out_idle():
                channel.close()
        return shared.rpcs

    def _disconnect(self) -> None:
        self._shared = None
        if self._give_back is not None:
            self._give_back()
        if self._container is not None:
            for channel in _channels.POOL.take_out(self._target):
                channel.close()
