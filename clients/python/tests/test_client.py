"""What each call takes and gives, blocking and with asyncio."""

import asyncio
import datetime
import gc
import subprocess
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from coding_env import (
    AsyncCodingEnv,
    CodeAction,
    CodingEnv,
    CodingEnvError,
    ConnectError,
    IsolationLayerState,
    LimitKind,
    Limits,
    NoEpisodeError,
    Outcome,
    StateAfter,
    StepLimits,
    UsageScope,
)
from coding_env._core import new_id
from conftest import PATIENCE, wait_until
from proxy import Proxy


def test_a_reset_takes_all_that_the_contract_has(server):
    with CodingEnv(server.url) as env:
        limits = Limits(
            source_bytes=1000,
            output_bytes=2048,
            result_bytes=1024,
            step_timeout=datetime.timedelta(seconds=7),
            step_cpu_time=datetime.timedelta(milliseconds=2500),
            idle_timeout=datetime.timedelta(seconds=90),
            memory_bytes=1 << 30,
            open_files=64,
            file_bytes=1 << 20,
        )
        result = env.reset(seed=7, runtime="default", limits=limits, environment={"GREETING": "grüße"})
        for name in ("source_bytes", "output_bytes", "result_bytes", "memory_bytes", "open_files", "file_bytes"):
            assert getattr(result.limits, name) == getattr(limits, name), name
        for name in ("step_timeout", "step_cpu_time", "idle_timeout"):
            assert getattr(result.limits, name) == getattr(limits, name), name
        assert (result.runtime, result.server_id, result.done) == ("default", "test", False)
        assert result.state.episode_id == env.episode_id and env.server_id == "test"
        assert env.step("import os; os.environ['GREETING']").observation.result == "'grüße'"
        first = env.step("import random; random.random()").observation.result
        state = env.state()
        assert (state.seed, state.limits, state.runtime, state.queued_steps) == (7, result.limits, "default", 0)
        assert state.create_time < state.expire_time <= state.create_time + datetime.timedelta(seconds=150)
        assert abs(state.create_time - datetime.datetime.now(datetime.timezone.utc)) < datetime.timedelta(minutes=5)
        assert state.totals.wall_time > datetime.timedelta(0)
        env.reset(seed=7)
        assert env.step("import random; random.random()").observation.result == first


def test_a_step_takes_all_that_the_contract_has(env):
    result = env.step(
        CodeAction(code="print('x' * 5000)"), timeout=12.5, limits=StepLimits(output_bytes=1024), max_reply_bytes=1 << 20
    )
    assert result.timeout == datetime.timedelta(seconds=12.5)
    assert result.observed.stdout_truncated and not result.observed.stderr_truncated
    assert (result.observed.stdout_total_bytes, result.observed.stdout_kept_bytes) == (5001, 1024)
    assert env.step("1", timeout=datetime.timedelta(milliseconds=1500)).timeout == datetime.timedelta(seconds=1.5)

    result = env.step("while True: pass", timeout=0.2)
    assert (result.outcome, result.observed.limit, result.state_after) == (Outcome.TIMED_OUT, LimitKind.STEP_TIMEOUT, StateAfter.INTACT)
    result = env.step("while True: pass", limits=StepLimits(cpu_time=datetime.timedelta(milliseconds=100)))
    assert (result.outcome, result.observed.limit) == (Outcome.LIMIT_EXCEEDED, LimitKind.CPU_TIME)
    assert result.observed.usage.scope is UsageScope.WORKER
    assert result.observed.usage.cpu_user_time + result.observed.usage.cpu_system_time > datetime.timedelta(milliseconds=50)
    assert (result.step_index, result.state.step_count) == (3, 4)

    result = env.step("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    assert (result.outcome, result.observed.signal, result.observation.exit_code, result.done) == (Outcome.KILLED, 9, 137, True)


def test_rewards_and_labels(env):
    assert env.step("x = 1").reward == 0.1
    result = env.step("import os\nos.system('true')")
    assert "safety_violation" in result.metadata


def test_no_transforms_give_no_reward(start_server):
    with CodingEnv(start_server("--transforms", "none").url) as env:
        assert env.reset().reward is None
        assert env.step("1").reward is None


def test_a_result_of_none_is_absent_and_an_empty_text_is_not(env):
    assert env.step("None").observation.result is None
    assert env.step("''").observation.result == "''"


@pytest.fixture
def open_server(start_server):
    """A server whose episodes share the host's files with the test, for tests that have to know that code has begun."""
    server = start_server("--isolation", "none")
    server.expect_log("isolation level none")
    return server


def sleeping(marker):
    return f"import time\nx = 5\nopen({str(marker)!r}, 'w').close()\ntime.sleep(60)"


def test_an_interrupt_from_another_thread(open_server, tmp_path):
    marker = tmp_path / "begun"
    with CodingEnv(open_server.url) as env, ThreadPoolExecutor(1) as pool:
        env.reset()
        assert not env.interrupt()
        step = pool.submit(env.step, sleeping(marker))
        wait_until("the code has begun", marker.exists)
        assert not env.interrupt(step_index=9)
        done = env.interrupt(step_index=0)
        assert (done.interrupted, done.step_index, done.server_id) == (True, 0, "test")
        result = step.result(PATIENCE)
        assert (result.outcome, result.observation.exit_code) == (Outcome.INTERRUPTED, 130)
        assert env.step("x").observation.result == "5"


def test_what_the_server_is(env):
    info = env.server_info()
    assert info.version and info.server_id == "test" and info.transforms == ("safety", "quality")
    assert info.capacity.episodes >= 1 and not info.capacity.draining
    assert info.runtimes[0].name == "default" and info.runtimes[0].python_version.startswith("3.")
    assert info.default_limits.source_bytes == info.max_limits.source_bytes == 16 << 20
    assert info.server_limits.default_step_timeout == datetime.timedelta(seconds=30)
    assert info.server_limits.reply_bytes == 3584 << 10
    assert any(layer.state is IsolationLayerState.ENFORCED for layer in info.isolation.layers)
    assert info.start_time < datetime.datetime.now(datetime.timezone.utc)


def test_threads_that_share_an_environment_take_turns(env):
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda number: env.step(f"x = globals().get('x', 0) + 1\n{number}"), range(40)))
    assert sorted(result.step_index for result in results) == list(range(40))
    assert [result.observation.result for result in results] == [str(number) for number in range(40)]
    assert env.step("x").observation.result == "40"


def test_close_while_a_step_runs(server):
    env = CodingEnv(server.url)
    env.reset()
    with ThreadPoolExecutor(1) as pool:
        step = pool.submit(env.step, "import time\ntime.sleep(60)")
        wait_until("the step runs", lambda: env.state().status.name == "RUNNING")
        assert env.close() is True
        with pytest.raises(CodingEnvError) as told:
            step.result(30)
    assert told.value.reason == "EPISODE_ENDED"


def test_two_thousand_episodes_over_one_connection(start_server):
    server = start_server("--isolation", "none", "--max-episodes", "3000")
    server.expect_log("isolation level none")
    count = 2000
    with Proxy(server.address) as proxy:
        envs = [CodingEnv(proxy.url) for _ in range(count)]
        with ThreadPoolExecutor(32) as pool:
            list(pool.map(lambda env: env.reset(), envs))
            assert envs[0].server_info().capacity.episodes == count
            for step in range(1):
                results = pool.map(lambda pair: pair[1].step(f"x = globals().get('x', {pair[0]}) + 1\nx"), enumerate(envs))
                for number, result in enumerate(results):
                    assert (result.observation.result, result.step_index) == (str(number + step + 1), step)
            assert proxy.connections == 1
            assert all(pool.map(lambda env: env.close(), envs))
        with CodingEnv(proxy.url) as env:
            assert env.server_info().capacity.episodes == 0
        assert proxy.connections == 1


def test_a_thousand_episodes_at_once_over_one_connection_with_asyncio(start_server):
    server = start_server("--isolation", "none")
    server.expect_log("isolation level none")
    count = 1000

    async def one(url, number):
        async with AsyncCodingEnv(url) as env:
            await env.reset()
            await env.step(f"x = {number}")
            return (await env.step("x")).observation.result

    async def all_of_them(url):
        # One that stays, so that the connection does.
        async with AsyncCodingEnv(url) as env:
            await env.reset()
            results = await asyncio.gather(*(one(url, number) for number in range(count)))
            info = await env.server_info()
        return results, info

    with Proxy(server.address) as proxy:
        results, info = asyncio.run(all_of_them(proxy.url))
        assert results == [str(number) for number in range(count)]
        assert info.capacity.episodes == 1
        assert proxy.connections == 1


def test_environments_that_follow_one_another_share_a_connection(server):
    with Proxy(server.address) as proxy:
        for _ in range(20):
            with CodingEnv(proxy.url) as env:
                env.reset()
        assert proxy.connections == 1


def test_asyncio(open_server, tmp_path):
    marker = tmp_path / "begun"

    async def use():
        marker.unlink(missing_ok=True)
        async with AsyncCodingEnv(base_url=open_server.url) as env:
            with pytest.raises(NoEpisodeError):
                await env.step("1")
            result = await env.reset(seed=1, limits=Limits(output_bytes=2048))
            assert result.limits.output_bytes == 2048 and env.episode_id == result.state.episode_id
            assert env.server_id == "test"
            result = await env.step(CodeAction(code="x = 1\nprint('Hello')\nx"), timeout=5)
            assert (result.observation.stdout, result.observation.result, result.reward) == ("Hello\n", "1", 0.1)
            # Those that are awaited at once run in order.
            results = await asyncio.gather(*(env.step(f"x += 1\n(x, {number})") for number in range(10)))
            assert [result.observation.result for result in results] == [f"({number + 2}, {number})" for number in range(10)]
            step = asyncio.ensure_future(env.step(sleeping(marker)))
            while not marker.exists():
                await asyncio.sleep(0.01)
            assert await env.interrupt()
            assert (await step).outcome is Outcome.INTERRUPTED
            assert (await env.state()).step_count == 12
            assert (await env.server_info()).server_id == "test"
            assert await env.close() is True
            assert await env.close() is False

    # In two event loops, one after the other.
    asyncio.run(use())
    asyncio.run(use())


def test_an_environment_belongs_to_one_event_loop(server):
    env = AsyncCodingEnv(server.url)
    asyncio.run(env.reset())
    with pytest.raises(CodingEnvError, match="one event loop"):
        asyncio.run(env.step("1"))


def test_with_tells_what_went_wrong_first(start_server):
    server = start_server()
    envs = [CodingEnv(server.url, deadline=0.3) for _ in range(2)]
    for env in envs:
        env.reset()
    server.process.kill()
    server.process.wait()
    with pytest.raises(KeyError), envs[0]:
        raise KeyError("mine")
    with pytest.raises(ConnectError), envs[1]:
        pass


def test_an_environment_that_is_forgotten_gives_its_connection_back(server):
    from coding_env._channels import POOL

    env = CodingEnv(server.url)
    env.server_info()
    shared = env._shared
    users = shared.users
    del env
    gc.collect()
    assert shared.users == users - 1
    assert POOL._channels[shared.target] is shared


def test_ids():
    ids = [new_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    for each in map(uuid.UUID, ids):
        assert (each.version, each.variant) == (7, uuid.RFC_4122)
        assert abs((each.int >> 80) / 1000 - time.time()) < 60
    assert [each[:8] for each in ids] == sorted(each[:8] for each in ids)


def test_seeding_random_changes_no_id():
    script = "import random; random.seed(1); from coding_env._core import new_id; print(new_id()); print(random.random())"
    first, second = (subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split() for _ in range(2))
    assert first[0] != second[0]
    assert first[1] == second[1]


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_child_processes_make_their_own_connections(server, tmp_path, method):
    script = tmp_path / "script.py"
    script.write_text(CHILDREN)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", script, server.url, method], capture_output=True, text=True, timeout=120
    )
    assert done.stdout == "['42', '42']\n1\n", done.stderr


CHILDREN = """
import multiprocessing, sys
from coding_env import CodingEnv

def child(url, queue):
    with CodingEnv(url) as env:
        env.reset()
        queue.put(env.step("6 * 7").observation.result)

if __name__ == "__main__":
    url = sys.argv[1]
    context = multiprocessing.get_context(sys.argv[2])
    with CodingEnv(url) as env:
        env.reset()
        env.step("x = 1")
        queue = context.Queue()
        children = [context.Process(target=child, args=(url, queue)) for _ in range(2)]
        for each in children:
            each.start()
        print([queue.get(timeout=60) for _ in children])
        for each in children:
            each.join(60)
        print(env.step("x").observation.result)
"""


def test_what_is_sent_with_each_call(env):
    """The headers of the contract's "Routing", and the caller's own."""
    assert env._core._episode.headers == (("x-episode-id", env.episode_id), ("x-coding-env-server", "test"))
    other = CodingEnv("http://127.0.0.1:1", token="secret", metadata={"x-tenant": "blue"})
    assert other._core._headers == (("x-tenant", "blue"), ("authorization", "Bearer secret"))


def test_threads_do_not_stay(server):
    before = threading.active_count()
    with CodingEnv(server.url) as env:
        env.reset()
        env.step("1")
    assert threading.active_count() <= before + 1
