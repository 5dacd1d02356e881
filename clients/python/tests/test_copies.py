"""Forks, checkpoints and evaluations, by both clients."""

import asyncio

import pytest

from coding_env import (
    AsyncCodingEnv,
    Call,
    CallCheck,
    CodingEnv,
    Evaluation,
    Limits,
    NoEpisodeError,
    OnFailure,
    OnFull,
    Outcome,
    RandomState,
    Reason,
    RefusedError,
    StateAfter,
    StdoutCheck,
    TestCheck,
    TextComparison,
    reseed_code,
)


@pytest.fixture
def env(server):
    with CodingEnv(base_url=server.url) as env:
        facts = env.server_info().fork
        if not facts.available:
            pytest.skip(facts.detail)
        env.reset()
        yield env


def value(env, code):
    result = env.step(code)
    assert result.outcome is Outcome.COMPLETED, result.observation.stderr
    return result.observation.result


def test_children_go_on_by_themselves(env):
    env.step("trail = [0]")
    children = env.fork(3)
    for number, child in enumerate(children):
        child.step(f"trail.append({number})")
    assert [value(child, "trail") for child in children] == ["[0, 0]", "[0, 1]", "[0, 2]"]
    assert value(env, "trail") == "[0]"
    state = children[0].state()
    assert (state.fork.parent_episode_id, state.fork.step_count, state.fork.depth) == (env.episode_id, 1, 1)
    assert env.state().fork is None
    env.close()
    for child in children:
        assert value(child, "len(trail)") == "2"
        assert child.close()


def test_generators_that_the_program_holds_are_reseeded(env):
    env.step("import random\nown = random.Random(7)")

    def number(seed):
        with env.fork(1)[0] as child:
            assert child.step(reseed_code(seed)).observation.result == "['own']"
            return child.step("own.random()").observation.result

    first, second, again = number(1), number(2), number(1)
    assert first == again != second


def test_what_a_fork_can_be_asked_for(env):
    env.step("import random, resource")
    # The server is one for many tests.
    before = env.server_info().capacity.episodes
    same = env.fork(2, random=RandomState.INHERIT)
    assert value(same[0], "random.random()") == value(same[1], "random.random()")
    seeded = env.fork(2, seeds=[1, 2], limits=Limits(open_files=64))
    assert value(seeded[0], "random.random()") != value(seeded[1], "random.random()")
    assert value(seeded[0], "resource.getrlimit(resource.RLIMIT_NOFILE)[0]") == "64"
    assert seeded[1].state().seed == 2
    for child in same + seeded:
        child.close()
    with pytest.raises(RefusedError) as refused:
        env.fork(0)
    assert refused.value.reason == Reason.INVALID_FIELD
    assert env.server_info().capacity.episodes == before
    env.step("import threading\nover = threading.Event()\nthread = threading.Thread(target=over.wait)\nthread.start()")
    with pytest.raises(RefusedError) as refused:
        env.fork(1)
    assert refused.value.reason == Reason.FORK_UNSUPPORTED
    assert "threads" in refused.value.metadata["obstacles"]
    env.step("over.set(); thread.join()")


def test_a_checkpoint_is_dropped_at_the_end_and_rolled_back_to_after_an_exception(env):
    env.step("n = 1")
    with env.checkpoint() as saved:
        env.step("n = 2")
        assert [one.name for one in env.checkpoints()] == [saved.name]
        saved.rollback()
        assert value(env, "n") == "1"
        env.step("n = 3")
    assert env.checkpoints() == []
    assert value(env, "n") == "3"
    with pytest.raises(ZeroDivisionError), env.checkpoint():
        env.step("n = 4")
        1 / 0
    assert value(env, "n") == "3"
    assert env.checkpoints() == []


def test_named_checkpoints(env):
    env.step("import os\nn = 1")
    env.checkpoint("one")
    env.step("n = 2")
    info = env.checkpoint("two", on_full=OnFull.DROP_OLDEST).info
    assert (info.name, info.step_count) == ("two", 2)
    assert info.create_time is not None
    assert env.step("os._exit(1)").done
    assert env.rollback("one").name == "one"
    assert value(env, "n") == "1"
    assert env.drop_checkpoint("one")
    assert not env.drop_checkpoint("one")
    with pytest.raises(RefusedError) as refused:
        env.rollback("one")
    assert refused.value.reason == Reason.CHECKPOINT_NOT_FOUND


def test_a_step_that_fails_can_be_rolled_back(env):
    env.step("import os\nn = 1")
    result = env.step("n = 2; os.abort()", on_failure=OnFailure.ROLL_BACK)
    assert (result.outcome, result.state_after, result.done) == (Outcome.KILLED, StateAfter.ROLLED_BACK, False)
    assert value(env, "n") == "1"
    result = env.step("n = 3", on_failure=OnFailure.ROLL_BACK, roll_back_outcomes=[Outcome.COMPLETED])
    assert result.state_after is StateAfter.ROLLED_BACK
    pieces = env.step_stream("print(n); raise ValueError", on_failure=OnFailure.ROLL_BACK)
    assert b"".join(piece.data for piece in pieces if piece.stream == 1) == b"1\n"
    assert pieces.result().state_after is StateAfter.ROLLED_BACK


def test_evaluations_are_judged_by_the_server(env):
    env.step("def solve(a, b=1):\n    return {'sum': a + b}")
    result = env.evaluate(
        "print(solve(2)['sum'])",
        StdoutCheck("3"),
        StdoutCheck("3.05", TextComparison.NUMERIC, absolute_tolerance=0.1),
        CallCheck("solve", [Call((1,), {"sum": 2}), Call((1,), {"sum": 6}, {"b": 5}), Call((1,), {"sum": 0})], weight=2),
        TestCheck("def test_sum():\n    assert solve(1)['sum'] == 2\ndef test_wrong():\n    assert False, 'no'"),
    )
    assert (result.outcome, result.observation.stdout) == (Outcome.COMPLETED, "3\n")
    assert [check.score for check in result.checks] == [1.0, 1.0, 2 / 3, 0.5]
    assert [check.claimed for check in result.checks] == [False, False, False, True]
    assert result.score == pytest.approx((1 + 1 + 2 * 2 / 3) / 4)
    assert result.claimed_score == 0.5
    (failure,) = result.checks[3].failures
    assert (failure.name, failure.outcome) == ("test_wrong", Outcome.RAISED)
    assert "no" in failure.description
    results = env.evaluate_all([Evaluation(f"print({n})", [StdoutCheck("2")]) for n in range(4)])
    assert [one.score for one in results] == [0.0, 0.0, 1.0, 0.0]
    assert env.state().step_count == 1
    assert env.evaluate(Evaluation("while True: pass", timeout=0.2)).outcome is Outcome.TIMED_OUT
    with pytest.raises(TypeError):
        env.evaluate(Evaluation(""), StdoutCheck(""))


def test_before_a_reset(server):
    with CodingEnv(base_url=server.url) as env:
        for ask in (lambda: env.fork(1), env.checkpoint, env.checkpoints, lambda: env.evaluate("1")):
            with pytest.raises(NoEpisodeError):
                ask()


def test_with_coroutines(env, server):
    async def run():
        async with AsyncCodingEnv(base_url=server.url) as env:
            await env.reset()
            await env.step("n = 1")
            children = await env.fork(3)
            results = await asyncio.gather(*(child.step(f"n += {at}\nn") for at, child in enumerate(children)))
            assert [result.observation.result for result in results] == ["1", "2", "3"]
            await asyncio.gather(*(child.close() for child in children))
            async with env.checkpoint() as saved:
                await env.step("n = 5")
                await saved.rollback()
            kept = await env.checkpoint("kept")
            assert kept.name == "kept"
            assert [one.name for one in await env.checkpoints()] == ["kept"]
            with pytest.raises(ZeroDivisionError):
                async with env.checkpoint():
                    await env.step("n = 6")
                    1 / 0
            assert (await env.step("n")).observation.result == "1"
            assert await kept.drop()
            assert not await env.drop_checkpoint("kept")
            result = await env.evaluate("print(n)", StdoutCheck("1"))
            assert result.score == 1.0
            assert [one.score for one in await env.evaluate_all([Evaluation("", [StdoutCheck("")])])] == [1.0]

    asyncio.run(run())
