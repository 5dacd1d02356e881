"""`from_docker_image`: started, waited for, and removed whatever happens. The engine is one of the tests' own; a real one is used where
CODING_ENV_TEST_IMAGE names an image."""

import asyncio
import gc
import os
import signal
import socket
import subprocess
import sys

import pytest

from coding_env import AsyncCodingEnv, CodeAction, CodingEnv, CodingEnvError, DockerError, Limits
from coding_env import _engine
from conftest import HERE, PATIENCE, wait_until
from engine import Engine

IMAGE = "coding-env:latest"
needs_image = pytest.mark.skipif(
    "CODING_ENV_TEST_IMAGE" not in os.environ, reason="CODING_ENV_TEST_IMAGE names no image to run on a real engine"
)


@pytest.fixture
def engine(tmp_path, monkeypatch):
    with Engine(tmp_path / "engine.sock") as engine:
        monkeypatch.setenv("DOCKER_HOST", engine.address)
        yield engine


def test_from_start_to_end(engine):
    env = CodingEnv.from_docker_image(
        IMAGE,
        environment={"CODING_ENV_MAX_EPISODES": "5"},
        memory_bytes=1 << 30,
        cpus=1.5,
        processes=100,
        user="65534:65534",
        restricted=True,
        deadline=30.0,
    )
    assert env.reset(limits=Limits(output_bytes=2048)).server_id == "container"
    assert env.step(CodeAction(code="6 * 7")).observation.result == "42"
    created = engine.created
    assert created["Image"] == IMAGE and created["User"] == "65534:65534"
    assert created["Env"] == ["CODING_ENV_MAX_EPISODES=5", "CODING_ENV_LISTEN=0.0.0.0:8000", "CODING_ENV_END_WITH_STDIN=true"]
    host = created["HostConfig"]
    # On loopback alone, on a port that the engine chooses.
    assert host["PortBindings"] == {"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]}
    assert (host["Memory"], host["MemorySwap"], host["NanoCpus"], host["PidsLimit"]) == (1 << 30, 1 << 30, 1_500_000_000, 100)
    assert host["AutoRemove"] is True
    assert (host["CapDrop"], host["SecurityOpt"], host["ReadonlyRootfs"]) == (["ALL"], ["no-new-privileges"], True)
    assert "/tmp" in host["Tmpfs"]
    assert len(engine.containers) == 1
    assert env.close() is True
    assert engine.containers == {}
    # Once is enough.
    assert env.close() is False
    assert engine.asked.count("DELETE /containers/NAME") == 1
    with pytest.raises(CodingEnvError, match="make another one"):
        env.reset()


def test_seed_lines_with_an_image(engine):
    from envs.coding_env import CodeAction, CodingEnv

    try:
        coding_env = CodingEnv.from_docker_image("coding-env:latest")
        assert coding_env.reset().observation.exit_code == 0
        assert coding_env.step(CodeAction(code="print('Hello, World!')")).observation.stdout.strip() == "Hello, World!"
    finally:
        coding_env.close()
    assert engine.containers == {}


def test_with_and_an_exception(engine):
    with pytest.raises(KeyError), CodingEnv.from_docker_image(IMAGE) as env:
        env.reset()
        raise KeyError("mine")
    assert engine.containers == {}


def test_garbage(engine):
    env = CodingEnv.from_docker_image(IMAGE)
    env.reset()
    del env
    gc.collect()
    assert engine.containers == {}


def test_an_image_that_has_to_be_pulled(engine):
    engine.images = set()
    engine.registry = {"registry.example/team/coding-env:latest"}
    with CodingEnv.from_docker_image("registry.example/team/coding-env") as env:
        assert env.server_info().server_id == "container"
    assert engine.asked[:3] == ["POST /containers/create", "POST /images/create", "POST /containers/create"]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "pull access denied"),
        ((200, b'{"status":"Pulling"}\n{"errorDetail":{},"error":"no space left on device"}\n'), "no space left on device"),
        ((500, {"cause": "eof", "message": "initializing source: EOF", "response": 500}), "initializing source: EOF"),
    ],
)
def test_an_image_that_can_not_be_pulled(engine, answer, told):
    engine.images = set()
    if answer:
        engine.instead["POST /images/create"] = answer
    with pytest.raises(DockerError, match=told) as error:
        CodingEnv.from_docker_image(IMAGE)
    assert "has no image 'coding-env:latest'" in str(error.value)
    assert "docker build --tag coding-env:latest ." in str(error.value)
    assert error.value.reason == "DOCKER"


def test_pull_is_off(engine):
    engine.images = set()
    with pytest.raises(DockerError, match="pull is False"):
        CodingEnv.from_docker_image(IMAGE, pull=False)
    assert "POST /images/create" not in engine.asked


def test_a_container_that_can_not_be_made(engine):
    engine.instead["POST /containers/create"] = (400, {"message": "Minimum memory limit allowed is 6MB"})
    with pytest.raises(DockerError, match="Minimum memory limit"):
        CodingEnv.from_docker_image(IMAGE, memory_bytes=1)


def test_a_container_that_does_not_start(engine):
    engine.instead["POST /containers/NAME/start"] = (500, {"message": "driver failed programming external connectivity"})
    with pytest.raises(DockerError, match="does not start: driver failed"):
        CodingEnv.from_docker_image(IMAGE)
    assert engine.containers == {}


def test_a_container_that_can_not_be_attached_to(engine):
    engine.instead["POST /containers/NAME/attach"] = (500, {"message": "hijacking is not supported"})
    with pytest.raises(DockerError, match="can't be attached to: hijacking"):
        CodingEnv.from_docker_image(IMAGE)
    assert engine.containers == {}


@pytest.mark.parametrize(("exit_code", "told"), [(64, "exit code 64"), (137, "its memory was used up")])
def test_a_container_that_ends_at_once(engine, exit_code, told):
    engine.runs = False
    engine.exit_code = exit_code
    engine.log = b"error: --max-episodes has to be 1 to 1000000\n"
    with pytest.raises(DockerError) as error:
        CodingEnv.from_docker_image(IMAGE)
    assert told in error.value.message
    assert error.value.log == "error: --max-episodes has to be 1 to 1000000\n"
    assert "has to be 1 to 1000000" in str(error.value)
    assert engine.containers == {}


def test_a_server_that_is_never_ready(engine):
    engine.runs = False
    engine.log = b"still warming up"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        engine.port = str(silent.getsockname()[1])
        with pytest.raises(DockerError, match="not ready within 1 s") as error:
            CodingEnv.from_docker_image(IMAGE, start_timeout=1)
    assert error.value.log == "still warming up"
    assert engine.containers == {}


def test_no_port_was_published(engine):
    engine.runs = False
    with pytest.raises(DockerError, match="published no port"):
        CodingEnv.from_docker_image(IMAGE)
    assert engine.containers == {}


def test_a_container_that_can_not_be_removed(engine):
    env = CodingEnv.from_docker_image(IMAGE)
    engine.instead["DELETE /containers/NAME"] = (500, {"message": "device or resource busy"})
    with pytest.raises(DockerError, match="device or resource busy"):
        env.close()
    engine.instead.clear()
    # It is tried again.
    env.close()
    assert engine.containers == {}


def test_a_container_that_somebody_else_removed(engine):
    env = CodingEnv.from_docker_image(IMAGE)
    name, server = engine.containers.popitem()
    server.stop()
    env.close()


def test_an_engine_over_tcp(monkeypatch):
    with Engine() as engine:
        with CodingEnv.from_docker_image(IMAGE, docker_host=engine.address) as env:
            assert env.server_info().server_id == "container"
        assert engine.containers == {}


def test_there_is_no_engine(tmp_path, monkeypatch):
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(_engine, "_candidates", lambda: [str(tmp_path / "docker.sock"), str(tmp_path)])
    with pytest.raises(DockerError, match="no container engine was found") as error:
        CodingEnv.from_docker_image(IMAGE)
    assert str(tmp_path / "docker.sock") in str(error.value)


def test_sockets_are_looked_for(tmp_path, monkeypatch):
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    candidates = _engine._candidates()
    assert candidates[0] == "/var/run/docker.sock"
    assert str(tmp_path / "podman" / "podman.sock") in candidates
    with Engine(tmp_path / "docker.sock") as engine:
        monkeypatch.setattr(_engine, "_candidates", lambda: [str(tmp_path / "none"), *candidates[1:]])
        assert _engine.Engine().address == engine.address


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("unix:///nowhere/engine.sock", "Is it running"),
        ("ssh://user@machine", "forward its socket"),
        ("tcp://127.0.0.1:1", "Is it running"),
    ],
)
def test_an_engine_that_can_not_be_reached(address, told):
    with pytest.raises(DockerError, match=told):
        CodingEnv.from_docker_image(IMAGE, docker_host=address)


def test_permission_denied(engine, monkeypatch):
    def connect(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(_engine._UnixConnection, "connect", connect)
    with pytest.raises(DockerError, match="permission denied.*group docker"):
        CodingEnv.from_docker_image(IMAGE)


def test_something_else_answers(engine):
    engine.instead["POST /containers/create"] = (200, b"<html>hello</html>")
    with pytest.raises(DockerError, match="no container engine"):
        CodingEnv.from_docker_image(IMAGE)


@pytest.mark.parametrize(
    "wrong",
    [
        {"environment": {"CODING_ENV_LISTEN": "x"}},
        {"environment": {"CODING_ENV_END_WITH_STDIN": "false"}},
        {"start_timeout": 0},
        {"environment": {"CODING_ENV_LOG=debug": ""}},
        {"cpus": 0},
        {"memory_bytes": 0},
        {"processes": -1},
        {"deadline": -1},
        {"no_such_option": 1},
    ],
)
def test_options_that_can_not_be(engine, wrong):
    with pytest.raises((ValueError, TypeError)):
        CodingEnv.from_docker_image(IMAGE, **wrong)
    assert engine.asked == []


def test_asyncio(engine):
    async def use():
        async with await AsyncCodingEnv.from_docker_image(IMAGE, deadline=30.0) as env:
            await env.reset()
            assert (await env.step("6 * 7")).observation.result == "42"

    asyncio.run(use())
    assert engine.containers == {}


def test_asyncio_cancelled(engine):
    engine.runs = False
    with socket.create_server(("127.0.0.1", 0)) as silent:
        engine.port = str(silent.getsockname()[1])

        async def use():
            starting = asyncio.ensure_future(AsyncCodingEnv.from_docker_image(IMAGE))
            while "GET /containers/NAME/json" not in engine.asked:
                await asyncio.sleep(0.01)
            starting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await starting

        asyncio.run(use())
    wait_until("the container is removed", lambda: not engine.containers)


def run_script(engine, script, **more):
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    if engine:
        environment["DOCKER_HOST"] = engine.address
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", f"from coding_env import CodingEnv\n{script}"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


@pytest.mark.parametrize(
    ("script", "exit_code"),
    [
        ("env = CodingEnv.from_docker_image('coding-env:latest')\nprint(env.reset().done)", 0),
        ("env = CodingEnv.from_docker_image('coding-env:latest')\nprint(env.reset().done)\n1 / 0", 1),
        # A forked child that ends leaves the container to its parent.
        (
            "import os, sys\nenv = CodingEnv.from_docker_image('coding-env:latest')\n"
            "child = os.fork()\nif not child: sys.exit(0)\nos.waitpid(child, 0)\nprint(env.reset().done)",
            0,
        ),
    ],
    ids=["end", "exception", "fork"],
)
def test_the_process_ends_without_a_close(engine, script, exit_code):
    process = run_script(engine, script)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (exit_code, "False\n"), err
    assert engine.containers == {}
    assert engine.asked.count("DELETE /containers/NAME") == 1


def test_ctrl_c_in_a_step(engine):
    script = "env = CodingEnv.from_docker_image('coding-env:latest')\nenv.reset()\nprint('ready', flush=True)\nenv.step('while True: pass')"
    process = run_script(engine, script)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert "KeyboardInterrupt" in err
    assert engine.containers == {}


def test_ctrl_c_while_it_starts(engine):
    engine.runs = False
    with socket.create_server(("127.0.0.1", 0)) as silent:
        engine.port = str(silent.getsockname()[1])
        process = run_script(engine, "CodingEnv.from_docker_image('coding-env:latest')")
        wait_until("it waits for the server", lambda: "GET /containers/NAME/json" in engine.asked)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
    assert "KeyboardInterrupt" in err
    assert engine.containers == {}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_process_that_is_killed(engine, number):
    # Its forked child goes on, and does not hold the container.
    script = (
        "import os, time\nenv = CodingEnv.from_docker_image('coding-env:latest')\nenv.reset()\nchild = os.fork()\n"
        "if not child: time.sleep(600)\nprint(child, flush=True)\nenv.step('while True: pass')"
    )
    process = run_script(engine, script)
    child = int(process.stdout.readline())
    try:
        process.send_signal(number)
        process.wait(PATIENCE)
        wait_until("the container has gone", lambda: not engine.containers)
    finally:
        os.kill(child, signal.SIGKILL)
    process.communicate(timeout=PATIENCE)
    assert engine.asked.count("DELETE /containers/NAME") == 0


def is_gone(name):
    try:
        _engine.Engine().inspect(name)
    except _engine.EngineError as error:
        return error.status == 404
    return False


@needs_image
@pytest.mark.parametrize(
    "kind", [{}, {"user": "0:0"}, {"user": "65534:65534"}, {"restricted": True}], ids=["image", "root", "65534", "restricted"]
)
def test_a_real_engine(kind):
    image = os.environ["CODING_ENV_TEST_IMAGE"]
    with CodingEnv.from_docker_image(image, memory_bytes=2 << 30, processes=1024, **kind) as env:
        name = env._container._name
        assert env.reset().observation.exit_code == 0
        assert env.step("6 * 7").observation.result == "42"
        assert env.server_info().isolation.level.name in ("LANDLOCK", "NAMESPACE")
        assert _engine.Engine().inspect(name)["HostConfig"]["Memory"] == 2 << 30
    wait_until("the engine has removed it", lambda: is_gone(name))


@needs_image
def test_a_real_engine_that_can_not():
    image = os.environ["CODING_ENV_TEST_IMAGE"]
    with pytest.raises(DockerError) as error:
        CodingEnv.from_docker_image(image, environment={"CODING_ENV_MAX_EPISODES": "none"})
    assert "exit code 2" in error.value.message and "max-episodes" in error.value.log
    with pytest.raises(DockerError, match="has no image"):
        CodingEnv.from_docker_image("coding-env-no-such-image:latest")


@needs_image
def test_a_real_engine_and_a_process_that_is_killed():
    script = (
        "import os\nenv = CodingEnv.from_docker_image(os.environ['CODING_ENV_TEST_IMAGE'])\nenv.reset()\n"
        "print(env._container._name, flush=True)\nenv.step('while True: pass')"
    )
    process = run_script(None, script)
    name = process.stdout.readline().strip()
    assert not is_gone(name)
    process.kill()
    process.communicate(timeout=PATIENCE)
    wait_until("the engine has removed it", lambda: is_gone(name))
