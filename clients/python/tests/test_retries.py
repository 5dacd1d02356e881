"""A retry never runs code twice, whatever becomes of the connection."""

import asyncio
import random
import threading
import time

import pytest

from coding_env import AsyncCodingEnv, CodingEnv, ConnectError, DeadlineError, EpisodeGoneError, Outcome, Reason, RefusedError
from conftest import wait_until
from proxy import Proxy

QUICK = {"retry_first": 0.001, "retry_max": 0.05}
#: Notes each run of itself in the episode.
COUNT = "runs = globals().get('runs', 0) + 1\nprint(runs)"


@pytest.fixture
def proxy(server):
    with Proxy(server.address) as proxy:
        yield proxy


def test_a_connection_cut_in_the_middle_of_a_step(server, proxy):
    with CodingEnv(proxy.url, **QUICK) as env, CodingEnv(server.url) as watcher:
        env.reset()
        watcher._core._episode = env._core._episode
        breaking = threading.Thread(target=_break_once_running, args=(watcher, proxy))
        breaking.start()
        result = env.step(f"import time\n{COUNT}\ntime.sleep(1)")
        breaking.join()
        assert (result.observation.stdout, result.step_index) == ("1\n", 0)
        assert proxy.connections >= 2
        assert env.step("runs").observation.result == "1"
        assert env.state().step_count == 2
        watcher._core.forget()


def _break_once_running(watcher, proxy):
    wait_until("the step runs", lambda: watcher.state().status.name == "RUNNING")
    proxy.break_all()


def test_a_reply_that_is_lost_is_asked_for_again(server, proxy):
    with CodingEnv(proxy.url, **QUICK) as env, CodingEnv(server.url) as watcher:
        env.reset()
        watcher._core._episode = env._core._episode
        for step in range(1, 6):
            # The step runs, and nothing of its reply passes.
            proxy.hold()
            losing = threading.Thread(target=_lose_the_reply, args=(watcher, proxy, step))
            losing.start()
            result = env.step(COUNT)
            losing.join()
            assert (result.observation.stdout, result.replayed) == (f"{step}\n", True)
        watcher._core.forget()


def _lose_the_reply(watcher, proxy, step):
    wait_until("the step has run", lambda: watcher.state().step_count == step)
    proxy.break_all()
    proxy.release()


@pytest.mark.parametrize("seed", [1, 2])
def test_connections_that_are_cut_anywhere(start_server, seed):
    """Every reply belongs to its step, and each step's side effect happened once, in order."""
    server = start_server()
    chance = random.Random(seed)
    with Proxy(server.address) as proxy, CodingEnv(proxy.url, **QUICK) as env:
        proxy.cut_with(lambda: (chance.choice(["up", "down"]), chance.randrange(4000)))
        steps = 0
        for operation in range(200):
            if operation % 20 == 0:
                if steps:
                    assert env.step("log").observation.result == str(list(range(steps)))
                assert env.reset().state.step_count == 0
                steps = 0
                continue
            result = env.step(f"log = globals().get('log', [])\nlog.append({steps})\nprint({steps})")
            assert (result.observation.stdout, result.step_index) == (f"{steps}\n", steps)
            steps += 1
        assert env.step("log").observation.result == str(list(range(steps)))
        assert proxy.cuts > 10, "the proxy cut nothing"
        proxy.cut_with(lambda: None)
    # Resets whose reply was lost left nothing behind.
    with CodingEnv(server.url) as env:
        assert env.server_info().capacity.episodes == 0


def test_connections_that_are_cut_anywhere_under_asyncio(server):
    chance = random.Random(3)

    async def one(proxy, name):
        async with AsyncCodingEnv(proxy.url, **QUICK) as env:
            await env.reset()
            for step in range(20):
                result = await env.step(f"log = globals().get('log', [])\nlog.append({step})\n({name}, log)")
                assert result.observation.result == str((name, list(range(step + 1))))

    async def all_of_them(proxy):
        await asyncio.gather(*(one(proxy, name) for name in range(10)))

    with Proxy(server.address) as proxy:
        proxy.cut_with(lambda: (chance.choice(["up", "down"]), chance.randrange(6000)))
        asyncio.run(all_of_them(proxy))
        assert proxy.cuts > 3, "the proxy cut nothing"


def test_the_same_code_after_a_deadline_gets_the_first_reply(proxy):
    with CodingEnv(proxy.url, deadline=1.0) as env:
        env.reset()
        proxy.hold()
        with pytest.raises(DeadlineError) as told:
            env.step(COUNT)
        assert told.value.reason == Reason.DEADLINE
        assert isinstance(told.value, TimeoutError)
        proxy.release()
        result = env.step(COUNT)
        assert (result.observation.stdout, result.step_index, result.replayed) == ("1\n", 0, True)
        # Other code runs after it.
        proxy.hold()
        with pytest.raises(DeadlineError):
            env.step(COUNT)
        proxy.release()
        result = env.step(f"{COUNT}  # other code")
        assert (result.observation.stdout, result.step_index, result.replayed) == ("3\n", 2, False)


def test_a_deadline_bounds_the_code_too(server):
    with CodingEnv(server.url, deadline=1.0) as env:
        env.reset()
        begun = time.monotonic()
        result = env.step("import time\ntime.sleep(30)")
        assert (result.outcome, result.observation.exit_code, result.done) == (Outcome.TIMED_OUT, 124, False)
        assert time.monotonic() - begun < 20


def test_a_step_with_a_longer_timeout_outlives_the_deadline(server):
    with CodingEnv(server.url, deadline=0.5) as env:
        env.reset()
        result = env.step("import time\ntime.sleep(1.5)\nprint('slept')", timeout=20)
        assert (result.observation.stdout, result.timeout.total_seconds()) == ("slept\n", 20.0)


def test_a_step_that_was_interrupted_here_is_joined(server):
    """As after Ctrl-C: the call ends without a word about the step."""

    async def interrupted():
        async with AsyncCodingEnv(server.url) as env, AsyncCodingEnv(server.url) as watcher:
            await env.reset()
            watcher._core._episode = env._core._episode
            code = f"import time\n{COUNT}\ntime.sleep(1)"
            task = asyncio.ensure_future(env.step(code))
            while (await watcher.state()).status.name != "RUNNING":
                await asyncio.sleep(0.01)
            watcher._core.forget()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            result = await env.step(code)
            assert (result.observation.stdout, result.step_index) == ("1\n", 0)
            assert (await env.state()).step_count == 1

    asyncio.run(interrupted())


def test_nobody_answers(server):
    with Proxy(server.address) as proxy:
        url = proxy.url
    env = CodingEnv(url, deadline=0.5)
    with pytest.raises(ConnectError) as told:
        env.reset()
    assert told.value.reason == Reason.CONNECT
    assert "can't be reached" in str(told.value)
    assert isinstance(told.value, ConnectionError)
    env.close()


def test_a_server_that_comes_back_knows_no_old_episode(start_server):
    first = start_server(server_id="first")
    with CodingEnv(first.url) as env:
        env.reset()
        old = env.episode_id
        env.step("x = 1")
        first.process.kill()
        first.process.wait()
        second = start_server(listen=first.address, server_id="second")
        with pytest.raises(EpisodeGoneError) as told:
            env.step("x")
        assert told.value.reason == Reason.EPISODE_SERVER_GONE
        assert told.value.metadata["this_server_id"] == "second"
        assert told.value.metadata["episode_id"] == old
        # It goes on with a fresh one.
        result = env.reset()
        assert result.server_id == env.server_id == "second"
        assert env.step("'x' in globals()").observation.result == "False"
    with CodingEnv(second.url) as env:
        assert env.server_info().capacity.episodes == 0


def test_closing_an_episode_whose_server_is_gone(start_server):
    first = start_server(server_id="first")
    env = CodingEnv(first.url)
    env.reset()
    first.process.kill()
    first.process.wait()
    start_server(listen=first.address, server_id="second")
    assert env.close() is False


def test_a_server_that_is_busy_is_asked_again(start_server):
    server = start_server("--max-episodes", "1")
    with CodingEnv(server.url) as first, CodingEnv(server.url, deadline=0.6) as second:
        first.reset()
        with pytest.raises(RefusedError) as told:
            second.reset()
        assert told.value.reason == Reason.EPISODE_LIMIT
        assert 0 < told.value.retry_after < 10
    with CodingEnv(server.url) as first, CodingEnv(server.url) as second:
        first.reset()
        timer = threading.Timer(1.0, first.close)
        timer.start()
        # It waits for the first to end.
        assert second.reset().state.step_count == 0
        timer.join()


def test_a_server_that_drains_refuses_a_reset_and_goes_on_with_steps(start_server):
    server = start_server("--drain-timeout", "60s")
    with CodingEnv(server.url) as env, CodingEnv(server.url, deadline=1.0) as late:
        env.reset()
        late.server_info()
        server.process.terminate()
        wait_until("it drains", lambda: env.server_info().capacity.draining)
        with pytest.raises(RefusedError) as told:
            late.reset()
        assert told.value.reason == Reason.SHUTTING_DOWN
        assert env.step("1 + 1").observation.result == "2"
    server.process.wait(60)
