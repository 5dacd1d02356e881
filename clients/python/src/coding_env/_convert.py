"""Between the types of models.py and the generated messages."""

from __future__ import annotations

import datetime
from typing import Any, List, Mapping, Optional, Type, TypeVar, Union

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from . import models
from .v1 import coding_env_pb2 as pb

M = TypeVar("M")

#: A duration as callers give it: seconds, or a timedelta.
Seconds = Union[float, datetime.timedelta]

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_NANOS = 1_000_000_000


def to_seconds(value: Seconds) -> float:
    return value.total_seconds() if isinstance(value, datetime.timedelta) else float(value)


def to_duration(value: Optional[Seconds]) -> Optional[Duration]:
    if value is None:
        return None
    if isinstance(value, datetime.timedelta):
        nanos = (value // datetime.timedelta(microseconds=1)) * 1000
    else:
        nanos = round(value * _NANOS)
    # Both parts have the sign of the whole.
    seconds, rest = divmod(abs(nanos), _NANOS)
    sign = -1 if nanos < 0 else 1
    return Duration(seconds=sign * seconds, nanos=sign * rest)


def _timedelta(value: Duration) -> datetime.timedelta:
    return datetime.timedelta(0, value.seconds, value.nanos / 1000)


def _datetime(value: Timestamp) -> datetime.datetime:
    return _EPOCH + datetime.timedelta(0, value.seconds, value.nanos / 1000)


def to_limits(value: Optional[models.Limits]) -> Optional[pb.Limits]:
    if value is None:
        return None
    return pb.Limits(
        source_bytes=value.source_bytes,
        output_bytes=value.output_bytes,
        result_bytes=value.result_bytes,
        step_timeout=to_duration(value.step_timeout),
        step_cpu_time=to_duration(value.step_cpu_time),
        idle_timeout=to_duration(value.idle_timeout),
        memory_bytes=value.memory_bytes,
        open_files=value.open_files,
        file_bytes=value.file_bytes,
        total_memory_bytes=value.total_memory_bytes,
        processes=value.processes,
        workspace_bytes=value.workspace_bytes,
        workspace_inodes=value.workspace_inodes,
        cpu_percent=value.cpu_percent,
        displays=value.displays,
        display_bytes=value.display_bytes,
    )


def to_step_limits(value: Optional[models.StepLimits]) -> Optional[pb.StepLimits]:
    if value is None:
        return None
    return pb.StepLimits(output_bytes=value.output_bytes, cpu_time=to_duration(value.cpu_time))


def limits(value: pb.Limits) -> models.Limits:
    has = value.HasField
    return models.Limits(
        source_bytes=value.source_bytes if has("source_bytes") else None,
        output_bytes=value.output_bytes if has("output_bytes") else None,
        result_bytes=value.result_bytes if has("result_bytes") else None,
        step_timeout=_timedelta(value.step_timeout) if has("step_timeout") else None,
        step_cpu_time=_timedelta(value.step_cpu_time) if has("step_cpu_time") else None,
        idle_timeout=_timedelta(value.idle_timeout) if has("idle_timeout") else None,
        memory_bytes=value.memory_bytes if has("memory_bytes") else None,
        open_files=value.open_files if has("open_files") else None,
        file_bytes=value.file_bytes if has("file_bytes") else None,
        total_memory_bytes=value.total_memory_bytes if has("total_memory_bytes") else None,
        processes=value.processes if has("processes") else None,
        workspace_bytes=value.workspace_bytes if has("workspace_bytes") else None,
        workspace_inodes=value.workspace_inodes if has("workspace_inodes") else None,
        cpu_percent=value.cpu_percent if has("cpu_percent") else None,
        displays=value.displays if has("displays") else None,
        display_bytes=value.display_bytes if has("display_bytes") else None,
    )


def output_piece(value: pb.OutputPiece) -> models.OutputPiece:
    return models.OutputPiece(
        stream=models.OutputStream.of(value.stream),
        offset=value.offset,
        data=value.data,
        dropped_bytes=value.dropped_bytes,
    )


def _make(kind: Type[M], **fields: Any) -> M:
    """As `kind(**fields)` with all fields named. A frozen data class sets them one by one, which each step would pay for."""
    made = object.__new__(kind)
    made.__dict__.update(fields)
    return made


def _observation(value: pb.CodeObservation) -> models.CodeObservation:
    return _make(
        models.CodeObservation,
        stdout=value.stdout,
        stderr=value.stderr,
        exit_code=value.exit_code,
        result=value.result if value.HasField("result") else None,
        displays=tuple(_display(display) for display in value.displays),
    )


def _display(value: pb.Display) -> models.Display:
    representations = tuple(
        models.Representation(one.mime_type, one.data, one.total_bytes, one.file_path) for one in value.representations
    )
    return models.Display(representations, value.is_result)


def _state(value: pb.CodeState) -> models.CodeState:
    return _make(
        models.CodeState, episode_id=value.episode_id, step_count=value.step_count, last_exit_code=value.last_exit_code
    )


def _usage(value: pb.Usage) -> models.Usage:
    has = value.HasField
    return _make(
        models.Usage,
        scope=models.UsageScope.of(value.scope),
        wall_time=_timedelta(value.wall_time) if has("wall_time") else None,
        queued_time=_timedelta(value.queued_time) if has("queued_time") else None,
        cpu_user_time=_timedelta(value.cpu_user_time) if has("cpu_user_time") else None,
        cpu_system_time=_timedelta(value.cpu_system_time) if has("cpu_system_time") else None,
        peak_memory_bytes=value.peak_memory_bytes if has("peak_memory_bytes") else None,
        minor_page_faults=value.minor_page_faults if has("minor_page_faults") else None,
        major_page_faults=value.major_page_faults if has("major_page_faults") else None,
    )


def _reported(value: pb.Reported) -> models.Reported:
    exception = None
    if value.HasField("exception"):
        exception = models.PythonException(value.exception.type, value.exception.message)
    return _make(
        models.Reported,
        exception=exception,
        result_truncated=value.result_truncated,
        displays_dropped=value.displays_dropped,
    )


def _observed(value: pb.Observed) -> models.Observed:
    has = value.HasField
    return _make(
        models.Observed,
        usage=_usage(value.usage) if has("usage") else None,
        background=_usage(value.background) if has("background") else None,
        stdout_total_bytes=value.stdout_total_bytes,
        stderr_total_bytes=value.stderr_total_bytes,
        stdout_kept_bytes=value.stdout_kept_bytes,
        stderr_kept_bytes=value.stderr_kept_bytes,
        stdout_truncated=value.stdout_truncated,
        stderr_truncated=value.stderr_truncated,
        limit=models.LimitKind.of(value.limit),
        signal=value.signal if has("signal") else None,
        process_exit_code=value.process_exit_code if has("process_exit_code") else None,
        violation=value.violation,
        limits_hit=tuple(models.LimitKind.of(kind) for kind in value.limits_hit),
        tree_usage=_usage(value.tree_usage) if has("tree_usage") else None,
    )


def to_reset_request(
    *,
    seed: Optional[int],
    runtime: str,
    limits: Optional[models.Limits],
    environment: Optional[Mapping[str, str]],
    network: models.Network,
    files: List[pb.ResetFile],
) -> pb.ResetRequest:
    return pb.ResetRequest(
        seed=seed,
        runtime=runtime,
        limits=to_limits(limits),
        environment=environment,
        network=int(network),  # type: ignore[arg-type]
        files=files,
    )


def reset_result(value: pb.ResetResponse) -> models.ResetResult:
    return models.ResetResult(
        observation=_observation(value.observation),
        reward=value.reward if value.HasField("reward") else None,
        done=value.done,
        state=_state(value.state),
        metadata=dict(value.metadata),
        server_id=value.server_id,
        limits=limits(value.limits),
        runtime=value.runtime,
    )


def step_result(value: pb.StepResponse) -> models.StepResult:
    has = value.HasField
    return _make(
        models.StepResult,
        observation=_observation(value.observation),
        reward=value.reward if has("reward") else None,
        done=value.done,
        outcome=models.Outcome.of(value.outcome),
        state_after=models.StateAfter.of(value.state_after),
        state=_state(value.state),
        metadata=dict(value.metadata),
        step_index=value.step_index,
        server_id=value.server_id,
        timeout=_timedelta(value.timeout) if has("timeout") else None,
        reported=_reported(value.reported),
        observed=_observed(value.observed),
        replayed=value.replayed,
        output_dropped=value.output_dropped,
        hint=value.hint,
    )


def episode_state(value: pb.GetStateResponse) -> models.EpisodeState:
    has = value.HasField
    loss = None
    if has("loss"):
        outcome = models.Outcome.of(value.loss.outcome)
        loss = models.Loss(value.loss.step_index, outcome, value.loss.description)
    return models.EpisodeState(
        episode_id=value.state.episode_id,
        step_count=value.state.step_count,
        last_exit_code=value.state.last_exit_code,
        status=models.EpisodeStatus.of(value.status),
        loss=loss,
        server_id=value.server_id,
        runtime=value.runtime,
        limits=limits(value.limits),
        seed=value.seed if has("seed") else None,
        create_time=_datetime(value.create_time) if has("create_time") else None,
        expire_time=_datetime(value.expire_time) if has("expire_time") else None,
        queued_steps=value.queued_steps,
        totals=_usage(value.totals) if has("totals") else None,
        output_total_bytes=value.output_total_bytes,
        tree_totals=_usage(value.tree_totals) if has("tree_totals") else None,
        fork=models.ForkOrigin(value.fork.parent_episode_id, value.fork.step_count, value.fork.depth)
        if has("fork")
        else None,
    )


def interrupt_result(value: pb.InterruptResponse) -> models.InterruptResult:
    step_index = value.step_index if value.HasField("step_index") else None
    return models.InterruptResult(value.interrupted, step_index, value.server_id)


def _server_limits(value: pb.ServerLimits) -> models.ServerLimits:
    return models.ServerLimits(
        episodes=value.episodes,
        running_steps=value.running_steps,
        waiting_steps=value.waiting_steps,
        queued_steps=value.queued_steps,
        request_bytes=value.request_bytes,
        reply_bytes=value.reply_bytes,
        environment_bytes=value.environment_bytes,
        default_step_timeout=_timedelta(value.default_step_timeout),
        interrupt_grace=_timedelta(value.interrupt_grace),
        background_cpu_time=_timedelta(value.background_cpu_time),
        worker_wait=_timedelta(value.worker_wait),
        kept_reply_bytes=value.kept_reply_bytes,
        sessions=value.sessions,
        session_requests=value.session_requests,
        session_grace=_timedelta(value.session_grace),
        representation_bytes=value.representation_bytes,
        files=_file_limits(value.files),
        forks=_fork_limits(value.forks),
    )


def _fork_limits(value: pb.ForkLimits) -> models.ForkLimits:
    return models.ForkLimits(
        children=value.children,
        checkpoints=value.checkpoints,
        checkpoint_bytes=value.checkpoint_bytes,
        server_checkpoints=value.server_checkpoints,
        server_checkpoint_bytes=value.server_checkpoint_bytes,
        evaluations=value.evaluations,
        checks=value.checks,
        calls=value.calls,
        on_failure=models.OnFailure.of(value.on_failure),
    )


def _fork_facts(value: pb.ForkFacts) -> models.ForkFacts:
    return models.ForkFacts(
        available=value.available,
        detail=value.detail,
        memory_separated=value.memory_separated,
        files_separated=value.files_separated,
        signals_separated=value.signals_separated,
        tracing_separated=value.tracing_separated,
        channel_private=value.channel_private,
        same_paths=value.same_paths,
        depth_max=value.depth_max if value.HasField("depth_max") else None,
    )


def _file_limits(value: pb.FileLimits) -> models.FileLimits:
    return models.FileLimits(
        calls=value.calls,
        waiting_calls=value.waiting_calls,
        files_per_call=value.files_per_call,
        bytes_per_call=value.bytes_per_call,
        chunk_bytes=value.chunk_bytes,
        path_bytes=value.path_bytes,
        depth=value.depth,
        selectors=value.selectors,
        reset_files=value.reset_files,
        reset_bytes=value.reset_bytes,
        stall_timeout=_timedelta(value.stall_timeout),
    )


def server_info(value: pb.GetServerInfoResponse) -> models.ServerInfo:
    runtimes = tuple(
        models.Runtime(
            runtime.name,
            runtime.python_version,
            tuple(runtime.preloads),
            runtime.hash_seed,
            runtime.warm_workers,
            tuple(models.Package(package.name, package.version) for package in runtime.packages),
        )
        for runtime in value.runtimes
    )
    layers = tuple(
        models.IsolationLayer(layer.name, models.IsolationLayerState.of(layer.state), layer.detail)
        for layer in value.isolation.layers
    )
    capacity = value.capacity
    return models.ServerInfo(
        version=value.version,
        server_id=value.server_id,
        default_limits=limits(value.default_limits),
        max_limits=limits(value.max_limits),
        server_limits=_server_limits(value.server_limits),
        runtimes=runtimes,
        isolation=models.Isolation(models.IsolationLevel.of(value.isolation.level), layers),
        capacity=models.Capacity(
            capacity.episodes,
            capacity.running_steps,
            capacity.waiting_steps,
            capacity.draining,
            capacity.checkpoints,
            capacity.evaluations,
        ),
        transforms=tuple(value.transforms),
        start_time=_datetime(value.start_time) if value.HasField("start_time") else None,
        fork=_fork_facts(value.fork),
    )
