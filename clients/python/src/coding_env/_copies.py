"""Forks, checkpoints and evaluations, without input and output: as `_core.py`."""

from __future__ import annotations

import json
from typing import Any, List, Optional, Sequence, Tuple, Union

from . import models
from ._convert import _datetime, _observation, _observed, _reported, _timedelta, to_duration, to_limits, to_step_limits
from ._core import Core, Flow, new_id
from .copies import CallCheck, Check, CheckFailure, CheckpointInfo, CheckResult, Evaluation, EvaluationResult, StdoutCheck
from .errors import CodingEnvError
from .v1 import coding_env_pb2 as pb


class CopyFlows:
    """What can be asked of copies of an environment's episode."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def fork(
        self,
        count: int,
        random: models.RandomState,
        seeds: Sequence[int],
        limits: Optional[models.Limits],
    ) -> Flow[List[Core]]:
        """Makes children. What comes back is their environments' cores."""
        ids = [new_id() for _ in range(count)]
        # Before the call, because it may be interrupted.
        unsure = self._core.unsure_children(ids)
        make = lambda id, steps: pb.ForkRequest(  # noqa: E731
            episode_id=id,
            child_ids=ids,
            random=int(random),  # type: ignore[arg-type]
            seeds=seeds,
            limits=to_limits(limits),
            step_index=steps,
        )
        try:
            response = yield from self._core.copy_call("Fork", make)
        except CodingEnvError as error:
            if not error._unsure:
                self._core.settle_children(unsure)
            raise
        self._core.settle_children(unsure)
        return [self._core.of_child(child.episode_id, child.state.step_count) for child in response.children]

    def checkpoint(self, name: str, on_full: models.OnFull) -> Flow[CheckpointInfo]:
        make = lambda id, steps: pb.CheckpointRequest(  # noqa: E731
            episode_id=id,
            name=name,
            on_full=int(on_full),  # type: ignore[arg-type]
            step_index=steps,
        )
        response = yield from self._core.copy_call("Checkpoint", make)
        return _checkpoint(response.checkpoint)

    def rollback(self, name: str, random: models.RandomState) -> Flow[CheckpointInfo]:
        make = lambda id, steps: pb.RollbackRequest(  # noqa: E731
            episode_id=id,
            name=name,
            step_index=steps,
            random=int(random),  # type: ignore[arg-type]
        )
        response = yield from self._core.copy_call("Rollback", make)
        return _checkpoint(response.checkpoint)

    def checkpoints(self) -> Flow[List[CheckpointInfo]]:
        make = lambda id, _: pb.ListCheckpointsRequest(episode_id=id)  # noqa: E731
        response = yield from self._core.copy_call("ListCheckpoints", make)
        return [_checkpoint(one) for one in response.checkpoints]

    def drop_checkpoint(self, name: str) -> Flow[bool]:
        make = lambda id, _: pb.DropCheckpointRequest(episode_id=id, name=name)  # noqa: E731
        response = yield from self._core.copy_call("DropCheckpoint", make)
        return bool(response.dropped)

    def evaluate(
        self, evaluations: Sequence[Evaluation], random: models.RandomState, max_reply_bytes: Optional[int]
    ) -> Flow[List[EvaluationResult]]:
        asked = [to_evaluation(one) for one in evaluations]
        make = lambda id, steps: pb.EvaluateRequest(  # noqa: E731
            episode_id=id,
            evaluations=asked,
            random=int(random),  # type: ignore[arg-type]
            step_index=steps,
            max_reply_bytes=max_reply_bytes,
        )
        response = yield from self._core.copy_call("Evaluate", make)
        return [evaluation_result(one) for one in response.results]

    def evaluate_one(
        self, evaluation: Evaluation, random: models.RandomState, max_reply_bytes: Optional[int]
    ) -> Flow[EvaluationResult]:
        (result,) = yield from self.evaluate([evaluation], random, max_reply_bytes)
        return result


def evaluation_of(code: Union[str, models.CodeAction, Evaluation], checks: Tuple[Check, ...], **others: Any) -> Evaluation:
    """An evaluation as callers give it: whole, or as code and checks."""
    if isinstance(code, Evaluation):
        if checks or any(value is not None for value in others.values()):
            raise TypeError("an Evaluation has its checks, timeouts and limits itself")
        return code
    return Evaluation(code if isinstance(code, str) else code.code, checks, **others)


def to_evaluation(value: Evaluation) -> pb.Evaluation:
    return pb.Evaluation(
        action=pb.CodeAction(code=value.code),
        timeout=to_duration(value.timeout),
        limits=to_step_limits(value.limits),
        checks=[_to_check(check) for check in value.checks],
        call_timeout=to_duration(value.call_timeout),
    )


def _to_check(value: Check) -> pb.Check:
    if isinstance(value, StdoutCheck):
        stdout = pb.StdoutCheck(
            expected=value.expected,
            comparison=int(value.comparison),  # type: ignore[arg-type]
            absolute_tolerance=value.absolute_tolerance,
            relative_tolerance=value.relative_tolerance,
        )
        return pb.Check(stdout=stdout, weight=value.weight)
    if isinstance(value, CallCheck):
        calls = [
            pb.Call(
                args_json=json.dumps(list(call.args)),
                kwargs_json=json.dumps(dict(call.kwargs)) if call.kwargs else "",
                expected_json=json.dumps(call.expected),
                absolute_tolerance=call.absolute_tolerance,
                relative_tolerance=call.relative_tolerance,
            )
            for call in value.calls
        ]
        return pb.Check(calls=pb.CallCheck(function=value.function, calls=calls), weight=value.weight)
    return pb.Check(tests=pb.TestCheck(source=value.source), weight=value.weight)


def _checkpoint(value: pb.CheckpointInfo) -> CheckpointInfo:
    return CheckpointInfo(
        name=value.name,
        step_count=value.step_count,
        create_time=_datetime(value.create_time) if value.HasField("create_time") else None,
        private_bytes=value.private_bytes if value.HasField("private_bytes") else None,
    )


def evaluation_result(value: pb.EvaluationResult) -> EvaluationResult:
    has = value.HasField
    return EvaluationResult(
        observation=_observation(value.observation),
        outcome=models.Outcome.of(value.outcome),
        reported=_reported(value.reported),
        observed=_observed(value.observed),
        timeout=_timedelta(value.timeout) if has("timeout") else None,
        checks=tuple(_check_result(check) for check in value.checks),
        score=value.score if has("score") else None,
        claimed_score=value.claimed_score if has("claimed_score") else None,
    )


def _check_result(value: pb.CheckResult) -> CheckResult:
    failures = tuple(
        CheckFailure(failure.index, failure.name, models.Outcome.of(failure.outcome), failure.description)
        for failure in value.failures
    )
    return CheckResult(value.passed, value.total, value.score, value.claimed, failures)
