"""A server under test: the real program, on a port of its own, and what has to hold when it has ended.

CODING_ENV_BIN names the program, target/release/coding-env at the top of the tree unless it is set.
"""

import collections
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import pytest

from coding_env import CodingEnv

#: Everything that is waited for is there long before this, in seconds; a test that needs it has failed.
PATIENCE = 60.0
HERE = pathlib.Path(__file__).resolve().parent
PYTHON_CLIENT = HERE.parent


def program():
    return os.environ.get("CODING_ENV_BIN") or str(HERE.parents[2] / "target" / "release" / "coding-env")


def wait_until(what, condition):
    """Returns what `condition` gives, once that is true."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.005)
    raise AssertionError(f"it did not come true within {PATIENCE} s: {what}")


class Server:
    """A running `coding-env serve`."""

    def __init__(self, *flags, listen="127.0.0.1:0", server_id="test"):
        self.home = tempfile.mkdtemp(prefix="coding-env-py-", dir="/var/tmp")
        self.expected_log = []
        self._lines = collections.deque(maxlen=10_000)
        command = [program(), "serve", "--listen", listen, "--log-format", "json", "--server-id", server_id]
        # An interrupt has to be served in time on a busy machine, too.
        command += ["--interrupt-grace", "5s", "--state-dir", self.home, "--python", server_python(), *flags]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={"PATH": os.environ["PATH"]}
        )
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()
        try:
            self.address = wait_until("the server serves", self._serving)["address"]
        except BaseException:
            self.kill()
            raise
        self.url = f"http://{self.address}"

    def _read(self):
        for line in self.process.stderr:
            self._lines.append(line.decode(errors="replace"))

    def log(self):
        return "".join(list(self._lines))

    def _serving(self):
        if self.process.poll() is not None:
            self._reading.join(1)
            raise AssertionError(f"the server does not start: {self.log()}")
        for line in list(self._lines):
            if '"message":"serving"' in line:
                return json.loads(line)["fields"] if "fields" in json.loads(line) else json.loads(line)
        return None

    def expect_log(self, text):
        """WARN and ERROR lines that contain this are part of the test."""
        self.expected_log.append(text)

    def kill(self):
        """Ends it without a word."""
        self.process.kill()
        self._clean()

    def stop(self):
        """Ends it, and checks that nothing unexpected was logged."""
        if self.process.poll() is None:
            self.expect_log("asked again: ending at once")
            self.process.send_signal(signal.SIGTERM)
            wait_until("it is asked to end", lambda: "asked to end" in self.log())
            self.process.send_signal(signal.SIGTERM)
        self._clean()
        unexpected = [
            line
            for line in list(self._lines)
            if '"level":"INFO"' not in line
            and '"level":"DEBUG"' not in line
            and not any(text in line for text in self.expected_log)
        ]
        assert not unexpected, f"unexpected in the log: {unexpected}"

    def _clean(self):
        self.process.wait(PATIENCE)
        self._reading.join(PATIENCE)
        self.process.stderr.close()
        shutil.rmtree(self.home, ignore_errors=True)


def server_python():
    """The interpreter that episodes run in: the one below a virtual environment, where episodes can see it."""
    return os.path.realpath(os.environ.get("CODING_ENV_TEST_PYTHON", getattr(sys, "_base_executable", sys.executable)))


@pytest.fixture(scope="session")
def server():
    """A server for tests that do it no harm."""
    running = Server()
    yield running
    running.stop()


@pytest.fixture
def start_server():
    """Starts servers of the test's own."""
    started = []

    def start(*flags, **options):
        started.append(Server(*flags, **options))
        return started[-1]

    yield start
    for running in started:
        running.stop()


@pytest.fixture
def env(server):
    with CodingEnv(base_url=server.url) as env:
        env.reset()
        yield env
