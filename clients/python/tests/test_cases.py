"""The table of cases that all clients run: clients/cases.json, as clients/README.md describes it."""

import asyncio
import json
import os
import re
import threading

import grpc
import pytest
from google.protobuf import json_format

from coding_env import AsyncCodingEnv, CodingEnv, CodingEnvError, Network, RefusedError, StepLimits
from coding_env import _channels, _convert
from coding_env.v1 import coding_env_pb2 as pb
from conftest import HERE, PATIENCE

PATH = os.environ.get("CODING_ENV_CASES") or HERE.parents[1] / "cases.json"
with open(PATH, encoding="utf-8") as file:
    CASES = json.load(file)["cases"]


def only(found, *known):
    """Fails on a key that this runner does not know."""
    assert set(found) <= set(known), f"unknown keys: {set(found) - set(known)}"
    return found


def reset_arguments(asked):
    request = json_format.ParseDict(asked, pb.ResetRequest())
    assert not (request.episode_id or request.request_id or request.previous_episode_id)
    return {
        "seed": request.seed if request.HasField("seed") else None,
        "runtime": request.runtime,
        "limits": _convert.limits(request.limits) if request.HasField("limits") else None,
        "environment": dict(request.environment),
        "network": Network.of(request.network),
    }


def step_arguments(asked):
    asked = dict(asked)
    code = asked.pop("code")
    request = json_format.ParseDict(asked, pb.StepRequest())
    assert not (request.episode_id or request.HasField("step_index"))
    limits = None
    if request.HasField("limits"):
        output_bytes = request.limits.output_bytes if request.limits.HasField("output_bytes") else None
        cpu_time = request.limits.cpu_time.ToTimedelta() if request.limits.HasField("cpu_time") else None
        limits = StepLimits(output_bytes, cpu_time)
    return code, {
        "timeout": request.timeout.ToTimedelta() if request.HasField("timeout") else None,
        "limits": limits,
        "max_reply_bytes": request.max_reply_bytes if request.HasField("max_reply_bytes") else None,
    }


def name_of(member):
    """The name of the member in the contract: OUTCOME_TIMED_OUT."""
    return re.sub("(?<!^)([A-Z])", r"_\1", type(member).__name__).upper() + "_" + member.name


def look(result, key):
    if key in ("stdout", "stderr", "exit_code", "result"):
        return getattr(result.observation, key)
    if key in ("done", "metadata", "step_count", "last_exit_code"):
        return getattr(result, key)
    if key in ("outcome", "state_after", "status"):
        return name_of(getattr(result, key))
    if key == "exception":
        return result.reported.exception.type if result.reported.exception else ""
    if key == "stdout_truncated":
        return result.observed.stdout_truncated
    raise AssertionError(f"unknown key: {key}")


def check(result, expected):
    for key, value in expected.items():
        if key == "reward":
            assert (result.reward is None) if value is None else result.reward == pytest.approx(value, abs=1e-9), result
        elif key.endswith("_contains"):
            assert value in look(result, key[: -len("_contains")]), result
        else:
            assert look(result, key) == value, (key, result)


def check_error(error, expected):
    only(expected, "code", "reason", "fields")
    code = error.code.name if isinstance(error, RefusedError) else None
    assert (error.reason, code) == (expected["reason"], expected.get("code")), error
    if "fields" in expected:
        assert sorted(violation.field for violation in error.violations) == expected["fields"]


class Blocking:
    """Runs calls with the blocking client."""

    def __init__(self, url):
        self.url = url
        self.env = CodingEnv(url)

    def call(self, what, *arguments, **named):
        return getattr(self.env, what)(*arguments, **named)

    def interrupted(self, code, named):
        stop = threading.Event()
        thread = threading.Thread(target=self._interrupt, args=(stop,))
        thread.start()
        try:
            return self.env.step(code, **named)
        finally:
            stop.set()
            thread.join()

    def _interrupt(self, stop):
        while not stop.wait(0.02) and not self.env.interrupt():
            pass

    def finish(self):
        self.env.close()


class Async:
    """Runs calls with the asyncio client."""

    def __init__(self, url):
        self.url = url
        self.loop = asyncio.new_event_loop()
        self.env = AsyncCodingEnv(url)

    def call(self, what, *arguments, **named):
        return self.loop.run_until_complete(getattr(self.env, what)(*arguments, **named))

    def interrupted(self, code, named):
        async def both():
            step = asyncio.ensure_future(self.env.step(code, **named))
            while not step.done() and not await self.env.interrupt():
                await asyncio.sleep(0.02)
            return await step

        return self.loop.run_until_complete(both())

    def finish(self):
        self.call("close")
        self.loop.close()


@pytest.fixture(scope="module")
def stub(server):
    with grpc.insecure_channel(server.address) as channel:
        yield _channels.rpcs(channel)


@pytest.mark.parametrize("runner", [Blocking, Async])
@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(server, stub, case, runner):
    only(case, "name", "reset", "calls")
    running = runner(server.url)
    try:
        running.call("reset", **reset_arguments(case.get("reset", {})))
        for call in case["calls"]:
            run(running, stub, call)
    finally:
        running.finish()


def run(running, stub, call):
    only(call, "step", "reset", "state", "close", "end", "interrupt", "expect", "expect_error")
    if "end" in call:
        stub["Close"](pb.CloseRequest(episode_id=running.env.episode_id), timeout=PATIENCE)
        return
    try:
        if "step" in call:
            code, named = step_arguments(call["step"])
            result = running.interrupted(code, named) if call.get("interrupt") else running.call("step", code, **named)
        elif "reset" in call:
            result = running.call("reset", **reset_arguments(call["reset"]))
        elif "state" in call:
            result = running.call("state")
        else:
            assert call == {"close": {}}
            running.call("close")
            return
    except CodingEnvError as error:
        if "expect_error" not in call:
            raise
        check_error(error, call["expect_error"])
        return
    assert "expect_error" not in call, result
    check(result, call["expect"])
