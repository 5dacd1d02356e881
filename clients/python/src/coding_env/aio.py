"""The environment for asyncio."""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from types import TracebackType
from typing import TYPE_CHECKING, Any, AsyncGenerator, AsyncIterator, Awaitable, Callable, Dict, Generator, Iterable, List, Mapping, Optional, Sequence, Type, TypeVar, Union

import grpc
import grpc.aio

from . import _channels, _docker
from ._convert import Seconds
from ._copies import CopyFlows, evaluation_of
from ._core import Command, Core, Download, Emit, Flow, Open, Pause, Receive, Upload, new_id, server_of
from ._files import Content, FileFlows, OnProgress, RemotePath, first_files
from .copies import Check, CheckpointInfo, Evaluation, EvaluationResult
from .errors import CodingEnvError, from_rpc_error
from .models import (
    CodeAction,
    EpisodeState,
    FileInfo,
    InterruptResult,
    Limits,
    Network,
    OnFailure,
    OnFull,
    Outcome,
    OutputPiece,
    RandomState,
    ResetResult,
    ServerInfo,
    StepLimits,
    StepResult,
    WriteResult,
)
from .options import Options, parse_url

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from ._arguments import FromImage

T = TypeVar("T")


async def drive(flow: Flow[T], carry_out: Callable[[Command], Awaitable[Any]]) -> T:
    """Carries out an operation, command by command."""
    value: Any = None
    error: Optional[BaseException] = None
    while True:
        try:
            command = flow.send(value) if error is None else flow.throw(error)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]
        value = error = None
        try:
            value = await carry_out(command)
        except BaseException as caught:
            error = caught
class AsyncStepStream:
    """As ``StepStream``, for ``async for``. Who leaves the loop early calls ``aclose``, or uses ``async with``."""

    def __init__(self, run: Callable[[List[StepResult]], AsyncGenerator[OutputPiece, None]]) -> None:
        self._results: List[StepResult] = []
        self._run = run(self._results)

    def __aiter__(self) -> AsyncIterator[OutputPiece]:
        return self

    async def __anext__(self) -> OutputPiece:
        """Waits for the next piece. Raises as ``AsyncCodingEnv.step``."""
        return await self._run.__anext__()

    async def result(self) -> StepResult:
        """What ``AsyncCodingEnv.step`` would have returned; passes over pieces that were not taken. Raises as that."""
        async for _ in self:
            pass
        if not self._results:
            raise CodingEnvError("this step was not read to its end")
        return self._results[0]

    async def aclose(self) -> None:
        """Stops reading."""
        await self._run.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


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
    def files(self) -> AsyncFiles:
        """The files of the episode."""
        return AsyncFiles(self)

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
        files: Optional[Mapping[RemotePath, Content]] = None,
    ) -> ResetResult:
        """Starts a fresh episode and ends the one before. See ``CodingEnv.reset``."""
        first = first_files(files)
        async with self._lock():
            return await self._run(
                self._core.reset(
                    seed=seed, runtime=runtime, limits=limits, environment=environment, network=network, files=first
                )
            )

    async def step(
        self,
        action: Union[CodeAction, str],
        *,
        timeout: Optional[Seconds] = None,
        limits: Optional[StepLimits] = None,
        max_reply_bytes: Optional[int] = None,
        display_mime_types: Iterable[str] = (),
        on_failure: OnFailure = OnFailure.UNSPECIFIED,
        roll_back_outcomes: Iterable[Outcome] = (),
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
                    on_failure=on_failure,
                    roll_back_outcomes=roll_back_outcomes,
                )
            )

    def step_stream(
        self,
        action: Union[CodeAction, str],
        *,
        timeout: Optional[Seconds] = None,
        limits: Optional[StepLimits] = None,
        max_reply_bytes: Optional[int] = None,
        display_mime_types: Iterable[str] = (),
        on_failure: OnFailure = OnFailure.UNSPECIFIED,
        roll_back_outcomes: Iterable[Outcome] = (),
    ) -> AsyncStepStream:
        """Runs code, and tells what it prints while it runs: ``async for piece in env.step_stream(code)``. See ``CodingEnv.step_stream``."""

        async def run(results: List[StepResult]) -> AsyncGenerator[OutputPiece, None]:
            async with self._lock():
                flow = self._core.step_stream(
                    action,
                    timeout=timeout,
                    limits=limits,
                    max_reply_bytes=max_reply_bytes,
                    display_mime_types=display_mime_types,
                    on_failure=on_failure,
                    roll_back_outcomes=roll_back_outcomes,
                )
                async for piece in self._emit(flow, results):
                    yield piece

        return AsyncStepStream(run)

    async def fork(
        self,
        count: int,
        *,
        random: RandomState = RandomState.UNSPECIFIED,
        seeds: Sequence[int] = (),
        limits: Optional[Limits] = None,
    ) -> List[AsyncCodingEnv]:
        """Copies the episode into environments of their own. See ``CodingEnv.fork``."""
        async with self._lock():
            cores = await self._run(CopyFlows(self._core).fork(count, random, seeds, limits))
        return [self._of_child(core) for core in cores]

    def checkpoint(self, name: str = "", *, on_full: OnFull = OnFull.UNSPECIFIED) -> AsyncCheckpoint:
        """Keeps a copy of the episode to roll back to: ``async with env.checkpoint():``, or ``await env.checkpoint()``. See ``CodingEnv.checkpoint``."""

        async def make() -> CheckpointInfo:
            async with self._lock():
                return await self._run(CopyFlows(self._core).checkpoint(name or new_id(), on_full))

        return AsyncCheckpoint(self, make)

    async def rollback(self, name: str, random: RandomState = RandomState.UNSPECIFIED) -> CheckpointInfo:
        """Puts the episode back to a checkpoint. See ``CodingEnv.rollback``."""
        async with self._lock():
            return await self._run(CopyFlows(self._core).rollback(name, random))

    async def checkpoints(self) -> List[CheckpointInfo]:
        """The episode's checkpoints, the oldest first. See ``CodingEnv.checkpoints``."""
        return await self._run(CopyFlows(self._core).checkpoints())

    async def drop_checkpoint(self, name: str) -> bool:
        """Drops a checkpoint. See ``CodingEnv.drop_checkpoint``."""
        return await self._run(CopyFlows(self._core).drop_checkpoint(name))

    async def evaluate(
        self,
        code: Union[str, CodeAction, Evaluation],
        *checks: Check,
        timeout: Optional[Seconds] = None,
        call_timeout: Optional[Seconds] = None,
        limits: Optional[StepLimits] = None,
        random: RandomState = RandomState.UNSPECIFIED,
        max_reply_bytes: Optional[int] = None,
    ) -> EvaluationResult:
        """Runs code in a throw-away copy of the episode, and has the server judge it. See ``CodingEnv.evaluate``."""
        evaluation = evaluation_of(code, checks, timeout=timeout, call_timeout=call_timeout, limits=limits)
        async with self._lock():
            return await self._run(CopyFlows(self._core).evaluate_one(evaluation, random, max_reply_bytes))

    async def evaluate_all(
        self,
        evaluations: Sequence[Evaluation],
        *,
        random: RandomState = RandomState.UNSPECIFIED,
        max_reply_bytes: Optional[int] = None,
    ) -> List[EvaluationResult]:
        """Runs evaluations side by side. See ``CodingEnv.evaluate_all``."""
        async with self._lock():
            return await self._run(CopyFlows(self._core).evaluate(evaluations, random, max_reply_bytes))

    def _of_child(self, core: Core) -> AsyncCodingEnv:
        """An environment for a child."""
        child = AsyncCodingEnv.__new__(AsyncCodingEnv)
        child._core, child._target = core, self._target
        child._turn = child._pool = child._shared = child._give_back = child._container = None
        return child

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
        return await drive(flow, self._carry_out)

    async def _emit(self, flow: Flow[T], results: List[T]) -> AsyncGenerator[Any, None]:
        """As ``_run``, and yields what the flow emits; its result is put into the list."""
        value: Any = None
        error: Optional[BaseException] = None
        call: Any = None
        try:
            while True:
                try:
                    command = flow.send(value) if error is None else flow.throw(error)
                except StopIteration as stop:
                    results.append(stop.value)
                    return
                value = error = None
                if isinstance(command, Emit):
                    yield command.value
                    continue
                try:
                    value = await self._carry_out(command)
                except BaseException as caught:
                    error = caught
                if isinstance(command, Open):
                    call = value
        finally:
            # Nothing that goes on is left behind when the caller stops reading.
            if call is not None:
                call.cancel()

    async def _carry_out(self, command: Command) -> Any:
        if isinstance(command, Pause):
            await asyncio.sleep(command.seconds)
            return None
        if isinstance(command, Emit):
            raise TypeError("nobody reads what this emits")
        if isinstance(command, Receive):
            try:
                response = await command.call.read()
            except grpc.RpcError as error:
                raise from_rpc_error(error) from None
            return None if response is grpc.aio.EOF else response  # type: ignore[attr-defined]
        rpc = (await self._rpcs())[command.method]
        if isinstance(command, Upload):
            return await self._upload(rpc, command)
        if isinstance(command, Download):
            return await self._download(rpc, command)
        call = rpc(command.request, timeout=command.timeout, metadata=command.metadata)
        if isinstance(command, Open):
            return call
        try:
            response = await call
            if not command.wants_server:
                return response
            return response, server_of(await call.initial_metadata())
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None

    async def _upload(self, rpc: Any, command: Upload) -> Any:
        failed: List[BaseException] = []
        try:
            return await rpc(command.guarded(failed), timeout=command.timeout, metadata=command.metadata)
        except (grpc.RpcError, asyncio.CancelledError) as error:
            if failed:
                raise failed[0] from None
            if isinstance(error, grpc.RpcError):
                raise from_rpc_error(error) from None
            raise

    async def _download(self, rpc: Any, command: Download) -> None:
        command.begin()
        call = rpc(command.request, timeout=command.timeout, metadata=command.metadata)
        try:
            async for message in call:
                command.take(message)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
        finally:
            call.cancel()

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


class AsyncCheckpoint:
    """As ``Checkpoint``: awaited, it is made and stays; with ``async with`` it is made, and dropped at the end."""

    def __init__(self, env: AsyncCodingEnv, make: Callable[[], Awaitable[CheckpointInfo]]) -> None:
        self._env = env
        self._make = make
        #: What is known of it, once it is made.
        self.info = CheckpointInfo()

    @property
    def name(self) -> str:
        """Its name in the episode."""
        return self.info.name

    def __await__(self) -> Generator[Any, None, Self]:
        return self._made().__await__()

    async def _made(self) -> Self:
        self.info = await self._make()
        return self

    async def rollback(self, random: RandomState = RandomState.UNSPECIFIED) -> None:
        """Puts the episode back to it, any number of times. Raises as ``CodingEnv.rollback``."""
        await self._env.rollback(self.name, random)

    async def drop(self) -> bool:
        """Drops it. False when it is not there any more. Raises as ``CodingEnv.drop_checkpoint``."""
        return await self._env.drop_checkpoint(self.name)

    async def __aenter__(self) -> Self:
        return await self._made()

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        try:
            if error is not None:
                await self.rollback()
            await self.drop()
        except CodingEnvError:
            # What went wrong first is what is told.
            if error is None:
                raise


class AsyncFiles:
    """The files of an environment's episode: ``env.files``. It may be used while a step runs."""

    def __init__(self, env: AsyncCodingEnv) -> None:
        self._env = env
        self._flows = FileFlows(env._core)

    async def write(
        self, files: Mapping[RemotePath, Content], *, progress: Optional[OnProgress] = None
    ) -> WriteResult:
        """Writes files, each whole or not at all, in the place of what is there; directories on their way are made.

        Args:
            files: By their paths, which are relative to the workspace (``bytes`` where a name is not UTF-8): bytes, text, the path of a file
                of this machine (``pathlib.Path``), or a ``NewFile``.
            progress: Called now and then.

        Raises:
            FilesError: Some can't be written; the others are.
            EpisodeGoneError, RefusedError, ConnectError, DeadlineError, NoEpisodeError: As ``step``. What was complete stays, and
                nothing is half-written.
        """
        return await self._env._run(self._flows.write(files, progress))

    async def read(self, *patterns: RemotePath, max_file_bytes: Optional[int] = None) -> Dict[str, bytes]:
        """Reads files: their content by their paths.

        Args:
            patterns: Paths, and globs: a text with one of ``*?[{`` is one. ``*`` and ``?`` stop at ``/``, ``**`` as a component does not.
            max_file_bytes: The most bytes of a file.

        Raises:
            FilesError: A path leads to no regular file, or a file could not be read to its end; ``result`` has the others.
            Others: As ``write``.
        """
        return await self._env._run(self._flows.read(patterns, max_file_bytes))

    async def list(self, *patterns: RemotePath, sha256: bool = False) -> List[FileInfo]:
        """Tells what there is, in no particular order. Without patterns: all. Raises as ``read``.

        Args:
            patterns: As of ``read``.
            sha256: Whether to read the files and tell their SHA-256.
        """
        return await self._env._run(self._flows.list(patterns, sha256))

    async def delete(self, *patterns: RemotePath, recursive: bool = False) -> int:
        """Deletes files, links and directories; what is not there is no error. Returns how many.

        Args:
            patterns: As of ``read``.
            recursive: Whether directories go with all that is in them.

        Raises:
            FilesError: Some can't be deleted: a directory is not empty.
            Others: As ``write``.
        """
        return await self._env._run(self._flows.delete(patterns, recursive))

    async def upload(
        self, local: Union[str, "os.PathLike[str]"], remote: str = "", *, progress: Optional[OnProgress] = None
    ) -> WriteResult:
        """Copies a directory of this machine with all that is in it, or a file, into the workspace. Modes and times go along; links in a
        directory are left out.

        Args:
            local: The directory or file.
            remote: What its content is to be beneath; of a file its path, or with ``/`` at the end its directory. Empty: the workspace.
            progress: As of ``write``.

        Raises:
            OSError: Something of this machine can't be read.
            Others: As ``write``.
        """
        return await self._env._run(self._flows.upload(os.fspath(local), remote, progress))

    async def download(
        self, remote: str, local: Union[str, "os.PathLike[str]"], *, progress: Optional[OnProgress] = None
    ) -> WriteResult:
        """Copies a directory of the workspace with all that is in it, or a file, to this machine. Modes and times go along; links and the
        like are left out. Each file is complete when it gets its name.

        Args:
            remote: The directory or file. Empty: the workspace.
            local: What its content is to be beneath; of a file its path.
            progress: As of ``write``.

        Raises:
            OSError: Something of this machine can't be written.
            Others: As ``read``.
        """
        return await self._env._run(self._flows.download(remote, os.fspath(local), progress))


def _remove_container(started: "asyncio.Future[_docker.Container]") -> None:
    if not started.cancelled() and started.exception() is None:
        started.result().remove()
