"""Pools and vector environments, on several real servers that fill up, drain, stop and are killed."""

import asyncio
import collections
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import pytest

from coding_env import (
    AsyncPool,
    AsyncVectorEnv,
    BusyError,
    CodingEnv,
    CodingEnvError,
    ConnectError,
    EpisodeGoneError,
    NoEpisodeError,
    Outcome,
    Pool,
    Reason,
    RefusedError,
    Standing,
    UrlError,
    VectorEnv,
)
from coding_env._within import within
from conftest import PATIENCE, wait_until
from proxy import Proxy

ENDLESS = "import time\nwhile True: time.sleep(0.01)"


def per_server(envs):
    return collections.Counter(env.server_id for env in envs)


def ok(results):
    """The results, none of which is an exception."""
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results


def capacity(server):
    with CodingEnv(server.url) as env:
        return env.server_info().capacity


def until_standing(pool, server_id, standing):
    wait_until(f"{server_id} is {standing}", lambda: (server_id, standing) in {(each.server_id, each.standing) for each in pool.servers()})


@pytest.fixture
def servers(start_server):
    return [start_server(server_id=name) for name in ("one", "two")]


def urls(servers):
    return [server.url for server in servers]


def test_episodes_are_spread_over_servers_and_stay_there(servers):
    with Pool(urls(servers)) as pool:
        envs = ok(pool.reset_many(6))
        assert per_server(envs) == {"one": 3, "two": 3}
        ok(pool.step_many((env, f"x = {number}") for number, env in enumerate(envs)))
        results = ok(pool.step_many((env, "x") for env in reversed(envs)))
        assert [result.observation.result for result in results] == ["5", "4", "3", "2", "1", "0"]
        assert [result.server_id for result in results] == [env.server_id for env in reversed(envs)]
        assert {status.episodes for status in pool.servers()} == {3}
        # The least loaded gets the next ones.
        ok(pool.close_many([env for env in envs if env.server_id == "two"][:2]))
        assert per_server(ok(pool.reset_many(2))) == {"two": 2}
        assert envs[0].state().step_count == 2
    assert [capacity(server).episodes for server in servers] == [0, 0]


def test_one_connection_carries_hundreds_of_episodes_a_few_calls_at_a_time(servers):
    with Pool(urls(servers), calls_max=8) as pool:
        envs = ok(pool.reset_many(60))
        results = ok(pool.step_many((envs[at % 60], f"print({at})") for at in range(180)))
        # Steps of one environment run in their order.
        assert [(result.observation.stdout, result.step_index) for result in results] == [(f"{at}\n", at // 60) for at in range(180)]
        for server in servers:
            port = int(server.address.rpartition(":")[2])
            with open("/proc/net/tcp", encoding="ascii") as table:
                rows = [line.split() for line in table.readlines()[1:]]
            assert sum(row[1].endswith(f":{port:04X}") and row[3] == "01" for row in rows) == 1


def test_results_come_as_they_are_ready_and_one_failure_is_its_own(server):
    with Pool(server.url) as pool:
        envs = ok(pool.reset_many(4))
        assert envs[1].step("import os; os._exit(3)").done
        actions = [(envs[0], ENDLESS), (envs[1], "1"), (envs[2], "2"), (pool.env(), "3"), (envs[3], "'\ud800'")]
        steps = pool.steps(actions)
        told = dict(next(steps) for _ in range(4))
        assert told[1].reason == Reason.EPISODE_LOST
        assert told[2].observation.result == "2"
        assert isinstance(told[3], NoEpisodeError)
        assert isinstance(told[4], ValueError)  # it can't be encoded, and concerns nobody else
        wait_until("the interrupt hits", envs[0].interrupt)
        at, result = next(steps)
        assert (at, result.outcome) == (0, Outcome.INTERRUPTED)
        assert list(steps) == []


def test_who_leaves_early_gives_up_the_rest(server):
    with Pool(server.url) as pool:
        envs = ok(pool.reset_many(2))
        for at, result in pool.steps([(envs[0], "import time; time.sleep(600)"), (envs[1], "1")]):
            assert (at, result.observation.result) == (1, "1")
            break
        wait_until("the interrupt hits", envs[0].interrupt)
        assert envs[0].step("2").observation.result == "2"


def test_a_full_server_sheds_to_others_and_when_all_are_full_it_waits(start_server):
    servers = [start_server("--max-episodes", limit, server_id=name) for name, limit in (("small", "2"), ("large", "4"))]
    with Pool(urls(servers)) as pool:
        envs = ok(pool.reset_many(6))
        assert per_server(envs) == {"small": 2, "large": 4}
        with Pool(urls(servers), deadline=4.0) as hasty:
            (error,) = hasty.reset_many(1)
        assert isinstance(error, BusyError) and error.reason == Reason.EPISODE_LIMIT
        # Steps need no room.
        ok(pool.step_many((env, "1") for env in envs))
        # An episode that ends with the reset makes room for the next.
        for env in envs:
            env.reset()
        # And one that waits gets the first place that is free.
        timer = threading.Timer(0.3, envs[0].close)
        timer.start()
        pool.env().reset()
        timer.join()


def test_a_server_that_drains_keeps_its_episodes_and_gets_no_new_ones(start_server):
    servers = [start_server("--drain-timeout", "1h", server_id=name) for name in ("one", "two")]
    with Pool(urls(servers)) as pool:
        envs = ok(pool.reset_many(4))
        servers[0].process.terminate()
        wait_until("it drains", lambda: capacity(servers[0]).draining)
        assert per_server(ok(pool.reset_many(3))) == {"two": 3}
        until_standing(pool, "one", Standing.NOT_READY)
        assert [result.observation.result for result in ok(pool.step_many((env, "1") for env in envs))] == ["1"] * 4
        # Each goes on elsewhere with its next episode, and the one before is ended, so that the server can go.
        ok(pool.reset_all([env for env in envs if env.server_id == "one"]))
        assert per_server(envs) == {"two": 4}
        assert servers[0].process.wait(PATIENCE) == 0


def test_episodes_of_a_killed_server_are_told_at_once_and_others_go_on(servers):
    with Pool(urls(servers)) as pool:
        envs = ok(pool.reset_many(4))
        lost = [env for env in envs if env.server_id == "one"]
        steps = pool.steps([(lost[0], "import time\ntime.sleep(600)")])
        waiting = []
        collecting = threading.Thread(target=lambda: waiting.extend(steps))
        collecting.start()
        wait_until("the step runs", lambda: lost[0].state().status.name == "RUNNING")
        servers[0].process.kill()
        servers[0].process.wait()
        collecting.join(PATIENCE)
        errors = [waiting[0][1], *pool.step_many([(lost[1], "1")])]
        with pytest.raises(EpisodeGoneError) as told:
            lost[0].state()
        errors.append(told.value)
        for error, env in zip(errors, (lost[0], lost[1], lost[0])):
            assert isinstance(error, EpisodeGoneError), error
            assert error.reason == Reason.EPISODE_SERVER_GONE
            assert error.metadata["episode_id"] == env.episode_id
            assert servers[0].address in error.message
        others = [env for env in envs if env.server_id == "two"]
        assert [result.observation.result for result in ok(pool.step_many((env, "1 + 1") for env in others))] == ["2", "2"]
        ok(pool.reset_all(lost))
        assert per_server(envs) == {"two": 4}
        assert capacity(servers[1]).episodes == 4
    assert capacity(servers[1]).episodes == 0


def test_a_server_that_falls_silent_is_given_up_after_a_while(server, start_server):
    stopping = start_server(server_id="stopping")
    with Pool(stopping.url, lost_after=5.0, refresh_period=0.5) as pool:
        env = pool.env()
        env.reset()
        steps = pool.steps([(env, "import time\ntime.sleep(600)")])
        waiting = []
        collecting = threading.Thread(target=lambda: waiting.extend(steps))
        collecting.start()
        wait_until("the step runs", lambda: env.state().status.name == "RUNNING")
        stopping.process.send_signal(signal.SIGSTOP)
        try:
            collecting.join(PATIENCE)
        finally:
            stopping.process.send_signal(signal.SIGCONT)
        error = waiting[0][1]
        assert isinstance(error, EpisodeGoneError) and "no answer for 5 s" in str(error)
        # It answers again, so it gets new episodes; and the one that was given up is ended.
        env.reset()
        assert env.step("6 * 7").observation.result == "42"
        wait_until("nothing is left over", lambda: capacity(stopping).episodes == 1)


@pytest.mark.parametrize("seed", [1, 2])
def test_connections_that_are_cut_lose_nothing(start_server, seed):
    """A server that can be connected to again is not lost: every reply belongs to its step, and each step ran once, in order."""
    chance = random.Random(seed)
    server = start_server()
    with Proxy(server.address) as proxy:
        with Pool(proxy.url, retry_first=0.001, retry_max=0.05) as pool:
            proxy.cut_with(lambda: (chance.choice(["up", "down"]), chance.randrange(6_000)))
            proxy.break_all()
            envs = ok(pool.reset_many(10))
            for step in range(20):
                code = f"log = globals().get('log', [])\nlog.append({step})\nlog"
                results = ok(pool.step_many((env, code) for env in envs))
                assert {result.observation.result for result in results} == {str(list(range(step + 1)))}
            assert proxy.cuts > 3, "the proxy cut nothing"
            proxy.cut_with(lambda: None)
        wait_until("nothing is left over", lambda: capacity(server).episodes == 0)


def metrics(server):
    """The numbers that a server with an admin address tells of itself."""
    told = [json.loads(line) for line in server.log().splitlines() if '"message":"admin"' in line][0]
    address = told.get("fields", told)["address"]
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=PATIENCE) as page:
        lines = page.read().decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if not line.startswith("#"))}


@pytest.mark.parametrize(
    ("asked", "flags", "expected"),
    # A call of its own for each, as asked for or because the server holds no more sessions.
    [(3, (), 3), (0, (), 0), (3, ("--max-sessions", "1"), 1)],
)
def test_resets_and_steps_go_over_a_few_sessions_that_end_with_the_pool(start_server, asked, flags, expected):
    server = start_server("--admin-listen", "127.0.0.1:0", *flags)
    with Pool(server.url, sessions_per_server=asked) as pool:
        envs = ok(pool.reset_many(12))
        for index in range(2):
            assert {result.step_index for result in ok(pool.step_many((env, "1") for env in envs))} == {index}
        told = metrics(server)
        assert told['coding_env_sessions{stream="attached"}'] == expected
        assert told['coding_env_session_streams_total{how="opened"}'] == expected
    told = metrics(server)
    assert told['coding_env_sessions_ended_total{how="closed"}'] == expected
    assert told["coding_env_episodes"] == 0


def test_what_a_client_that_was_killed_has_left_ends_after_the_grace(start_server):
    server = start_server("--session-grace", "100ms")
    program = f"""
import os
from coding_env import Pool
pool = Pool({server.url!r})
print(len(pool.reset_many(3)), flush=True)
os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (-9, "3\n"), done.stderr
    wait_until("they are ended", lambda: capacity(server).episodes == 0)


def test_a_reset_and_a_close_wait_for_no_step_that_was_given_up(server):
    async def main():
        async with AsyncPool(server.url) as pool:
            env = pool.env()
            for closes in (False, True, False):
                await env.reset()
                step = asyncio.ensure_future(env.step(ENDLESS, timeout=600))
                while (await env.state()).status.name != "RUNNING":
                    await asyncio.sleep(0.01)
                step.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await step
                if closes:
                    assert await env.close() is True
            await env.reset()
            assert (await env.step("6 * 7")).observation.result == "42"

    asyncio.run(asyncio.wait_for(main(), PATIENCE))


def test_a_reset_that_was_given_up_leaves_nothing_over(start_server):
    server = start_server()

    async def main():
        async with AsyncPool(server.url, lost_after=2 * PATIENCE) as pool:
            first = ok(await pool.reset_many(4))  # the sessions are there
            server.process.send_signal(signal.SIGSTOP)
            wait_until("it has stopped", lambda: "T (stopped)" in pathlib.Path(f"/proc/{server.process.pid}/status").read_text())
            try:
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(pool.reset_many(20), 0.5)
            finally:
                server.process.send_signal(signal.SIGCONT)
            # Those that were made after all are ended, however late.
            ok(await pool.step_many((env, "1") for env in first))
            loop = asyncio.get_running_loop()
            while (await loop.run_in_executor(None, capacity, server)).episodes != 4:
                await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(main(), PATIENCE))


def test_a_step_without_a_timeout_ends_before_the_clients_deadline(server):
    with Pool(server.url, deadline=8.0) as pool:
        env = ok(pool.reset_many(1))[0]
        assert env.step(ENDLESS).outcome is Outcome.TIMED_OUT


def test_a_number_of_sessions_that_can_not_be_is_refused():
    with pytest.raises(ValueError, match="sessions_per_server"):
        Pool("http://127.0.0.1:1", sessions_per_server=-1)


def test_servers_come_and_go(servers):
    listed = urls(servers[:1])
    with Pool(lambda: listed, refresh_period=0.1) as pool:
        old = ok(pool.reset_many(2))
        listed = urls(servers)
        until_standing(pool, "two", Standing.READY)
        assert per_server(ok(pool.reset_many(2))) == {"two": 2}
        # One that is not listed any more keeps its episodes, and gets no others.
        listed = urls(servers[1:])
        wait_until("it is noticed", lambda: per_server(ok(pool.reset_many(2))) == {"two": 2})
        assert {result.server_id for result in ok(pool.step_many((env, "1") for env in old))} == {"one"}
        ok(pool.close_many(old))
        wait_until("it is forgotten", lambda: len(pool.servers()) == 1)


def test_a_server_that_comes_back_gets_new_episodes(start_server):
    first = start_server(server_id="first")
    with Pool(first.url, refresh_period=0.2) as pool:
        env = pool.env()
        env.reset()
        first.process.kill()
        first.process.wait()
        with pytest.raises(EpisodeGoneError):
            env.step("1")
        start_server(listen=first.address, server_id="second")
        assert env.reset().server_id == "second"
        assert env.step("1").observation.result == "1"


def test_a_name_is_resolved(server):
    port = server.address.rpartition(":")[2]
    for name in (f"dns:///localhost:{port}", f"dns:127.0.0.1:{port}"):
        with Pool(name) as pool:
            env = pool.env()
            env.reset()
            assert env.server_id == "test"


@pytest.mark.parametrize(
    "target",
    [[], "dns:///", "dns:///host", "dns:///host:0", "dns:///host:99999", "dns://1.1.1.1/host:8000", "dns:///a b:1", "ftp://h:1", ["http://h/path"]],
)
def test_what_is_no_target_is_refused(target):
    async def connect():
        async with AsyncPool(target):
            raise AssertionError("it connected")

    with pytest.raises(UrlError):
        Pool(target)
    with pytest.raises(UrlError):
        asyncio.run(connect())


def test_nobody_answers():
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = "http://127.0.0.1:%d" % free.getsockname()[1]
    with pytest.raises(ConnectError, match="none of 1 servers takes new episodes"):
        Pool(url, deadline=0.5).connect()
    with pytest.raises(ConnectError, match="the list of servers can't be had: KeyError"):
        Pool(lambda: {}["none"], deadline=0.5).connect()


def test_a_pool_that_is_cancelled_as_it_connects_is_closed_at_once():
    async def main():
        async def connect():
            async with AsyncPool(url):
                raise AssertionError("it connected")

        task = asyncio.ensure_future(connect())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, PATIENCE)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = "http://127.0.0.1:%d" % silent.getsockname()[1]
        asyncio.run(main())


def test_a_token_that_is_not_taken_is_told_at_once(start_server, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.touch(mode=0o600)
    tokens.write_text(f"trainer {'a' * 32}\n")
    server = start_server("--tokens-file", str(tokens))
    begun = time.monotonic()
    with pytest.raises(RefusedError) as told:
        Pool(server.url, token="wrong").connect()
    assert told.value.reason == Reason.TOKEN_INVALID
    assert time.monotonic() - begun < PATIENCE
    with Pool(server.url, token="a" * 32) as pool:
        assert ok(pool.reset_many(1))[0].step("1").observation.result == "1"


def test_episodes_of_environments_that_are_garbage_are_ended(server):
    with Pool(server.url) as pool:
        before = capacity(server).episodes
        envs = ok(pool.reset_many(3))
        assert capacity(server).episodes == before + 3
        del envs
        wait_until("they are ended", lambda: capacity(server).episodes == before)


def test_a_refused_reset_leaves_the_episode_as_it_was(servers):
    with Pool(urls(servers)) as pool:
        env = pool.env()
        env.reset()
        env.step("x = 'kept'")
        with pytest.raises(RefusedError) as told:
            env.reset(runtime="none-such")
        assert told.value.reason == Reason.INVALID_FIELD
        assert env.step("x").observation.result == "'kept'"
        assert env.close() is True
        assert env.close() is False


def test_closing_ends_what_waits(server):
    pool = Pool(server.url)
    envs = ok(pool.reset_many(2))
    results = []
    waiting = threading.Thread(target=lambda: results.extend(pool.step_many((env, ENDLESS) for env in envs)))
    waiting.start()
    wait_until("the steps run", lambda: all(env.state().status.name == "RUNNING" for env in envs))
    assert envs[0].close() is True
    pool.close()
    waiting.join(PATIENCE)
    # Which comes first to the second, the end of its episode or that of the connection, is open.
    first, second = (error.reason for error in results)
    assert first == Reason.EPISODE_ENDED
    assert second in (Reason.EPISODE_ENDED, Reason.EPISODE_SERVER_GONE)
    pool.close()
    # It may be used again.
    assert ok(pool.reset_many(1))[0].step("1").observation.result == "1"
    pool.close()


def test_a_program_that_closes_nothing_ends_without_a_word(start_server):
    server = start_server()
    program = f"""
from coding_env import Pool
pool = Pool({server.url!r})
envs = pool.reset_many(3)
steps = pool.steps((env, "import time; time.sleep(30)" if env is envs[0] else "1") for env in envs)
print(sorted(next(steps)[0] for _ in range(2)))
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[1, 2]\n", "")


def test_a_pool_is_not_used_after_a_fork(server):
    with Pool(server.url) as pool:
        child = os.fork()
        if child == 0:
            try:
                pool.reset_many(1)
            except CodingEnvError:
                os._exit(7)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_a_cancellation_is_not_lost_as_the_awaited_thing_is_done():
    async def main():
        event = asyncio.Event()
        task = asyncio.ensure_future(within(PATIENCE, event.wait()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        event.set()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(asyncio.TimeoutError):
            await within(0.001, asyncio.Event().wait())
        assert await within(None, asyncio.sleep(0, "done")) == "done"

    asyncio.run(main())


def test_under_asyncio(servers):
    async def main():
        async with AsyncPool(urls(servers)) as pool:
            envs = ok(await pool.reset_many(20))
            assert per_server(envs) == {"one": 10, "two": 10}
            done = []
            async for at, result in pool.steps((env, f"{number} ** 2") for number, env in enumerate(envs)):
                assert result.observation.result == str(at**2)
                done.append(at)
            assert sorted(done) == list(range(20))
            # A task that is cancelled leaves the pool and its environment usable.
            task = asyncio.ensure_future(envs[0].step("import time; time.sleep(600)"))
            while (await envs[0].state()).status.name != "RUNNING":
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            while not await envs[0].interrupt():
                await asyncio.sleep(0.01)
            assert (await envs[0].step("1")).observation.result == "1"

    asyncio.run(main())
    assert [capacity(server).episodes for server in servers] == [0, 0]


def test_a_vector_environment(servers):
    with Pool(urls(servers)) as pool:
        envs = VectorEnv(pool, 6)
        assert len(envs) == 6
        resets = ok(envs.reset(seeds=range(6)))
        assert [reset.state.step_count for reset in resets] == [0] * 6
        draws = [step.result.observation.result for step in envs.step(["import random\nrandom.random()"] * 6)]
        assert len(set(draws)) == 6
        ok(envs.reset(seeds=range(6)))
        again = [step.observation.result for step in envs.step(["import random\nrandom.random()"] * 6)]
        assert again == draws
        steps = envs.step([f"{number}" if number % 2 else None for number in range(6)])
        assert [step.observation and step.observation.result for step in steps] == [None, "1", None, "3", None, "5"]
        assert [step.reward for step in steps] == [None, 0.1, None, 0.1, None, 0.1]
        assert not any(step.done or step.error or step.reset for step in steps)
        with pytest.raises(ValueError, match="5 actions for 6 environments"):
            envs.step(["1"] * 5)
        with pytest.raises(ValueError, match="1 seeds for 6 environments"):
            envs.reset(seeds=[1])
        envs.close()
        assert all(isinstance(step.error, NoEpisodeError) for step in envs.step(["1"] * 6))


def test_a_vector_environment_replaces_what_is_lost_and_tells(servers):
    with Pool(urls(servers)) as pool:
        envs = VectorEnv(pool, 4, autoreset=True)
        ok(envs.reset())
        ids = [env.episode_id for env in envs]
        first, second, third, fourth = envs.step(["import os; os._exit(1)", "x = 1", None, "1 / 0"])
        assert (first.done, first.result.observation.exit_code) == (True, 1)
        assert first.reset.state.episode_id == envs.envs[0].episode_id != ids[0]
        assert not second.done and second.reset is None and third.result is None and third.reset is None
        assert (fourth.done, fourth.result.outcome) == (False, Outcome.RAISED)
        # Those of a server that is gone are replaced on the other.
        gone = [at for at, env in enumerate(envs) if env.server_id == "one"]
        servers[0].process.kill()
        servers[0].process.wait()
        for at, step in enumerate(envs.step(["6 * 7"] * 4)):
            if at in gone:
                assert step.done and step.error.reason == Reason.EPISODE_SERVER_GONE and step.observation is None
                assert step.reset.server_id == "two"
            else:
                assert not step.done and step.observation.result == "42"
        assert [step.observation.result for step in envs.step(["1"] * 4)] == ["1"] * 4


def test_a_vector_environment_without_autoreset_and_under_asyncio(server):
    async def main():
        async with AsyncPool(server.url) as pool:
            envs = AsyncVectorEnv(pool, 2)
            ok(await envs.reset())
            lost, living = await envs.step(["import os; os._exit(1)", "1"])
            assert lost.done and lost.reset is None and not living.done
            lost, living = await envs.step(["1", "2"])
            assert lost.done and lost.error.reason == Reason.EPISODE_LOST and living.observation.result == "2"
            await envs.close()

    asyncio.run(main())
