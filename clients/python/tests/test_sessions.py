"""Many requests on one stream, blocking and with asyncio."""

import asyncio
import random

import pytest

from coding_env import AsyncSession, CodingEnv, ConnectError, EpisodeGoneError, Options, Outcome, OutputStream, RefusedError, Session
from conftest import wait_until
from proxy import Proxy

QUICK = Options(retry_first=0.001, retry_max=0.05)
COUNT = "runs = globals().get('runs', 0) + 1\nprint(runs)"


def episodes(server):
    with CodingEnv(server.url) as env:
        return env.server_info().capacity.episodes


def test_many_episodes_step_at_once(start_server):
    server = start_server()
    with Session(server.url) as session:
        names = [f"e{number}" for number in range(50)]
        # Nothing is waited for in between.
        resets = [session.reset(name, seed=7) for name in names]
        steps = [session.step(name, COUNT, step_index=index) for index in range(3) for name in names]
        assert {reset.result().state.episode_id for reset in resets} == set(names)
        assert [step.result().observation.stdout for step in steps] == ["1\n"] * 50 + ["2\n"] * 50 + ["3\n"] * 50
        assert session.state("e7").result().step_count == 3
        endless = session.step("e7", "while True: pass")
        wait_until("it runs", lambda: session.interrupt("e7").result().interrupted)
        assert endless.result().outcome is Outcome.INTERRUPTED
        assert session.end("e8").result() is True
        assert session.end("e8").result() is False
        assert session.detach("e9", "e8").result() == ["e9"]
        with pytest.raises(EpisodeGoneError):
            session.step("e8", "1").result()
        with pytest.raises(RefusedError) as refused:
            session.step("a b", "1").result()
        assert refused.value.violations[0].field == "episode_id"
        assert episodes(server) == 49
    assert episodes(server) == 1
    with pytest.raises(ConnectError):
        session.state("e7").result()
    session.close()


def test_asyncio(start_server):
    server = start_server()

    async def main():
        async with AsyncSession(server.url) as session:
            names = [f"e{number}" for number in range(50)]
            resets = [session.reset(name) for name in names]
            steps = [session.step(name, COUNT, step_index=index) for index in range(3) for name in names]
            await asyncio.gather(*resets)
            results = await asyncio.gather(*steps)
            assert [result.observation.stdout for result in results] == ["1\n"] * 50 + ["2\n"] * 50 + ["3\n"] * 50
            assert (await session.state("e7")).step_count == 3
            assert not (await session.interrupt("e7")).interrupted
            assert await session.end("e8")
            assert await session.detach("e9") == ["e9"]
            with pytest.raises(EpisodeGoneError):
                await session.step("e8", "1")
            cancelled = session.step("e7", COUNT)
            cancelled.cancel()
            assert (await session.step("e7", COUNT)).observation.stdout == "5\n"
        with pytest.raises(ConnectError):
            await session.state("e7")

    asyncio.run(main())
    assert episodes(server) == 1


def test_output_is_told_while_the_code_runs(start_server):
    server = start_server()
    with Session(server.url) as session:
        session.reset("e")
        # One write: print makes two, and a piece may end between them.
        code = "import os, sys, time\nos.write(1, b'first\\n')\nwhile not os.path.exists('go'): time.sleep(0.01)\nprint('last', file=sys.stderr)\n'end'"
        step = session.step_stream("e", code, step_index=0)
        other = session.reset("other")
        piece = next(step)
        assert (piece.stream, piece.offset, piece.text, piece.dropped_bytes) == (OutputStream.STDOUT, 0, "first\n", 0)
        # Others go on beside it.
        assert other.result().state.episode_id == "other"
        assert session.interrupt("e", step_index=0).result().interrupted
        # What comes after it is the traceback.
        assert {piece.stream for piece in step} == {OutputStream.STDERR}
        assert step.result().outcome is Outcome.INTERRUPTED
        assert list(step) == []

        told = session.step_stream("e", "import sys\nprint('out'); print('err', file=sys.stderr)\n'end'")
        pieces = list(told)
        text = {stream: b"".join(piece.data for piece in pieces if piece.stream is stream) for stream in OutputStream}
        assert (text[OutputStream.STDOUT], text[OutputStream.STDERR]) == (b"out\n", b"err\n")
        assert told.result(30).observation.result == "'end'"
        refused = session.step_stream("none", "1")
        with pytest.raises(EpisodeGoneError):
            next(refused)
        with pytest.raises(EpisodeGoneError):
            refused.result()
        running = session.step_stream("e", "while True: pass")
        wait_until("it runs", lambda: session.interrupt("e").result().interrupted)
        assert running.result().outcome is Outcome.INTERRUPTED
    late = session.step_stream("e", "1")
    with pytest.raises(ConnectError):
        next(late)


def test_pieces_that_nobody_takes_are_dropped_which_is_told(start_server):
    server = start_server()
    with Session(server.url) as session:
        session.reset("e")
        code = "import os, time\nfor _ in range(200):\n    os.write(1, b'x' * 10); time.sleep(0.004)"
        step = session.step_stream("e", code)
        assert step.result(60).observed.stdout_total_bytes == 2000
        pieces = list(step)
        # 64, and the rest of the result.
        assert 2 <= len(pieces) <= 65
        assert all(piece.dropped_bytes == 0 for piece in pieces)
        assert b"".join(piece.data for piece in pieces) == b"x" * 2000

        much = "import os, time\nfor _ in range(300):\n    os.write(1, b'x' * 9999 + b'\\xff'); time.sleep(0.004)"
        step = session.step_stream("e", much)
        assert step.result(60).observed.stdout_total_bytes == 3_000_000
        told = list(step)
        # It is not text, and the result has no more than its head and tail.
        assert len(told) <= 64 and sum(len(piece.data) for piece in told) < 3_000_000


def test_output_under_asyncio(start_server):
    server = start_server()

    async def main():
        async with AsyncSession(server.url) as session:
            session.reset("e")
            step = session.step_stream("e", "for n in range(3): print(n)\n'end'")
            pieces = [piece async for piece in step]
            assert b"".join(piece.data for piece in pieces) == b"0\n1\n2\n"
            assert (await step.result()).observation.result == "'end'"
            assert [piece async for piece in step] == []
            with pytest.raises(EpisodeGoneError):
                async for _ in session.step_stream("none", "1"):
                    raise AssertionError("there is nothing to tell")

    asyncio.run(main())


@pytest.mark.parametrize("seed", [4, 5])
def test_output_over_connections_that_are_cut_comes_once(start_server, seed):
    server = start_server()
    chance = random.Random(seed)
    with Proxy(server.address) as proxy:
        # A reply has 16 kB.
        proxy.cut_with(lambda: chance.choice([("up", 400 + chance.randrange(600)), ("down", 2000 + chance.randrange(40_000))]))
        session = Session(proxy.url, QUICK)
        session.reset("e").result(60)
        code = "import time\nfor n in range(1500):\n    print('line', n)\n    if n % 50 == 0: time.sleep(0.02)"
        expected = b"".join(b"line %d\n" % number for number in range(1500))
        for _ in range(5):
            step = session.step_stream("e", code)
            at = 0
            for piece in step:
                assert piece.offset == at + piece.dropped_bytes
                at = piece.offset + len(piece.data)
                assert piece.data == expected[piece.offset : at]
            assert at == len(expected)
            assert step.result(60).observation.stdout.encode() == expected
        assert proxy.cuts > 3
        proxy.cut_with(lambda: None)
        session.close()


def test_a_server_that_is_not_there():
    with Session("http://127.0.0.1:1", Options(deadline=0.5, retry_first=0.01)) as session:
        with pytest.raises(ConnectError):
            session.reset("e").result(30)


@pytest.mark.parametrize("seed", [1, 2])
def test_connections_that_are_cut_anywhere(start_server, seed):
    """Without a step_index: nothing but the session keeps a step from running twice."""
    server = start_server()
    chance = random.Random(seed)
    with Proxy(server.address) as proxy:
        proxy.cut_with(lambda: (chance.choice(["up", "down"]), 500 + chance.randrange(8000)))
        session = Session(proxy.url, QUICK)
        names = [f"e{number}" for number in range(8)]
        resets = [session.reset(name) for name in names]
        steps = [session.step(name, COUNT) for _ in range(25) for name in names]
        assert {reset.result(60).state.step_count for reset in resets} == {0}
        for number, step in enumerate(steps):
            assert step.result(60).observation.stdout == f"{number // 8 + 1}\n"
        assert proxy.cuts > 3
        proxy.cut_with(lambda: None)
        session.close()


def test_asyncio_with_connections_that_are_cut(start_server):
    server = start_server()
    chance = random.Random(3)

    async def main(url):
        session = AsyncSession(url, QUICK)
        names = [f"e{number}" for number in range(8)]
        resets = [session.reset(name) for name in names]
        steps = [session.step(name, COUNT) for _ in range(25) for name in names]
        await asyncio.wait_for(asyncio.gather(*resets), 60)
        for number, step in enumerate(steps):
            result = await asyncio.wait_for(step, 60)
            assert result.observation.stdout == f"{number // 8 + 1}\n"
        await session.close()

    with Proxy(server.address) as proxy:
        proxy.cut_with(lambda: (chance.choice(["up", "down"]), 500 + chance.randrange(8000)))
        asyncio.run(main(proxy.url))
        assert proxy.cuts > 3
