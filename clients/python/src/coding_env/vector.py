"""A fixed number of environments that are reset and stepped together, for trainers."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Iterable, Iterator, List, Optional, Sequence, Tuple, Union

from ._bulk import Result, in_order
from .aio_pool import AsyncPool, AsyncPooledEnv
from .errors import EpisodeGoneError
from .models import CodeAction, CodeObservation, ResetResult, StepResult
from .pool import Pool, PooledEnv

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._arguments import ResetArguments, StepArguments

#: What to do in each episode: code, or None to leave it as it is.
Actions = Sequence[Optional[Union[CodeAction, str]]]


@dataclasses.dataclass(frozen=True)
class VectorStep:
    """What became of one environment in a step of all."""

    #: What the step showed; None when it failed, or there was no action.
    result: Optional[StepResult] = None
    #: Why there is no result: an ``EpisodeGoneError``, say, when the server is gone. What the code does is no error.
    error: Optional[Exception] = None
    #: With ``autoreset``, when the episode was lost in this step or before it: the fresh one that has taken its place, which knows nothing of
    #: the one before; or the exception, when none could be had. None when the episode goes on.
    reset: Optional[Result[ResetResult]] = None

    @property
    def observation(self) -> Optional[CodeObservation]:
        """What the step showed."""
        return self.result.observation if self.result else None

    @property
    def reward(self) -> Optional[float]:
        """The reward that the server's transforms gave."""
        return self.result.reward if self.result else None

    @property
    def done(self) -> bool:
        """Whether the episode that was stepped can't go on."""
        return _is_lost(self.result if self.error is None else self.error)


def _is_lost(result: Optional[Result[StepResult]]) -> bool:
    if isinstance(result, Exception):
        return isinstance(result, EpisodeGoneError)
    return result is not None and result.done


def _chosen(actions: Actions, count: int) -> List[Tuple[int, Union[CodeAction, str]]]:
    """The actions that are there, with the numbers of their environments."""
    if len(actions) != count:
        raise ValueError(f"{len(actions)} actions for {count} environments: give one for each, None to leave it as it is")
    return [(at, action) for at, action in enumerate(actions) if action is not None]


def _assembled(count: int, results: Iterable[Tuple[int, Result[StepResult]]]) -> List[VectorStep]:
    steps = [VectorStep()] * count
    for at, result in results:
        steps[at] = VectorStep(error=result) if isinstance(result, Exception) else VectorStep(result=result)
    return steps


def _with_resets(steps: List[VectorStep], lost: Sequence[int], resets: Sequence[Result[ResetResult]]) -> List[VectorStep]:
    for at, reset in zip(lost, resets):
        steps[at] = dataclasses.replace(steps[at], reset=reset)
    return steps


def _seeded(count: int, seeds: Optional[Sequence[Optional[int]]], options: ResetArguments) -> List[ResetArguments]:
    if seeds is None:
        return [options] * count
    if len(seeds) != count:
        raise ValueError(f"{len(seeds)} seeds for {count} environments")
    each: List[Any] = [{**options, "seed": seed} for seed in seeds]
    return each


class AsyncVectorEnv:
    """So many environments of an ``AsyncPool``, which are reset and stepped together.

    Args:
        pool: Where they are.
        count: How many.
        autoreset: Whether an episode that is lost (``done``, or its server is gone) is replaced by a fresh one in the same call. That is told in
            ``VectorStep.reset``.
        options: Of each reset: see ``CodingEnv.reset``.
    """

    def __init__(
        self, pool: AsyncPool, count: int, *, autoreset: bool = False, **options: Unpack[ResetArguments]
    ) -> None:
        self._pool = pool
        self._autoreset = autoreset
        self._options = options
        self.envs: List[AsyncPooledEnv] = [pool.env() for _ in range(count)]

    def __len__(self) -> int:
        return len(self.envs)

    async def reset(self, *, seeds: Optional[Sequence[Optional[int]]] = None) -> List[Result[ResetResult]]:
        """Starts a fresh episode in each, with a seed of its own if `seeds` has them. Where one fails, its exception is in its place."""
        return await self._reset(range(len(self.envs)), seeds)

    async def _reset(
        self, chosen: Sequence[int], seeds: Optional[Sequence[Optional[int]]] = None
    ) -> List[Result[ResetResult]]:
        asked = zip(chosen, _seeded(len(chosen), seeds, self._options))

        async def reset(call: Tuple[AsyncPooledEnv, ResetArguments]) -> ResetResult:
            env, options = call
            return await env.reset(**options)

        calls = [(self.envs[at], (self.envs[at], options)) for at, options in asked]
        return await in_order(await self._pool._many(calls, reset))

    async def step(self, actions: Actions, **options: Unpack[StepArguments]) -> List[VectorStep]:
        """Runs an action in each episode at once, or nothing where it is None. Raises ValueError when there are more or fewer than
        environments. Whatever happens to one is told in its place."""
        chosen = _chosen(actions, len(self.envs))
        results = await self._pool.step_many([(self.envs[at], action) for at, action in chosen], **options)
        steps = _assembled(len(self.envs), zip((at for at, _ in chosen), results))
        lost = [at for at, step in enumerate(steps) if step.done] if self._autoreset else []
        return _with_resets(steps, lost, await self._reset(lost)) if lost else steps

    async def close(self) -> None:
        """Ends all episodes, as far as that can be done now. The pool stays open."""
        await self._pool.close_many(self.envs)


class VectorEnv:
    """As ``AsyncVectorEnv``, on a ``Pool``, for blocking callers.

    >>> from coding_env import Pool, VectorEnv
    >>> with Pool("dns:///coding-env-headless.coding-env.svc:8000") as pool:  # doctest: +SKIP
    ...     envs = VectorEnv(pool, 64, autoreset=True)
    ...     envs.reset(seeds=range(64))
    ...     rewards = [step.reward for step in envs.step(["x = 1"] * 64)]
    """

    def __init__(self, pool: Pool, count: int, *, autoreset: bool = False, **options: Unpack[ResetArguments]) -> None:
        self._pool = pool
        self._vector = AsyncVectorEnv(pool._pool, count, autoreset=autoreset, **options)
        self.envs: List[PooledEnv] = [PooledEnv(pool, env) for env in self._vector.envs]

    def __len__(self) -> int:
        return len(self.envs)

    def __iter__(self) -> Iterator[PooledEnv]:
        return iter(self.envs)

    def reset(self, *, seeds: Optional[Sequence[Optional[int]]] = None) -> List[Result[ResetResult]]:
        """Starts a fresh episode in each. See ``AsyncVectorEnv.reset``."""
        return self._pool._run(self._vector.reset(seeds=seeds))

    def step(self, actions: Actions, **options: Unpack[StepArguments]) -> List[VectorStep]:
        """Runs an action in each episode at once. See ``AsyncVectorEnv.step``."""
        return self._pool._run(self._vector.step(actions, **options))

    def close(self) -> None:
        """Ends all episodes, as far as that can be done now. The pool stays open."""
        self._pool._run(self._vector.close())
