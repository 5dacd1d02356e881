"""Many episodes on several servers, without a proxy: for blocking callers."""

from __future__ import annotations

import os
from types import TracebackType
from typing import TYPE_CHECKING, Any, Coroutine, Iterable, Iterator, List, Mapping, Optional, Tuple, Type, TypeVar, Union

from ._bulk import Result
from ._convert import Seconds
from ._files import Content, RemotePath
from ._loop import loop_thread
from ._server import ServerStatus
from ._target import Servers
from .aio_pool import AsyncPool, AsyncPooledEnv
from .errors import CodingEnvError
from .models import (
    CodeAction,
    EpisodeState,
    InterruptResult,
    Limits,
    Network,
    OnFailure,
    Outcome,
    ResetResult,
    StepLimits,
    StepResult,
)

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from ._arguments import ClientOptions, ResetArguments, StepArguments

T = TypeVar("T")


class Pool:
    """As ``AsyncPool``, for blocking callers, from any thread. Its calls run on an event loop in a thread that the pools of a process share,
    so that thousands of episodes need no threads of yours. ``with`` connects, and closes at its end: that ends all its episodes.

    A process that forks makes a new pool in the child; the one of the parent stays the parent's.

    Args:
        target, secure, refresh_period, lost_after, calls_max, sessions_per_server, options: See ``AsyncPool``. A target that is a function is called in a
            thread of its own.

    Raises:
        UrlError: The target is none.
    """

    def __init__(
        self,
        target: Servers,
        *,
        secure: bool = False,
        refresh_period: float = 5.0,
        lost_after: float = 20.0,
        calls_max: int = 512,
        sessions_per_server: int = 4,
        **options: Unpack[ClientOptions],
    ) -> None:
        self._pool = AsyncPool(
            target,
            secure=secure,
            refresh_period=refresh_period,
            lost_after=lost_after,
            calls_max=calls_max,
            sessions_per_server=sessions_per_server,
            **options,
        )
        self._pid = os.getpid()

    def connect(self) -> None:
        """Waits until a server is ready. See ``AsyncPool.connect``."""
        self._run(self._pool.connect())

    def env(self) -> PooledEnv:
        """An environment without an episode: its ``reset`` starts one."""
        return PooledEnv(self, self._pool.env())

    def servers(self) -> List[ServerStatus]:
        """The servers, as they were when they were looked at last. See ``AsyncPool.servers``."""
        return self._run(self._status())

    async def _status(self) -> List[ServerStatus]:
        return self._pool.servers()

    def reset_many(self, count: int, **options: Unpack[ResetArguments]) -> List[Result[PooledEnv]]:
        """Starts so many episodes. See ``AsyncPool.reset_many``."""
        found = self._run(self._pool.reset_many(count, **options))
        return [each if isinstance(each, Exception) else PooledEnv(self, each) for each in found]

    def reset_all(self, envs: Iterable[PooledEnv], **options: Unpack[ResetArguments]) -> List[Result[ResetResult]]:
        """Starts a fresh episode in each of these environments. The results are in their order."""
        return self._run(self._pool.reset_all([env._env for env in envs], **options))

    def step_many(
        self,
        actions: Iterable[Tuple[PooledEnv, Union[CodeAction, str]]],
        **options: Unpack[StepArguments],
    ) -> List[Result[StepResult]]:
        """Runs code in many episodes at once. See ``AsyncPool.step_many``."""
        return self._run(self._pool.step_many([(env._env, action) for env, action in actions], **options))

    def steps(
        self,
        actions: Iterable[Tuple[PooledEnv, Union[CodeAction, str]]],
        **options: Unpack[StepArguments],
    ) -> Iterator[Tuple[int, Result[StepResult]]]:
        """As ``step_many``, with each result as soon as it is there. See ``AsyncPool.steps``."""
        results = self._pool.steps([(env._env, action) for env, action in actions], **options)

        async def following() -> Optional[Tuple[int, Result[StepResult]]]:
            async for each in results:
                return each
            return None

        try:
            while True:
                each = self._run(following())
                if each is None:
                    return
                yield each
        finally:
            loop_thread().finish(results.aclose())

    def close_many(self, envs: Iterable[PooledEnv]) -> List[Result[bool]]:
        """Ends the episodes of these environments. The results are in their order."""
        return self._run(self._pool.close_many([env._env for env in envs]))

    def close(self) -> None:
        """Ends all its episodes, as far as that can be done now, and the connections. Another call connects again."""
        self._run(self._pool.close())

    def __enter__(self) -> Self:
        self._run(self._pool.__aenter__())
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        if os.getpid() != self._pid:
            coroutine.close()
            raise CodingEnvError("this pool belongs to the process that made it: make another one after a fork")
        return loop_thread().run(coroutine)


class PooledEnv:
    """One environment of a ``Pool``, for blocking callers. See ``AsyncPooledEnv``."""

    def __init__(self, pool: Pool, env: AsyncPooledEnv) -> None:
        self._pool = pool
        self._env = env

    @property
    def episode_id(self) -> Optional[str]:
        """The id of the episode, once there is one."""
        return self._env.episode_id

    @property
    def server_id(self) -> Optional[str]:
        """The server that holds the episode, once there is one."""
        return self._env.server_id

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
        """Starts a fresh episode on the server that has most room, and ends the one before. See ``AsyncPooledEnv.reset``."""
        return self._pool._run(
            self._env.reset(
                seed=seed,
                runtime=runtime,
                limits=limits,
                environment=environment,
                network=network,
                files=files,
            )
        )

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
        """Runs code in the episode. See ``CodingEnv.step``."""
        return self._pool._run(
            self._env.step(
                action,
                timeout=timeout,
                limits=limits,
                max_reply_bytes=max_reply_bytes,
                display_mime_types=display_mime_types,
                on_failure=on_failure,
                roll_back_outcomes=roll_back_outcomes,
            )
        )

    def state(self) -> EpisodeState:
        """The state of the episode, also while a step runs. See ``CodingEnv.state``."""
        return self._pool._run(self._env.state())

    def interrupt(self, step_index: Optional[int] = None) -> InterruptResult:
        """Interrupts the running step, from another thread. See ``CodingEnv.interrupt``."""
        return self._pool._run(self._env.interrupt(step_index))

    def close(self) -> bool:
        """Ends the episode, if there is one. See ``AsyncPooledEnv.close``."""
        return self._pool._run(self._env.close())
