"""The environment for blocking callers."""

from __future__ import annotations

import os
import threading
import time
import weakref
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Dict, Generator, Iterable, Iterator, List, Mapping, Optional, Sequence, Type, TypeVar, Union

import grpc

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


class StepStream:
    """A step and what it prints: an iterator of pieces of output, as they are printed. ``result`` is there after the last.

    The step begins with the first ``next``. A connection that breaks is made again, and no piece comes twice. Who stops reading (``close``,
    or a loop that is left) leaves the step running: the same code again goes on with it.
    """

    def __init__(self, run: Callable[[], Generator[OutputPiece, None, StepResult]]) -> None:
        self._run = run()
        self._result: Optional[StepResult] = None

    def __iter__(self) -> Iterator[OutputPiece]:
        return self

    def __next__(self) -> OutputPiece:
        """Waits for the next piece. Raises as ``CodingEnv.step``."""
        try:
            return next(self._run)
        except StopIteration as stop:
            if stop.value is not None:
                self._result = stop.value
            raise StopIteration from None

    def result(self) -> StepResult:
        """What ``CodingEnv.step`` would have returned; passes over pieces that were not taken. Raises as that."""
        for _ in self:
            pass
        if self._result is None:
            raise CodingEnvError("this step was not read to its end")
        return self._result

    def close(self) -> None:
        """Stops reading."""
        self._run.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


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
    def files(self) -> Files:
        """The files of the episode."""
        return Files(self)

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
        files: Optional[Mapping[RemotePath, Content]] = None,
    ) -> ResetResult:
        """Starts a fresh episode and ends the one before.

        Args:
            seed: Makes the episode's pseudo-random numbers reproducible: 0 to 2**64 - 1.
            runtime: The name of one of the server's runtimes; empty for the default.
            limits: Lowers limits for this episode.
            environment: Environment variables to add.
            network: The network that the episode has.
            files: Small files that its workspace has from the start, as for ``files.write``.

        Raises:
            RefusedError: The server refused it.
            ConnectError: The connection stayed broken until the deadline.
            DeadlineError: The deadline passed.
        """
        flow = self._core.reset(
            seed=seed, runtime=runtime, limits=limits, environment=environment, network=network, files=first_files(files)
        )
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
        on_failure: OnFailure = OnFailure.UNSPECIFIED,
        roll_back_outcomes: Iterable[Outcome] = (),
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
            on_failure: What becomes of the episode when the step fails: ``OnFailure.ROLL_BACK`` puts it back to before the step, also after
                a crash. UNSPECIFIED: as the server does.
            roll_back_outcomes: The outcomes that count as failure. Empty: all but COMPLETED and EXITED.

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
    ) -> StepStream:
        """Runs code as ``step`` does, and tells what it prints while it runs: ``for piece in env.step_stream(code)``."""

        def run() -> Generator[OutputPiece, None, StepResult]:
            with self._turn:
                flow = self._core.step_stream(
                    action,
                    timeout=timeout,
                    limits=limits,
                    max_reply_bytes=max_reply_bytes,
                    display_mime_types=display_mime_types,
                    on_failure=on_failure,
                    roll_back_outcomes=roll_back_outcomes,
                )
                return (yield from self._emit(flow))

        return StepStream(run)

    def fork(
        self,
        count: int,
        *,
        random: RandomState = RandomState.UNSPECIFIED,
        seeds: Sequence[int] = (),
        limits: Optional[Limits] = None,
    ) -> List[CodingEnv]:
        """Copies the episode: environments that go on from its variables, modules and files, each an episode of its own, which is to be closed. This one goes on
        too. All are made, or none.

        Args:
            count: How many.
            random: What their random state is. UNSPECIFIED: each its own.
            seeds: A seed for each.
            limits: Lowers limits for them.

        Raises:
            RefusedError: The program has something that can't be copied (FORK_UNSUPPORTED; ``metadata`` tells what), or another refusal.
            Others: As ``step``.
        """
        with self._turn:
            cores = self._run(CopyFlows(self._core).fork(count, random, seeds, limits))
        return [self._of_child(core) for core in cores]

    def checkpoint(self, name: str = "", *, on_full: OnFull = OnFull.UNSPECIFIED) -> Checkpoint:
        """Keeps a copy of the episode to roll back to: ``with env.checkpoint():`` drops it at the end of the block, and puts the episode back first when that
        ends with an exception.

        Args:
            name: Its name in the episode. Empty: one is made.
            on_full: What to do when there is no room for it.

        Raises:
            RefusedError: CHECKPOINT_LIMIT, CHECKPOINT_EXISTS, or as ``fork``.
            Others: As ``step``.
        """
        with self._turn:
            info = self._run(CopyFlows(self._core).checkpoint(name or new_id(), on_full))
        return Checkpoint(self, info)

    def rollback(self, name: str, random: RandomState = RandomState.UNSPECIFIED) -> CheckpointInfo:
        """Puts the episode back to a checkpoint, which stays. It also brings an episode back whose interpreter was lost.

        Raises:
            RefusedError: CHECKPOINT_NOT_FOUND, or as ``fork``.
            Others: As ``step``.
        """
        with self._turn:
            return self._run(CopyFlows(self._core).rollback(name, random))

    def checkpoints(self) -> List[CheckpointInfo]:
        """The episode's checkpoints, the oldest first. Raises as ``step``."""
        return self._run(CopyFlows(self._core).checkpoints())

    def drop_checkpoint(self, name: str) -> bool:
        """Drops a checkpoint. False when there was none of this name. Raises as ``step``."""
        return self._run(CopyFlows(self._core).drop_checkpoint(name))

    def evaluate(
        self,
        code: Union[str, CodeAction, Evaluation],
        *checks: Check,
        timeout: Optional[Seconds] = None,
        call_timeout: Optional[Seconds] = None,
        limits: Optional[StepLimits] = None,
        random: RandomState = RandomState.UNSPECIFIED,
        max_reply_bytes: Optional[int] = None,
    ) -> EvaluationResult:
        """Runs code in a throw-away copy of the episode, and has the server judge it. The episode sees nothing of it.

        Args:
            code: What to run, or an ``Evaluation``, which has all but the last two arguments itself.
            checks: What to look at afterwards.
            timeout: How long the code may run.
            call_timeout: How long each call of a check may run.
            limits: Lowers limits for it.
            random: What the copy's random state is. UNSPECIFIED: the episode's.
            max_reply_bytes: As for ``step``.

        Raises:
            As ``fork``. What the code does is no error: see ``EvaluationResult``.
        """
        evaluation = evaluation_of(code, checks, timeout=timeout, call_timeout=call_timeout, limits=limits)
        with self._turn:
            return self._run(CopyFlows(self._core).evaluate_one(evaluation, random, max_reply_bytes))

    def evaluate_all(
        self,
        evaluations: Sequence[Evaluation],
        *,
        random: RandomState = RandomState.UNSPECIFIED,
        max_reply_bytes: Optional[int] = None,
    ) -> List[EvaluationResult]:
        """Runs evaluations side by side, each in a copy of its own. Raises as ``evaluate``."""
        with self._turn:
            return self._run(CopyFlows(self._core).evaluate(evaluations, random, max_reply_bytes))

    def _of_child(self, core: Core) -> CodingEnv:
        """An environment for a child."""
        child = CodingEnv.__new__(CodingEnv)
        child._core, child._target = core, self._target
        child._turn = threading.Lock()
        child._shared = child._give_back = child._container = None
        return child

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

    def _emit(self, flow: Flow[T]) -> Generator[Any, None, T]:
        """As ``_run``, and yields what the flow emits."""
        value: Any = None
        error: Optional[BaseException] = None
        call: Any = None
        try:
            while True:
                try:
                    command = flow.send(value) if error is None else flow.throw(error)
                except StopIteration as stop:
                    return stop.value  # type: ignore[no-any-return]
                value = error = None
                if isinstance(command, Emit):
                    yield command.value
                    continue
                try:
                    value = self._carry_out(command)
                except BaseException as caught:
                    error = caught
                if isinstance(command, Open):
                    call = value
        finally:
            # Nothing that goes on is left behind when the caller stops reading.
            if call is not None:
                call.cancel()

    def _carry_out(self, command: Command) -> Any:
        if isinstance(command, Pause):
            time.sleep(command.seconds)
            return None
        if isinstance(command, Emit):
            raise TypeError("nobody reads what this emits")
        if isinstance(command, Upload):
            return self._upload(self._rpcs()[command.method], command)
        if isinstance(command, Download):
            return self._download(self._rpcs()[command.method], command)
        try:
            if isinstance(command, Receive):
                return next(command.call, None)
            rpc = self._rpcs()[command.method]
            if isinstance(command, Open):
                return rpc(command.request, timeout=command.timeout, metadata=command.metadata)
            if not command.wants_server:
                return rpc(command.request, timeout=command.timeout, metadata=command.metadata)
            response, call = rpc.with_call(command.request, timeout=command.timeout, metadata=command.metadata)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
        return response, server_of(call.initial_metadata())

    def _upload(self, rpc: Any, command: Upload) -> Any:
        failed: List[BaseException] = []
        try:
            return rpc(command.guarded(failed), timeout=command.timeout, metadata=command.metadata)
        except grpc.RpcError as error:
            if failed:
                raise failed[0] from None
            raise from_rpc_error(error) from None

    def _download(self, rpc: Any, command: Download) -> None:
        command.begin()
        call = rpc(command.request, timeout=command.timeout, metadata=command.metadata)
        try:
            for message in call:
                command.take(message)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
        finally:
            call.cancel()

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


class Checkpoint:
    """A checkpoint of an environment's episode. ``with`` drops it at the end, and puts the episode back first when the block ends with an exception."""

    def __init__(self, env: CodingEnv, info: CheckpointInfo) -> None:
        self._env = env
        #: What is known of it.
        self.info = info

    @property
    def name(self) -> str:
        """Its name in the episode."""
        return self.info.name

    def rollback(self, random: RandomState = RandomState.UNSPECIFIED) -> None:
        """Puts the episode back to it, any number of times. Raises as ``CodingEnv.rollback``."""
        self._env.rollback(self.name, random)

    def drop(self) -> bool:
        """Drops it. False when it is not there any more. Raises as ``CodingEnv.drop_checkpoint``."""
        return self._env.drop_checkpoint(self.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        try:
            if error is not None:
                self.rollback()
            self.drop()
        except CodingEnvError:
            # What went wrong first is what is told.
            if error is None:
                raise


class Files:
    """The files of an environment's episode: ``env.files``. It may be used while a step runs, from another thread."""

    def __init__(self, env: CodingEnv) -> None:
        self._env = env
        self._flows = FileFlows(env._core)

    def write(
        self, files: Mapping[RemotePath, Content], *, progress: Optional[OnProgress] = None
    ) -> WriteResult:
        """Writes files, each whole or not at all, in the place of what is there; directories on their way are made.

        Args:
            files: By their paths, which are relative to the workspace (``bytes`` where a name is not UTF-8): bytes, text, the path of a file
                of this machine (``pathlib.Path``), or a ``NewFile``.
            progress: Called now and then, from another thread.

        Raises:
            FilesError: Some can't be written; the others are.
            EpisodeGoneError, RefusedError, ConnectError, DeadlineError, NoEpisodeError: As ``step``. What was complete stays, and
                nothing is half-written.
        """
        return self._env._run(self._flows.write(files, progress))

    def read(self, *patterns: RemotePath, max_file_bytes: Optional[int] = None) -> Dict[str, bytes]:
        """Reads files: their content by their paths.

        Args:
            patterns: Paths, and globs: a text with one of ``*?[{`` is one. ``*`` and ``?`` stop at ``/``, ``**`` as a component does not.
            max_file_bytes: The most bytes of a file.

        Raises:
            FilesError: A path leads to no regular file, or a file could not be read to its end; ``result`` has the others.
            Others: As ``write``.
        """
        return self._env._run(self._flows.read(patterns, max_file_bytes))

    def list(self, *patterns: RemotePath, sha256: bool = False) -> List[FileInfo]:
        """Tells what there is, in no particular order. Without patterns: all. Raises as ``read``.

        Args:
            patterns: As of ``read``.
            sha256: Whether to read the files and tell their SHA-256.
        """
        return self._env._run(self._flows.list(patterns, sha256))

    def delete(self, *patterns: RemotePath, recursive: bool = False) -> int:
        """Deletes files, links and directories; what is not there is no error. Returns how many.

        Args:
            patterns: As of ``read``.
            recursive: Whether directories go with all that is in them.

        Raises:
            FilesError: Some can't be deleted: a directory is not empty.
            Others: As ``write``.
        """
        return self._env._run(self._flows.delete(patterns, recursive))

    def upload(
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
        return self._env._run(self._flows.upload(os.fspath(local), remote, progress))

    def download(
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
        return self._env._run(self._flows.download(remote, os.fspath(local), progress))
