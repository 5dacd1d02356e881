"""The generated code is current, and all of the contract can be reached through the plain types."""

import dataclasses
import filecmp
import inspect
import os
import pathlib
import subprocess
import sys

import pytest

from coding_env import AsyncCodingEnv, AsyncPooledEnv, CodingEnv, PooledEnv, models
from coding_env import _convert, _copies, copies
from coding_env._arguments import ClientOptions, FromImage, ResetArguments, StepArguments
from coding_env._docker import DockerOptions
from coding_env.options import Options
from coding_env.v1 import coding_env_pb2 as pb
from conftest import PYTHON_CLIENT

#: How this package calls messages that are replies.
NAMES = {
    "ResetResponse": "ResetResult",
    "StepResponse": "StepResult",
    "GetStateResponse": "EpisodeState",
    "GetServerInfoResponse": "ServerInfo",
    "InterruptResponse": "InterruptResult",
}
#: Messages whose fields are arguments.
REQUESTS = {"ResetRequest": "reset", "StepRequest": "step", "InterruptRequest": "interrupt"}
#: What the client makes and reads by itself: step_stream() takes what step() does, and gives pieces and the result.
WITHIN = {
    "StepStreamRequest": {"step", "heartbeat", "stdout_offset", "stderr_offset"},
    "StepStreamResponse": {"piece", "heartbeat", "reply"},
    "Heartbeat": {"queued"},
    "SessionRequest": {
        "id", "received", "open", "reset", "step", "step_stream", "get_state", "interrupt", "close", "detach",
        "fork", "checkpoint", "rollback", "evaluate", "drop_checkpoint", "list_checkpoints",
    },
    "SessionResponse": {
        "id", "number", "open", "reset", "step", "step_stream", "get_state", "interrupt", "close", "detach", "error",
        "fork", "checkpoint", "rollback", "evaluate", "drop_checkpoint", "list_checkpoints",
    },
    "SessionOpen": {"session_id"},
    "SessionOpened": {"session_id", "server_id", "resumed"},
    "SessionDetach": {"episode_ids"},
    "SessionDetached": {"episode_ids"},
}
#: Fields that the client fills in by itself.
OWN_FIELDS = {
    "ResetRequest": {"episode_id", "request_id", "previous_episode_id"},
    "StepRequest": {"episode_id", "step_index"},
    "InterruptRequest": {"episode_id"},
}


#: Messages of the calls that move files, which `_files.py` takes apart; what they hold is checked in test_files.py.
OF_FILES = {
    "DeleteFilesRequest", "DeleteFilesResponse", "FileChunk", "FileEnd", "FileError", "FileFailure", "FileInfo", "FileSelector",
    "FilesSummary", "ListFilesRequest", "ListFilesResponse", "ReadFilesRequest", "ReadFilesResponse", "ResetFile", "WriteFilesRequest",
    "WriteFilesResponse",
}


#: Messages about copies, which `_copies.py` makes and takes apart.
OF_COPIES = {
    "ForkRequest", "ForkResponse", "ForkedChild", "CheckpointRequest", "CheckpointResponse", "RollbackRequest", "RollbackResponse",
    "ListCheckpointsRequest", "ListCheckpointsResponse", "DropCheckpointRequest", "DropCheckpointResponse", "EvaluateRequest",
    "EvaluateResponse", "Check",
}
#: Our fields where they are not the contract's: values are plain Python, and a check has its weight itself.
OF_CHECKS = {
    "Evaluation": {"code", "timeout", "limits", "checks", "call_timeout"},
    "StdoutCheck": {"expected", "comparison", "absolute_tolerance", "relative_tolerance", "weight"},
    "CallCheck": {"function", "calls", "weight"},
    "Call": {"args", "kwargs", "expected", "absolute_tolerance", "relative_tolerance"},
    "TestCheck": {"source", "weight"},
}


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="the pinned protoc package is for CPython 3.9 to 3.12")
def test_generated_code_is_current(tmp_path):
    subprocess.run(
        [PYTHON_CLIENT / "generate", tmp_path], check=True, timeout=700, env={**os.environ, "PYTHON": sys.executable}
    )
    written = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*_pb2.py*"))
    assert len(written) == 4
    source = PYTHON_CLIENT / "src"
    assert written == sorted(path.relative_to(source) for path in source.rglob("*_pb2.py*"))
    for path in written:
        assert filecmp.cmp(tmp_path / path, source / path, shallow=False), f"{path}: run clients/python/generate"


@pytest.mark.parametrize("message", [message for message in pb.DESCRIPTOR.message_types_by_name.values()], ids=lambda message: message.name)
def test_every_field_can_be_reached(message):
    fields = {field.name for field in message.fields}
    if message.name in OF_FILES | OF_COPIES:
        return
    if message.name in REQUESTS:
        for kind in (CodingEnv, AsyncCodingEnv, PooledEnv, AsyncPooledEnv):
            parameters = set(inspect.signature(getattr(kind, REQUESTS[message.name])).parameters) - {"self"}
            assert parameters == fields - OWN_FIELDS[message.name]
    elif message.name in ("GetStateRequest", "CloseRequest"):
        assert fields == {"episode_id"}
    elif message.name == "CloseResponse":
        assert fields == {"closed", "server_id"}  # close() returns the one
    elif message.name == "GetServerInfoRequest":
        assert not fields
    elif message.name in WITHIN:
        assert fields == WITHIN[message.name]
    else:
        name = NAMES.get(message.name, message.name)
        kind = getattr(models, name, None) or getattr(copies, name)
        fields = OF_CHECKS.get(message.name, fields)
        ours = {field.name for field in dataclasses.fields(kind)}
        if kind is models.EpisodeState:
            ours = ours - {field.name for field in dataclasses.fields(models.CodeState)} | {"state"}
        assert ours == fields


@pytest.mark.parametrize("enumeration", list(pb.DESCRIPTOR.enum_types_by_name.values()), ids=lambda enumeration: enumeration.name)
def test_every_value_has_its_name(enumeration):
    kind = getattr(models, enumeration.name)
    (zero,) = (value.name for value in enumeration.values if value.number == 0)
    prefix = zero[: -len("UNSPECIFIED")]
    assert {prefix + member.name: member.value for member in kind} == {value.name: value.number for value in enumeration.values}
    # A value from the future is taken for the zero value.
    assert kind.of(9999) is kind(0)




def filled(message, value):
    """The message with something in every field."""
    for field in message.DESCRIPTOR.fields:
        if field.message_type and field.message_type.GetOptions().map_entry:
            getattr(message, field.name)["key"] = f"value {value}"
        elif field.message_type:
            repeated = getattr(message, field.name)
            filled(repeated.add() if hasattr(repeated, "add") else repeated, value)
        elif field.enum_type:
            _set(message, field, 1)
        else:
            text = b"text" if field.type == field.TYPE_BYTES else "text"
            kinds = {field.CPPTYPE_STRING: text, field.CPPTYPE_BOOL: True, field.CPPTYPE_DOUBLE: 0.5}
            _set(message, field, kinds.get(field.cpp_type, value))
    return message


def _set(message, field, value):
    target = getattr(message, field.name)
    if hasattr(target, "append"):
        target.append(value)
    else:
        setattr(message, field.name, value)


def empty_fields(found, path=""):
    for field in dataclasses.fields(found):
        value = getattr(found, field.name)
        here = f"{path}.{field.name}"
        if dataclasses.is_dataclass(value):
            yield from empty_fields(value, here)
        elif isinstance(value, tuple) and value and dataclasses.is_dataclass(value[0]):
            yield from empty_fields(value[0], here)
        elif not value:
            yield here


@pytest.mark.parametrize(
    ("message", "convert"),
    [
        (pb.ResetResponse, _convert.reset_result),
        (pb.StepResponse, _convert.step_result),
        (pb.GetStateResponse, _convert.episode_state),
        (pb.GetServerInfoResponse, _convert.server_info),
        (pb.InterruptResponse, _convert.interrupt_result),
        (pb.OutputPiece, _convert.output_piece),
        (pb.EvaluationResult, _copies.evaluation_result),
        (pb.CheckpointInfo, _copies._checkpoint),
    ],
)
def test_every_field_is_carried_over(message, convert):
    assert list(empty_fields(convert(filled(message(), 7)))) == []


def test_steps_take_the_same_arguments_streamed_or_not():
    for kind in (CodingEnv, AsyncCodingEnv):
        assert inspect.signature(kind.step_stream).parameters.keys() == inspect.signature(kind.step).parameters.keys()


def test_limits_go_both_ways():
    limits = _convert.limits(filled(pb.Limits(), 7))
    assert _convert.limits(_convert.to_limits(limits)) == limits
    assert _convert.limits(_convert.to_limits(models.Limits())) == models.Limits()


def test_absent_is_not_zero():
    assert _convert.to_limits(models.Limits(open_files=0)).HasField("open_files")
    assert not _convert.to_limits(models.Limits()).HasField("open_files")
    assert _convert.step_result(pb.StepResponse()).reward is None
    assert _convert.step_result(pb.StepResponse(reward=0.0)).reward == 0.0


@pytest.mark.parametrize(
    ("value", "seconds", "nanos"), [(1.5, 1, 500_000_000), (0, 0, 0), (-1.5, -1, -500_000_000), (1e-9, 0, 1), (3600, 3600, 0)]
)
def test_durations(value, seconds, nanos):
    duration = _convert.to_duration(value)
    assert (duration.seconds, duration.nanos) == (seconds, nanos)


def test_all_options_can_be_given_by_name():
    options = {field.name for field in dataclasses.fields(Options)}
    for kind in (CodingEnv, AsyncCodingEnv):
        assert set(inspect.signature(kind).parameters) == {"base_url", *options}
    assert set(ClientOptions.__annotations__) == options
    assert set(FromImage.__annotations__) == options | {field.name for field in dataclasses.fields(DockerOptions)}


def test_all_arguments_of_calls_can_be_given_to_many():
    assert set(ResetArguments.__annotations__) == set(inspect.signature(CodingEnv.reset).parameters) - {"self"}
    assert set(StepArguments.__annotations__) == set(inspect.signature(CodingEnv.step).parameters) - {"self", "action"}


def test_no_file_is_named_after_the_machine_it_was_made_on():
    for path in pathlib.Path(PYTHON_CLIENT / "src").rglob("*.py"):
        assert str(PYTHON_CLIENT) not in path.read_text(encoding="utf-8")
