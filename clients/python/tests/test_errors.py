"""Errors bear the server's reason, and what the code does is none."""

import pickle

import grpc
import pytest

from coding_env import (
    BusyError,
    CodingEnv,
    CodingEnvError,
    DeadlineError,
    DockerError,
    EpisodeGoneError,
    Limits,
    NoEpisodeError,
    Options,
    Outcome,
    Reason,
    RefusedError,
    StateAfter,
    StepLimits,
    UrlError,
    Violation,
)
from coding_env import _details_pb2 as details_pb
from coding_env.errors import from_rpc_error


def test_what_the_code_does_is_no_error(env):
    result = env.step("print('before')\n1 / 0")
    assert (result.outcome, result.observation.exit_code, result.observation.stdout) == (Outcome.RAISED, 1, "before\n")
    assert result.reported.exception.type == "ZeroDivisionError"
    assert "ZeroDivisionError: division by zero" in result.observation.stderr
    assert (result.state_after, result.done) == (StateAfter.INTACT, False)


def test_all_fields_that_are_wrong_are_named(env):
    before = env.episode_id
    with pytest.raises(RefusedError) as told:
        env.reset(limits=Limits(memory_bytes=1, open_files=1), runtime="none such", environment={"LD_PRELOAD": "x"})
    error = told.value
    assert (error.reason, error.code) == (Reason.INVALID_FIELD, grpc.StatusCode.INVALID_ARGUMENT)
    fields = {violation.field for violation in error.violations}
    assert {"limits.memory_bytes", "limits.open_files", "runtime"} <= fields
    assert len(fields) == 4
    assert all(violation.description in error.message for violation in error.violations)
    assert str(error).startswith("INVALID_FIELD: ")
    # The episode is as it was.
    assert env.episode_id == before
    assert env.step("1").step_index == 0


def test_very_many_wrong_fields_still_arrive(env):
    with pytest.raises(RefusedError) as told:
        env.reset(environment={f"LD_{number:0100}": "x" for number in range(200)})
    assert told.value.reason == Reason.INVALID_FIELD
    assert len(told.value.violations) > 3


def test_a_lost_episode(env):
    result = env.step("import os\nprint('last words')\nos._exit(3)")
    assert (result.done, result.state_after, result.outcome) == (True, StateAfter.LOST, Outcome.KILLED)
    assert (result.observation.stdout, result.observation.exit_code) == ("last words\n", 3)
    with pytest.raises(EpisodeGoneError) as told:
        env.step("1")
    assert (told.value.reason, told.value.code) == (Reason.EPISODE_LOST, grpc.StatusCode.FAILED_PRECONDITION)
    state = env.state()
    assert (state.status.name, state.loss.step_index, state.loss.outcome) == ("LOST", 0, Outcome.KILLED)
    assert state.loss.description
    env.reset()
    assert env.step("1").observation.result == "1"


def test_an_episode_that_somebody_else_ended(env, server):
    with CodingEnv(server.url) as other:
        other._core._episode = env._core._episode
        assert other.close() is True
    with pytest.raises(EpisodeGoneError) as told:
        env.step("1")
    assert told.value.reason == Reason.EPISODE_CLOSED
    assert told.value.metadata["episode_id"] == env.episode_id
    assert env.close() is False


def test_there_is_no_episode(server):
    with CodingEnv(server.url) as env:
        for call in (lambda: env.step("1"), env.state, env.interrupt):
            with pytest.raises(NoEpisodeError, match="reset first") as told:
                call()
            assert told.value.reason == "NO_EPISODE"
        assert env.close() is False
        env.reset()
        assert env.close() is True
        with pytest.raises(NoEpisodeError):
            env.step("1")
        # It may be used again.
        env.reset()
        assert env.step("1").observation.result == "1"


@pytest.mark.parametrize(
    "url",
    ["", "http://", "ftp://127.0.0.1:1", "http://127.0.0.1:99999", "http://a b:1", "http://127.0.0.1:1/path", "http://user@127.0.0.1:1", "http://h:1?q"],
)
def test_urls_that_are_none(url):
    with pytest.raises(UrlError, match="has to be like") as told:
        CodingEnv(url)
    assert isinstance(told.value, ValueError)
    assert told.value.reason == "URL"


@pytest.mark.parametrize(
    "wrong",
    [{"deadline": 0}, {"retry_first": -1}, {"client_key": b""}, {"metadata": {"Upper": "x"}}, {"metadata": {"a-bin": "x"}}],
)
def test_options_that_can_not_be(wrong):
    with pytest.raises(ValueError):
        CodingEnv("http://127.0.0.1:1", **wrong)


def test_secrets_are_not_shown():
    options = Options(token="hush", metadata={"x-key": "hush"}, client_certificate=b"hush", client_key=b"hush")
    assert "hush" not in repr(options)


def test_a_source_that_is_too_large_for_the_library(env):
    with pytest.raises(RefusedError) as told:
        env.step("#" * (18 << 20))
    assert (told.value.reason, told.value.code) == ("", grpc.StatusCode.OUT_OF_RANGE)
    # It did not run, and is not counted.
    assert env.step("1").step_index == 0


def test_a_large_reply(env):
    result = env.step("print('x' * 900_000)\n'y' * 200_000", limits=StepLimits(output_bytes=1 << 20), max_reply_bytes=4 << 20)
    assert len(result.observation.stdout) == 900_001
    assert len(result.observation.result) == 200_002


def test_errors_can_be_pickled():
    refused = EpisodeGoneError("EPISODE_LOST", grpc.StatusCode.ABORTED, "gone", {"a": "b"}, 1.5, (Violation("f", "d"),), "id")
    for error in (refused, DeadlineError("late"), DockerError("no", "the log"), NoEpisodeError("none")):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))
    assert isinstance(refused, CodingEnvError)


class _Rpc:
    """An error as the gRPC library gives it."""

    def __init__(self, code, message="", *details):
        self._code, self._message = code, message
        status = details_pb.Status()
        for name, detail in details:
            status.details.add(type_url=f"type.googleapis.com/{name}", value=detail.SerializeToString())
        self._trailers = [("grpc-status-details-bin", status.SerializeToString())] if details else []

    def code(self):
        return self._code

    def details(self):
        return self._message

    def trailing_metadata(self):
        return self._trailers


def _info(reason, **metadata):
    return ("google.rpc.ErrorInfo", details_pb.ErrorInfo(reason=reason, domain="coding_env", metadata=metadata))


@pytest.mark.parametrize(
    ("rpc", "kind", "retryable", "unsure"),
    [
        (_Rpc(grpc.StatusCode.UNAVAILABLE, "Socket closed"), "ConnectError", True, True),
        (_Rpc(grpc.StatusCode.INTERNAL, "Received RST_STREAM with error code 2"), "ConnectError", True, True),
        (_Rpc(grpc.StatusCode.CANCELLED, "Received RST_STREAM with error code 8"), "ConnectError", True, True),
        (_Rpc(grpc.StatusCode.UNKNOWN, "Stream removed"), "ConnectError", True, True),
        (_Rpc(grpc.StatusCode.UNKNOWN, "something else"), "RefusedError", False, True),
        (_Rpc(grpc.StatusCode.CANCELLED, "Timeout expired"), "DeadlineError", False, True),
        (_Rpc(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded"), "DeadlineError", False, True),
        (_Rpc(grpc.StatusCode.DEADLINE_EXCEEDED, "late", _info("DEADLINE")), "DeadlineError", False, True),
        (_Rpc(grpc.StatusCode.INTERNAL, "", _info("INTERNAL")), "RefusedError", False, True),
        (_Rpc(grpc.StatusCode.UNIMPLEMENTED, "no such RPC"), "RefusedError", False, False),
        (_Rpc(grpc.StatusCode.UNAUTHENTICATED, "", _info("TOKEN_INVALID")), "RefusedError", False, False),
        (_Rpc(grpc.StatusCode.UNAVAILABLE, "", _info("NO_WORKER")), "BusyError", False, False),
        (_Rpc(grpc.StatusCode.ABORTED, "", _info("EPISODE_ENDED")), "EpisodeGoneError", False, False),
        (_Rpc(grpc.StatusCode.FAILED_PRECONDITION, "", _info("STEP_OUT_OF_ORDER")), "RefusedError", False, False),
    ],
)
def test_what_errors_of_the_library_mean(rpc, kind, retryable, unsure):
    error = from_rpc_error(rpc)
    assert (type(error).__name__, error._retryable, error._unsure) == (kind, retryable, unsure)


def test_details_of_a_refusal_are_read():
    retry = details_pb.RetryInfo()
    retry.retry_delay.nanos = 250_000_000
    request = details_pb.RequestInfo(request_id="abc")
    rpc = _Rpc(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "full",
        _info("STEP_LIMIT", limit="4"),
        ("google.rpc.RetryInfo", retry),
        ("google.rpc.RequestInfo", request),
        ("google.rpc.Unheard", request),
    )
    error = from_rpc_error(rpc)
    assert isinstance(error, BusyError)
    assert (error.reason, error.retry_after, error.metadata, error.request_id) == (Reason.STEP_LIMIT, 0.25, {"limit": "4"}, "abc")
    assert str(error) == "STEP_LIMIT: full (request abc)"


def test_a_reason_that_is_not_known_here():
    error = from_rpc_error(_Rpc(grpc.StatusCode.ABORTED, "new", _info("FROM_THE_FUTURE")))
    assert (error.reason, type(error)) == ("FROM_THE_FUTURE", RefusedError)


def test_details_that_can_not_be_read():
    rpc = _Rpc(grpc.StatusCode.ABORTED, "odd")
    rpc._trailers = [("grpc-status-details-bin", b"\xff\xff\xff")]
    assert from_rpc_error(rpc).code is grpc.StatusCode.ABORTED
