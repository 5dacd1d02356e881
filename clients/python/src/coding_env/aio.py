"""The environment for asyncio."""

from __future__ import annotations

import asyncio
import threading
import weakref
from types import TracebackType
from typing import TYPE_CHECKING, Any, Iterable, Mapping, Optional, Type, TypeVar, Union

import grpc
import grpc.aio

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


class AsyncCodingEnv:
    """As ``CodingEnv``, with coroutines. It belongs to the event loop that first calls it.

    All environments of an event loop that lead to the same server share one connection. Steps of one environment that are awaited at once
    run in the order in which they were called. A task that is cancelled in a step leaves open whether it ran, as a ``DeadlineError`` does.

    ``close`` ends the episode and does not stop the server. ``async with`` closes.

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
        # Made by the first call: on CPython 3.9 a lock takes the event loop that runs when it is made.
        self._turn: Optional[asyncio.Lock] = None
        self._pool: Optional[_channels.Pool[grpc.aio.Channel]] = None
        self._shared: Optional[_channels.Shared[grpc.aio.Channel]] = None
        self._give_back: Optional[weakref.finalize[..., AsyncCodingEnv]] = None
        self._container: Optional[_docker.Container] = None

    @classmethod
    async def from_docker_image(cls, image: str, **arguments: Unpack[FromImage]) -> Self:
        """As ``CodingEnv.from_docker_image``. When it is cancelled, the container is removed."""
        settings, options = _docker.split(arguments)
        headers = Options(**options).headers()
        cancelled = threading.Event()
        started = asyncio.get_running_loop().run_in_executor(
            None, _docker.Container.run, image, settings, headers, cancelled
        )
        try:
            container = await asyncio.shield(started)
        except asyncio.CancelledError:
            cancelled.set()
            # It may have become ready just now.
            started.add_done_callback(_remove_container)
            raise
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

    async def reset(
        self,
        *,
        seed: Optional[int] = None,
        runtime: str = "",
        limits: Optional[Limits] = None,
        environment: Optional[Mapping[str, str]] = None,
        network: Network = Network.UNSPECIFIED,
    ) -> ResetResult:
        """Starts a fresh episode and ends the one before. See ``CodingEnv.reset``."""
        async with self._lock():
            return await self._run(
                self._core.reset(seed=seed, runtime=runtime, limits=limits, environment=environment, network=network)
            )

    async def step(
        self,
        action: Union[CodeAction, str],
        *,
        timeout: Optional[Seconds] = None,
        limits: Optional[StepLimits] = None,
        max_reply_bytes: Optional[int] = None,
        display_mime_types: Iterable[str] = (),
    ) -> StepResult:
        """Runs code in the episode. See ``CodingEnv.step``."""
        async with self._lock():
            return await self._run(
                self._core.step(
                    action,
                    timeout=timeout,
                    limits=limits,
                    max_reply_bytes=max_reply_bytes,
                    display_mime_types=display_mime_types,
                )
            )

    async def state(self) -> EpisodeState:
        """The state of the episode. See ``CodingEnv.state``."""
        return await self._run(self._core.state())

    async def interrupt(self, step_index: Optional[int] = None) -> InterruptResult:
        """Interrupts the running step, from another task. See ``CodingEnv.interrupt``."""
        return await self._run(self._core.interrupt(step_index))

    async def server_info(self) -> ServerInfo:
        """What the server is, what it allows, and what it is doing. See ``CodingEnv.server_info``."""
        return await self._run(self._core.server_info())

    async def close(self) -> bool:
        """Ends the episode, if there is one. See ``CodingEnv.close``."""
        try:
            if self._container is None:
                return await self._run(self._core.close())
            ended = self._core.episode_id is not None
            self._core.forget()
            await asyncio.get_running_loop().run_in_executor(None, self._container.remove)
            return ended
        finally:
            await self._disconnect()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        try:
            await self.close()
        except CodingEnvError:
            # What went wrong first is what is told.
            if error is None:
                raise

    def _lock(self) -> asyncio.Lock:
        if self._turn is None:
            self._turn = asyncio.Lock()
        return self._turn

    async def _run(self, flow: Flow[T]) -> T:
        value: Any = None
        error: Optional[BaseException] = None
        while True:
            try:
                command = flow.send(value) if error is None else flow.throw(error)
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]
            value = error = None
            try:
                value = await self._carry_out(command)
            except BaseException as caught:
                error = caught

    async def _carry_out(self, command: Union[Call, Pause]) -> Any:
        if isinstance(command, Pause):
            await asyncio.sleep(command.seconds)
            return None
        rpc = (await self._rpcs())[command.method]
        call = rpc(command.request, timeout=command.timeout, metadata=command.metadata)
        try:
            response = await call
            if not command.wants_server:
                return response
            return response, server_of(await call.initial_metadata())
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None

    async def _rpcs(self) -> Mapping[str, Any]:
        pool = _channels.loop_pool()
        if self._shared is None:
            if self._container is not None and self._container.removed:
                raise CodingEnvError("this environment is closed, and its container removed: make another one")
            self._pool = pool
            self._shared = pool.take(self._target)
            self._give_back = weakref.finalize(self, pool.give_back, self._shared)
            for channel in pool.take_out_idle():
                await channel.close()
        elif self._pool is not pool:
            raise CodingEnvError("an environment belongs to one event loop, and this is another")
        return self._shared.rpcs

    async def _disconnect(self) -> None:
        pool, self._pool, self._shared = self._pool, None, None
        if self._give_back is None or pool is None:
            return
        self._give_back()
        # The last one turns off the light: an event loop may end right after this.
        for channel in pool.take_out(self._target):
            await channel.close()


def _remove_container(started: "asyncio.Future[_docker.Container]") -> None:
    if not started.cancelled() and started.exception() is None:
        started.result().remove()
