"""What the README and the example show works as it stands, and the package is typed."""

import os
import re
import subprocess
import sys
import textwrap

import pytest

import coding_env
from conftest import PYTHON_CLIENT
from engine import Engine

README = (PYTHON_CLIENT / "README.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
EXAMPLE = PYTHON_CLIENT / "examples" / "example_usage.py"


def run(*arguments, cwd=None, **environment):
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        capture_output=True,
        text=True,
        timeout=200,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
        cwd=cwd,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("snippet", SNIPPETS, ids=[f"snippet {number}" for number in range(1, len(SNIPPETS) + 1)])
def test_snippets_of_the_readme(server, tmp_path, snippet):
    assert "http://127.0.0.1:8000" in snippet or "from_docker_image" in snippet
    with Engine(tmp_path / "engine.sock") as engine:
        out = run("-c", snippet.replace("http://127.0.0.1:8000", server.url), cwd=tmp_path, DOCKER_HOST=engine.address)
        assert engine.containers == {}
    # A comment after a print says what it prints.
    shown = re.findall(r"print\(.*\) +# (.*)$", snippet, re.MULTILINE)
    assert [line for line in out.splitlines() if line] == shown or not shown


def test_the_readme_has_snippets():
    assert len(SNIPPETS) >= 8


@pytest.mark.parametrize(
    ("example", "last"),
    [
        ("best_of_n.py", "└─ the best: import collections; count = collections.Counter(words).__getitem__"),
        ("tree_search.py", "found after 5 steps"),
    ],
)
def test_the_examples_of_copies(server, example, last):
    with coding_env.CodingEnv(base_url=server.url) as env:
        facts = env.server_info().fork
    if not facts.available:
        pytest.skip(facts.detail)
    path = PYTHON_CLIENT / "examples" / example
    assert len(path.read_text(encoding="utf-8").splitlines()) < 60
    assert run(path, server.url).splitlines()[-1] == last


def shape(out):
    return re.sub(r"episode_id=\S+", "episode_id=ID", out)


def test_the_example_on_a_server_that_runs(server):
    out = run(EXAMPLE, "--url", server.url)
    assert out.startswith("Reset complete: exit_code=0\n")
    for text in (
        "stdout: Hello, World!",
        "stdout: Result: 8",
        "stdout: 3.141592653589793",
        "result: [8, 16]",
        "ZeroDivisionError: division by zero",
        "its variables are still there: done=False",
        "step_count=5 last_exit_code=1",
    ):
        assert text in out, out
    assert out.endswith("Closed the environment\n")


def test_the_example_in_a_container(server, tmp_path):
    with Engine(tmp_path / "engine.sock") as engine:
        out = run(EXAMPLE, DOCKER_HOST=engine.address)
        assert engine.containers == {}
    first, _, rest = out.partition("\n")
    assert first == "Starting a container of coding-env:latest ..."
    assert shape(rest) == shape(run(EXAMPLE, "--url", server.url))


def test_the_cost_of_a_step_is_told(server):
    lines = run(PYTHON_CLIENT / "examples" / "cost.py", server.url, "40").splitlines()
    assert [line.partition(":")[0] for line in lines] == ["blocking", "asyncio", "pool"]
    for line, steps in zip(lines, (40, 40, 32)):
        assert re.fullmatch(rf"\w+: \d+ µs of CPU and \d+ µs a step, {steps} steps", line), line


#: Uses the public names as a program would, and says what their types are.
TYPED = """
    import asyncio
    from datetime import timedelta
    from typing import List, Optional, Tuple, Union

    from envs.coding_env import CodeAction as SameAction
    from coding_env import (
        AsyncCodingEnv, AsyncPool, AsyncPooledEnv, AsyncSession, Pool, ServerStatus, Session, Standing, VectorEnv, VectorStep,
        CodeAction, CodingEnv, EpisodeGoneError, EpisodeState, InterruptResult, Limits, LimitKind, Network, Outcome,
        RefusedError, ResetResult, ServerInfo, StepLimits, StepResult, Violation,
    )

    def blocking() -> None:
        with CodingEnv(base_url="http://127.0.0.1:8000", token="t", deadline=5, metadata={"a": "b"}) as env:
            reset: ResetResult = env.reset(seed=1, limits=Limits(open_files=5), environment={"a": "b"}, network=Network.NONE)
            result: StepResult = env.step(CodeAction(code="1"), timeout=timedelta(seconds=1), limits=StepLimits(output_bytes=1))
            env.step(SameAction(code="1"), timeout=1.5)
            for piece in env.step_stream("1", timeout=1.5):
                printed: bytes = piece.data
            streamed: StepResult = env.step_stream("1").result()
            text: str = result.observation.stdout + reset.observation.stderr
            value: Optional[str] = result.observation.result
            reward: Optional[float] = result.reward
            done: bool = result.done
            outcome: Outcome = result.outcome
            hit: Tuple[LimitKind, ...] = result.observed.limits_hit
            state: EpisodeState = env.state()
            count: int = state.step_count
            interrupt: InterruptResult = env.interrupt(step_index=1)
            info: ServerInfo = env.server_info()
            closed: bool = env.close()
        try:
            CodingEnv.from_docker_image("coding-env:latest", memory_bytes=1, environment={"a": "b"}, deadline=5.0).close()
        except EpisodeGoneError as error:
            violations: Tuple[Violation, ...] = error.violations
            reason: str = error.reason
            refused: RefusedError = error

    async def main() -> None:
        async with AsyncCodingEnv("http://127.0.0.1:8000") as env:
            reset: ResetResult = await env.reset()
            result: StepResult = await env.step("1")
            async for piece in env.step_stream("1"):
                line: str = piece.text
            streamed: StepResult = await env.step_stream("1").result()
            closed: bool = await env.close()
        other: AsyncCodingEnv = await AsyncCodingEnv.from_docker_image("coding-env:latest", cpus=1.5)
        async with AsyncPool(["http://127.0.0.1:8000"], calls_max=8, deadline=5.0) as pool:
            made: List[Union[AsyncPooledEnv, Exception]] = await pool.reset_many(2, seed=1)
            async for at, stepped in pool.steps((env, "1") for env in made if not isinstance(env, Exception)):
                number: int = at

    def pooled() -> None:
        with Pool("dns:///servers:8000", secure=True, lost_after=5, token="t") as pool:
            statuses: List[ServerStatus] = pool.servers()
            ready: bool = statuses[0].standing is Standing.READY
            envs = [env for env in pool.reset_many(2) if not isinstance(env, Exception)]
            for stepped in pool.step_many(((env, CodeAction("1")) for env in envs), timeout=1):
                text: str = str(stepped) if isinstance(stepped, Exception) else stepped.observation.stdout
            vector = VectorEnv(pool, 4, autoreset=True, limits=Limits(open_files=64))
            vector.reset(seeds=range(4))
            steps: List[VectorStep] = vector.step(["1", None, CodeAction("2"), "3"], timeout=1)
            reward: Optional[float] = steps[0].reward

    def streams() -> None:
        with Session("http://127.0.0.1:8000") as session:
            step = session.step_stream("e", "1", timeout=1.5, display_mime_types=["image/svg+xml"])
            for piece in step:
                offset: int = piece.offset
            result: StepResult = step.result()

    async def async_streams() -> None:
        async with AsyncSession("http://127.0.0.1:8000") as session:
            step = session.step_stream("e", CodeAction("1"))
            async for piece in step:
                data: bytes = piece.data
            result: StepResult = await step.result()
"""
#: Each line has one mistake.
MISTAKES = [
    'CodingEnv("http://h").step(5)',
    'CodingEnv("http://h", no_such_option=1)',
    'CodingEnv("http://h", deadline="1")',
    'CodingEnv("http://h").reset(limits=5)',
    'CodingEnv("http://h").step("1").observation.stdin',
    'CodingEnv("http://h").step("1").reward + 1',
    'CodingEnv.from_docker_image("i", memory="1g")',
    'CodingEnv.from_docker_image("i", cpus="1")',
    "CodeAction(source='1')",
    'Pool("http://h", no_such_option=1)',
    'Pool("http://h").step_many(["1"])',
    'Pool("http://h").reset_many(1)[0].step("1")',
    'VectorEnv(Pool("http://h"), 1).step(["1"])[0].result.reward',
    "Limits(step_timeout='1s')",
]


def mypy(tmp_path, source):
    file = tmp_path / "typed.py"
    file.write_text(source, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull, "--cache-dir", tmp_path / "cache", file]
    return subprocess.run(command, capture_output=True, text=True, timeout=280, cwd=tmp_path)


def test_the_public_names_are_typed(tmp_path):
    done = mypy(tmp_path, textwrap.dedent(TYPED))
    assert done.returncode == 0, done.stdout + done.stderr
    header = "from coding_env import CodeAction, CodingEnv, Limits, Pool, VectorEnv\n"
    done = mypy(tmp_path, header + "\n".join(MISTAKES) + "\n")
    found = {int(line) for line in re.findall(r"typed\.py:(\d+): error", done.stdout)}
    assert found == set(range(2, len(MISTAKES) + 2)), done.stdout + done.stderr


def test_the_package_itself_is_typed(tmp_path):
    command = [sys.executable, "-m", "mypy", "--cache-dir", tmp_path / "cache", "src"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, cwd=PYTHON_CLIENT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_version_is_one():
    assert f'version = "{coding_env.__version__}"' in (PYTHON_CLIENT / "pyproject.toml").read_text(encoding="utf-8")
