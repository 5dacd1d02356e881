"""A server under test, and the client that users of the incumbent's coding_env have: its shape, over the genuine base class."""

import json
import os
import subprocess
import tempfile
import threading
from importlib import metadata

from openenv.core.client_types import StepResult
from openenv.core.env_client import EnvClient
from openenv.core.env_server.types import Action, Observation, State


def newest():
    """Whether this is the package `openenv`; the other one's name is frozen."""
    try:
        metadata.version("openenv")
        return True
    except metadata.PackageNotFoundError:
        return False


class CodeAction(Action):
    code: str


class CodeObservation(Observation):
    """Its base forbids fields that are not here, so an observation with any other key fails in the user's process."""

    stdout: str = ""
    stderr: str = ""
    exit_code: int = 0


class CodeState(State):
    last_exit_code: int = 0


class CodingEnv(EnvClient[CodeAction, CodeObservation, CodeState]):
    def _step_payload(self, action):
        return {"code": action.code}

    def _parse_result(self, payload):
        observation = CodeObservation(**payload["observation"])
        return StepResult(observation=observation, reward=payload.get("reward"), done=bool(payload.get("done", False)))

    def _parse_state(self, payload):
        return CodeState(
            episode_id=payload.get("episode_id"),
            step_count=payload.get("step_count", 0),
            last_exit_code=payload.get("last_exit_code", 0),
        )


class Server:
    """`coding-env serve` on a port of its own."""

    def __init__(self, *flags, **variables):
        self.state = tempfile.TemporaryDirectory()
        environment = {name: os.environ[name] for name in ("PATH", "CODING_ENV_PYTHON") if name in os.environ}
        environment.update(variables)
        self.process = subprocess.Popen(
            [os.environ["CODING_ENV_BIN"], "serve", "--listen", "127.0.0.1:0", "--log-format", "json",
             "--state-dir", self.state.name, *flags],
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.log = []
        for line in self.process.stderr:
            self.log.append(line)
            told = json.loads(line)
            if told.get("message") == "serving":
                self.url = "http://" + told["address"]
                break
        else:
            raise RuntimeError("".join(self.log))
        threading.Thread(target=self.read_on, daemon=True).start()

    def read_on(self):
        for line in self.process.stderr:
            self.log.append(line)

    def stop(self):
        for _ in range(2):  # the second one skips the drain
            self.process.terminate()
        self.process.wait(30)
        self.state.cleanup()
        bad = [line for line in self.log if json.loads(line)["level"] == "ERROR"]
        if bad:
            raise AssertionError("".join(bad))
