"""Output while a step runs, blocking and with asyncio."""

import asyncio
import random
import threading

import pytest

from coding_env import (
    AsyncCodingEnv,
    CodingEnv,
    CodingEnvError,
    NoEpisodeError,
    Outcome,
    OutputPiece,
    OutputStream,
    RefusedError,
)
from proxy import Proxy

QUICK = {"retry_first": 0.001, "retry_max": 0.05}
#: Prints on both streams, with no line to wait for.
CODE = """
import sys, time
for n in range(20):
    print(n, end=",", flush=True); sys.stderr.write(f"<{n}>"); time.sleep(0.005)
6 * 7
"""
STDOUT = "".join(f"{n}," for n in range(20))
STDERR = "".join(f"<{n}>" for n in range(20))


class Told:
    """Puts pieces together, and checks that they fit."""

    def __init__(self):
        self.streams = {OutputStream.STDOUT: b"", OutputStream.STDERR: b""}

    def take(self, piece):
        assert isinstance(piece, OutputPiece) and piece.data
        assert (piece.offset, piece.dropped_bytes) == (len(self.streams[piece.stream]), 0)
        self.streams[piece.stream] += piece.data

    def check(self, result):
        assert self.streams[OutputStream.STDOUT].decode() == result.observation.stdout
        assert self.streams[OutputStream.STDERR].decode() == result.observation.stderr


def test_pieces_come_before_the_result(env):
    told, pieces = Told(), 0
    stream = env.step_stream(CODE)
    for piece in stream:
        told.take(piece)
        pieces += 1
    result = stream.result()
    told.check(result)
    assert (result.observation.stdout, result.observation.stderr) == (STDOUT, STDERR)
    assert (result.observation.result, result.step_index) == ("42", 0)
    assert pieces > 2
    assert list(stream) == [] and stream.result() is result
    assert env.step("7").step_index == 1


def test_the_result_alone(env):
    assert env.step_stream(CODE).result().observation.stdout == STDOUT
    result = env.step_stream("1 / 0").result()
    assert (result.outcome, result.step_index) == (Outcome.RAISED, 1)


def test_a_loop_that_is_left_leaves_the_step_running(env):
    for piece in env.step_stream(CODE):
        assert piece.offset == 0
        break
    with env.step_stream(CODE) as stream:
        told = Told()
        told.take(next(stream))
        for piece in stream:
            told.take(piece)
        told.check(stream.result())
    assert env.step("1").step_index == 1
    with env.step_stream("2") as unread:
        pass
    with pytest.raises(CodingEnvError):
        unread.result()
    # It never began.
    assert env.step("2").step_index == 2


def test_what_can_go_wrong(server, env):
    with pytest.raises(RefusedError) as refused:
        env.step_stream("1", timeout=-1).result()
    assert refused.value.violations[0].field == "timeout"
    with CodingEnv(server.url) as fresh, pytest.raises(NoEpisodeError):
        list(fresh.step_stream("1"))
    interrupted = env.step_stream("print('runs', flush=True)\nwhile True: pass")
    next(interrupted)
    assert env.interrupt().interrupted
    assert interrupted.result().outcome is Outcome.INTERRUPTED


def test_asyncio(server):
    async def main():
        async with AsyncCodingEnv(server.url) as env:
            await env.reset()
            told = Told()
            stream = env.step_stream(CODE)
            async for piece in stream:
                told.take(piece)
            result = await stream.result()
            told.check(result)
            assert (result.observation.result, await stream.result()) == ("42", result)
            async with env.step_stream(CODE) as left:
                async for _ in left:
                    break
            again = await env.step_stream(CODE).result()
            assert (again.step_index, again.observation.stdout) == (1, STDOUT)
            interrupted = env.step_stream("print('runs', flush=True)\nwhile True: pass")
            await interrupted.__anext__()
            assert (await env.interrupt()).interrupted
            assert (await interrupted.result()).outcome is Outcome.INTERRUPTED
            with pytest.raises(RefusedError):
                await env.step_stream("1", timeout=-1).result()
            return (await env.step("1")).step_index

    assert asyncio.run(main()) == 3


@pytest.mark.parametrize("seed", [1, 2])
def test_connections_that_are_cut_anywhere(start_server, seed):
    """Every byte comes once, in order, and nothing runs twice."""
    server = start_server()
    chance = random.Random(seed)
    with Proxy(server.address) as proxy, CodingEnv(proxy.url, **QUICK) as env:
        env.reset()
        proxy.cut_with(lambda: (chance.choice(["up", "down"]), chance.randrange(4000)))
        proxy.break_all()
        breaking = threading.Event()

        def break_often():
            while not breaking.wait(0.02):
                proxy.break_all()

        thread = threading.Thread(target=break_often)
        thread.start()
        try:
            for step in range(20):
                told = Told()
                stream = env.step_stream(f"runs = globals().get('runs', 0) + 1\n{CODE}")
                for piece in stream:
                    told.take(piece)
                result = stream.result()
                told.check(result)
                assert (result.step_index, result.observation.stdout) == (step, STDOUT)
        finally:
            breaking.set()
            thread.join()
        proxy.cut_with(lambda: None)
        assert env.step("runs").observation.result == "20"
        assert proxy.connections > 10
