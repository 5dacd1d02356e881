"""A server in a container: started, waited for, and removed when nobody uses it any more."""

from __future__ import annotations

import dataclasses
import os
import threading
import time
import weakref
from typing import Any, Dict, Mapping, Optional, Tuple

import grpc

from . import _channels
from . import _details_pb2 as details_pb
from ._core import new_id
from ._engine import Engine, EngineError, ExitCode, Lifeline, published
from .errors import DockerError
from .options import Options, parse_url

#: The port that the server in the image listens on.
_PORT = 8000
_PORT_NAME = f"{_PORT}/tcp"
_LISTEN = "CODING_ENV_LISTEN"
_END_WITH_STDIN = "CODING_ENV_END_WITH_STDIN"
_LOG_LINES = 50
_SERVING = 1
#: How long one question for readiness may take, in seconds.
_PROBE_SECONDS = 2.0
#: The pause between two, in seconds.
_PROBE_PAUSE_SECONDS = 0.05


@dataclasses.dataclass(frozen=True)
class DockerOptions:
    """How ``from_docker_image`` runs a container. It takes each of these by name."""

    #: Environment variables of the server: any of its settings, as ``CODING_ENV_MAX_EPISODES``, but for ``CODING_ENV_LISTEN`` and
    #: ``CODING_ENV_END_WITH_STDIN``, which are the client's.
    environment: Optional[Mapping[str, str]] = None
    #: The memory of the container, swap included, in bytes: more than 0. None: as much as there is.
    memory_bytes: Optional[int] = None
    #: How many cores it may use: 1.5 is one and a half. More than 0. None: all.
    cpus: Optional[float] = None
    #: Processes and threads in it: more than 0. None: as many as the engine allows.
    processes: Optional[int] = None
    #: The user that it runs as: ``UID:GID``. None: the image's.
    user: Optional[str] = None
    #: Whether it may do no more than a pod under Kubernetes' restricted standard: no capabilities, no new privileges, a read-only root
    #: with a ``/tmp`` in memory. False: what the engine gives to every container.
    restricted: bool = False
    #: Whether an image that the engine does not have is pulled.
    pull: bool = True
    #: How long the server may take until it is ready, in seconds, from when the container was started.
    start_timeout: float = 60.0
    #: The engine: ``unix:///PATH`` or ``tcp://HOST:PORT``. None: DOCKER_HOST, or the first socket that is there, Podman's included.
    docker_host: Optional[str] = None
    #: The address of the engine's machine that the server can be reached at. Whoever reaches it can run code, so by default it is the
    #: loopback interface. An engine on another machine needs one that this machine reaches.
    publish_host: str = "127.0.0.1"

    def __post_init__(self) -> None:
        for name in self.environment or {}:
            if name in (_LISTEN, _END_WITH_STDIN):
                raise ValueError(f"{name} can't be set: it is chosen here")
            if not name or "=" in name:
                raise ValueError(f"{name!r} is no name of a variable")
        if not self.start_timeout > 0:
            raise ValueError("start_timeout has to be more than 0 seconds")
        # To the engine, nothing is no limit.
        for name, value in (("memory_bytes", self.memory_bytes), ("cpus", self.cpus), ("processes", self.processes)):
            if value is not None and not 0 < value < float("inf"):
                raise ValueError(f"{name} has to be more than 0")


_DOCKER_NAMES = frozenset(field.name for field in dataclasses.fields(DockerOptions))


def split(arguments: Mapping[str, Any]) -> Tuple[DockerOptions, Dict[str, Any]]:
    """The container's options, and those of the client by name. Both have been checked."""
    ours = {name: value for name, value in arguments.items() if name in _DOCKER_NAMES}
    others = {name: value for name, value in arguments.items() if name not in _DOCKER_NAMES}
    Options(**others)
    return DockerOptions(**ours), others


class Container:
    """A running container with a server that is ready."""

    def __init__(self, engine: Engine, image: str) -> None:
        self._engine = engine
        self._image = image
        # Named here, so that it can be removed even when the engine's reply never came.
        self._name = f"coding-env-{new_id()}"
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._lifeline: Optional[Lifeline] = None
        self._exit_code: Optional[ExitCode] = None
        #: Whether it has been removed.
        self.removed = False
        #: The URL of its server.
        self.url = ""

    @classmethod
    def run(
        cls,
        image: str,
        options: DockerOptions,
        headers: Tuple[Tuple[str, str], ...],
        cancelled: threading.Event,
    ) -> Container:
        """Starts a container and waits until its server is ready. What fails, or is cancelled, leaves none behind.

        Raises:
            DockerError: What failed.
        """
        container = cls(Engine(options.docker_host), image)
        try:
            container._create(options)
            container._attach()
            container._start(options)
            container._wait(options, headers, cancelled)
        except BaseException:
            container.remove()
            raise
        return container

    def remove_with(self, owner: object) -> None:
        """Removes it when `owner` is garbage, or the process ends."""
        weakref.finalize(owner, self.remove)

    def remove(self) -> None:
        """Ends and removes it, if that has not been done. A forked child leaves it to its parent.

        Raises:
            DockerError: It could not be removed.
        """
        if os.getpid() != self._owner:
            return
        with self._lock:
            if self.removed:
                return
            self._engine.remove(self._name)
            self.removed = True
            if self._lifeline:
                self._lifeline.close()
            if self._exit_code:
                self._exit_code.close()

    def _create(self, options: DockerOptions) -> None:
        environment = {**(options.environment or {}), _LISTEN: f"0.0.0.0:{_PORT}", _END_WITH_STDIN: "true"}
        host: Dict[str, Any] = {
            "PortBindings": {_PORT_NAME: [{"HostIp": options.publish_host, "HostPort": ""}]},
            # The engine removes it as soon as it ends, whoever is left then.
            "AutoRemove": True,
        }
        if options.memory_bytes is not None:
            host["Memory"] = host["MemorySwap"] = options.memory_bytes
        if options.cpus is not None:
            host["NanoCpus"] = round(options.cpus * 1e9)
        if options.processes is not None:
            host["PidsLimit"] = options.processes
        if options.restricted:
            host["CapDrop"] = ["ALL"]
            host["SecurityOpt"] = ["no-new-privileges"]
            host["ReadonlyRootfs"] = True
            host["Tmpfs"] = {"/tmp": "rw,nosuid,nodev,mode=1777"}
        config: Dict[str, Any] = {
            "Image": self._image,
            "Env": [f"{name}={value}" for name, value in environment.items()],
            "Labels": {"coding-env.client": "python", "coding-env.client-pid": str(self._owner)},
            "ExposedPorts": {_PORT_NAME: {}},
            # Its standard input ends with the first connection to it, which is ours.
            "AttachStdin": True,
            "OpenStdin": True,
            "StdinOnce": True,
            "HostConfig": host,
        }
        if options.user is not None:
            config["User"] = options.user
        for may_pull in (True, False):
            try:
                self._engine.create(self._name, config)
                return
            except EngineError as error:
                if error.status != 404 or not may_pull:
                    raise DockerError(f"no container can be made of the image {self._image!r}: {error.message}") from error
            self._pull(options)

    def _pull(self, options: DockerOptions) -> None:
        advice = f"build it (docker build --tag {self._image} .), or pull it by hand where that needs a login"
        if not options.pull:
            raise DockerError(f"the engine has no image {self._image!r}, and pull is False: {advice}")
        try:
            self._engine.pull(self._image)
        except EngineError as error:
            raise DockerError(f"the engine has no image {self._image!r}, and can't pull it: {error.message}; {advice}") from error

    def _attach(self) -> None:
        try:
            self._lifeline = self._engine.attach(self._name)
        except EngineError as error:
            raise DockerError(f"the container of {self._image!r} can't be attached to: {error.message}") from error
        self._exit_code = self._engine.exit_code(self._name)

    def _start(self, options: DockerOptions) -> None:
        try:
            self._engine.start(self._name)
        except EngineError as error:
            raise DockerError(f"the container of {self._image!r} does not start: {error.message}", self._log()) from error
        try:
            inspected = self._engine.inspect(self._name)
        except EngineError as error:
            if error.status != 404:
                raise
            # It is gone already where it has ended.
            raise self._ended() from None
        if not (inspected.get("State") or {}).get("Running", True):
            raise self._ended()
        found = published(inspected, _PORT_NAME)
        if found is None:
            raise DockerError(f"the engine published no port for the container of {self._image!r}", self._log())
        host = options.publish_host
        if host in ("", "0.0.0.0", "::"):
            host = self._engine.host or "127.0.0.1"
        self.url = f"http://[{host}]:{found.port}" if ":" in host else f"http://{host}:{found.port}"

    def _wait(self, options: DockerOptions, headers: Tuple[Tuple[str, str], ...], cancelled: threading.Event) -> None:
        """Asks until the server is ready."""
        end = time.monotonic() + options.start_timeout
        # A channel of its own, which connects again soon: the engine takes connections before the server does.
        channel = _channels.channel_to(parse_url(self.url, Options(retry_max=0.1)))
        health = _channels.rpcs(channel)["Health"]
        request = details_pb.HealthCheckRequest(service="readiness")
        answer = "it was not asked"
        try:
            while time.monotonic() < end:
                if cancelled.is_set():
                    raise DockerError("the start was cancelled")
                try:
                    timeout = min(_PROBE_SECONDS, max(0.001, end - time.monotonic()))
                    if health(request, timeout=timeout, metadata=headers).status == _SERVING:
                        return
                    answer = "it says that it is not ready"
                except grpc.RpcError as error:
                    answer = f"{error.code().name}: {error.details()}"
                if self._lifeline and self._lifeline.ended.wait(_PROBE_PAUSE_SECONDS):
                    raise self._ended()
        finally:
            channel.close()
        raise DockerError(
            f"the server in the container of {self._image!r} was not ready within {options.start_timeout:g} s ({answer})", self._log()
        )

    def _ended(self) -> DockerError:
        """That it ended before its server was ready, with all that it wrote."""
        code = None
        if self._lifeline and self._exit_code:
            self._lifeline.ended.wait(_PROBE_SECONDS)
            code = self._exit_code.get()
        if code == 137:
            why = " (exit code 137: it was killed, as a rule because its memory was used up)"
        else:
            why = "" if code is None else f" (exit code {code})"
        return DockerError(f"the container of {self._image!r} ended before its server was ready{why}", self._log())

    def _log(self) -> str:
        return self._lifeline.log(_LOG_LINES) if self._lifeline else ""
