"""The HTTP API of a container engine, Docker's or Podman's, over its socket."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import stat
import threading
import weakref
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple, Type
from urllib.parse import quote, urlencode, urlsplit

from .errors import DockerError

#: How long the engine may be silent while it works on a request, in seconds.
_SILENCE_SECONDS = 60.0
#: The same while it pulls an image.
_PULL_SILENCE_SECONDS = 600.0
#: The most progress lines of a pull that are read.
_PULL_LINES_MAX = 1_000_000
#: The most of the head of a reply, and of an error in it, that is read, in bytes.
_HEAD_BYTES_MAX = 65536
#: The most of a container's log that is kept, in bytes: its end.
_LOG_BYTES_MAX = 65536
#: How long the engine may take to tell the exit code of a container that has ended, in seconds.
_EXIT_CODE_SECONDS = 5.0


class EngineError(DockerError):
    """The engine refused a request."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    def __reduce__(self) -> Tuple[Type[EngineError], Tuple[int, str]]:
        return type(self), (self.status, self.message)


class Published(NamedTuple):
    """Where a port of a container can be reached."""

    host: str
    port: int


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.sock.settimeout(self.timeout)
            self.sock.connect(self._path)
        except BaseException:
            self.sock.close()
            raise


def _candidates() -> List[str]:
    """Where engines listen by default, Docker before Podman, the machine's before the user's."""
    home = os.path.expanduser("~")
    runtime = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    return [
        "/var/run/docker.sock",
        os.path.join(runtime, "docker.sock"),
        os.path.join(home, ".docker", "run", "docker.sock"),
        os.path.join(runtime, "podman", "podman.sock"),
        "/run/podman/podman.sock",
    ]


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False


class Engine:
    """An engine: where it listens, and how to ask it.

    Args:
        address: ``unix:///PATH``, ``tcp://HOST:PORT`` or ``http(s)://HOST:PORT``. None: DOCKER_HOST, or the first socket that is there.

    Raises:
        DockerError: There is none, or the address is of another kind.
    """

    def __init__(self, address: Optional[str] = None) -> None:
        address = address or os.environ.get("DOCKER_HOST") or self._find()
        self.address = address
        #: The machine that it runs on, when it is reached over the network.
        self.host: Optional[str] = None
        self._path = ""
        self._port = 0
        self._tls = False
        parts = urlsplit(address)
        if parts.scheme == "unix" and parts.path:
            self._path = parts.path
            return
        if parts.scheme not in ("tcp", "http", "https") or not parts.hostname:
            raise DockerError(
                f"DOCKER_HOST is {address!r}: this client speaks to unix:///PATH and tcp://HOST:PORT. "
                "For another machine, forward its socket and name that"
            )
        self.host = parts.hostname
        self._tls = parts.scheme == "https" or bool(os.environ.get("DOCKER_TLS_VERIFY"))
        self._port = parts.port or (2376 if self._tls else 2375)

    @staticmethod
    def _find() -> str:
        candidates = _candidates()
        for path in candidates:
            if _is_socket(path):
                return f"unix://{path}"
        raise DockerError(
            "no container engine was found: DOCKER_HOST is not set, and there is no socket at any of "
            f"{', '.join(candidates)}. Start Docker or Podman, or connect to a server that runs: CodingEnv(base_url=…)"
        )

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        if self.host is None:
            return _UnixConnection(self._path, timeout)
        if not self._tls:
            return http.client.HTTPConnection(self.host, self._port, timeout=timeout)
        folder = os.environ.get("DOCKER_CERT_PATH") or os.path.expanduser("~/.docker")
        try:
            context = ssl.create_default_context(cafile=os.path.join(folder, "ca.pem"))
            context.load_cert_chain(os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem"))
        except OSError as error:
            raise DockerError(f"the certificates for the engine at {self.address} can't be read in {folder}: {error}") from error
        return http.client.HTTPSConnection(self.host, self._port, timeout=timeout, context=context)

    def _ask(self, method: str, path: str, body: Optional[Any], timeout: float) -> Iterator[bytes]:
        """The lines of the reply.

        Raises:
            EngineError: The engine refused.
            DockerError: It can't be reached.
        """
        connection = self._connection(timeout)
        try:
            headers = {} if body is None else {"Content-Type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            if response.status >= 400:
                raise EngineError(response.status, _message(response.read(65536)) or response.reason)
            yield from response
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from error
        finally:
            connection.close()

    def _unreachable(self, error: Exception) -> DockerError:
        if isinstance(error, PermissionError):
            return DockerError(
                f"permission denied at the engine's socket {self.address}: let this user use it (group docker), or name another by DOCKER_HOST"
            )
        return DockerError(f"the engine at {self.address} can't be reached: {error or type(error).__name__}. Is it running?")

    def _json(self, method: str, path: str, body: Optional[Any] = None) -> Any:
        text = b"".join(self._ask(method, path, body, _SILENCE_SECONDS))
        try:
            return json.loads(text) if text.strip() else {}
        except ValueError as error:
            raise DockerError(f"what answers at {self.address} is no container engine") from error

    def create(self, name: str, config: Mapping[str, Any]) -> None:
        """Makes a container."""
        self._json("POST", f"/containers/create?{urlencode({'name': name})}", config)

    def pull(self, image: str) -> None:
        """Pulls an image from its registry."""
        query = {"fromImage": image}
        if ":" not in image.rpartition("/")[2]:
            query["tag"] = "latest"
        lines = self._ask("POST", f"/images/create?{urlencode(query)}", None, _PULL_SILENCE_SECONDS)
        try:
            for _, line in zip(range(_PULL_LINES_MAX), lines):
                # A failure after the reply has begun is a line of its own.
                error = _message(line, "error")
                if error:
                    raise EngineError(500, error)
        finally:
            lines.close()  # type: ignore[attr-defined]

    def start(self, name: str) -> None:
        """Starts a container."""
        self._json("POST", f"/containers/{quote(name)}/start")

    def inspect(self, name: str) -> Dict[str, Any]:
        """What the engine knows of a container."""
        found = self._json("GET", f"/containers/{quote(name)}/json")
        return found if isinstance(found, dict) else {}

    def attach(self, name: str) -> Lifeline:
        """Connects to the standard streams of a container that has not been started yet."""
        query = urlencode({"stream": 1, "stdin": 1, "stdout": 1, "stderr": 1})
        try:
            connection = self._connection(_SILENCE_SECONDS)
            connection.connect()
            stream = connection.sock
        except OSError as error:
            raise self._unreachable(error) from error
        try:
            # By hand: http.client gives a connection away that has been upgraded.
            host = self.host or "localhost"
            stream.sendall(
                f"POST /containers/{quote(name)}/attach?{query} HTTP/1.1\r\nHost: {host}\r\n"
                "Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n".encode()
            )
            status, rest = _upgraded(stream)
            if status not in (101, 200):
                raise EngineError(status, _message(rest) or f"HTTP status {status}")
            stream.settimeout(None)
            return Lifeline(stream)
        except OSError as error:
            stream.close()
            raise self._unreachable(error) from error
        except BaseException:
            stream.close()
            raise

    def exit_code(self, name: str) -> ExitCode:
        """Begins to wait for a container's next end. Before it is started, so that none is missed."""
        connection = self._connection(_EXIT_CODE_SECONDS)
        try:
            connection.request("POST", f"/containers/{quote(name)}/wait?condition=next-exit")
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise self._unreachable(error) from error
        return ExitCode(connection)

    def remove(self, name: str) -> None:
        """Ends a container and removes it, with what it stored. One that is gone, or going, is no error."""
        try:
            self._json("DELETE", f"/containers/{quote(name)}?force=true&v=true")
        except EngineError as error:
            if error.status not in (404, 409):
                raise


def published(inspected: Mapping[str, Any], port: str) -> Optional[Published]:
    """Where a port of a container was published."""
    bindings = ((inspected.get("NetworkSettings") or {}).get("Ports") or {}).get(port) or []
    for binding in bindings:
        if binding.get("HostPort"):
            return Published(binding.get("HostIp") or "", int(binding["HostPort"]))
    return None


def _message(text: bytes, name: str = "message") -> str:
    try:
        found = json.loads(text)
    except ValueError:
        return text.decode(errors="replace").strip() if name == "message" else ""
    return str(found.get(name) or "") if isinstance(found, dict) else ""


class ExitCode:
    """What a container ends with, once it has."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection

    def get(self) -> Optional[int]:
        """To be asked when the container has ended. None: the engine does not tell."""
        try:
            found = json.loads(self._connection.getresponse().read(_HEAD_BYTES_MAX))
            return int(found["StatusCode"])
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
            return None

    def close(self) -> None:
        """Asks no more."""
        self._connection.close()


#: Those of this process. A forked child closes its copies, so that a container's standard input ends with its parent.
_lifelines: "weakref.WeakSet[Lifeline]" = weakref.WeakSet()


class Lifeline:
    """The connection to a container's standard streams: its server ends when this client has gone, in whatever way, and what it writes
    is kept for errors."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream
        self._log = bytearray()
        self._lock = threading.Lock()
        #: Set when the container has ended, and all that it wrote has been read.
        self.ended = threading.Event()
        _lifelines.add(self)
        threading.Thread(target=_read_log, args=(stream, self._log, self._lock, self.ended), daemon=True).start()

    def log(self, lines: int) -> str:
        """The last lines that the container wrote, of both streams."""
        with self._lock:
            text = self._log.decode(errors="replace")
        return "".join(text.splitlines(keepends=True)[-lines:])

    def close(self) -> None:
        """Lets go: a server that still runs ends."""
        try:
            self._stream.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended by itself
        self._stream.close()

    def _leave_to_parent(self) -> None:
        self._stream.close()


def _leave_lifelines_to_parent() -> None:
    for lifeline in list(_lifelines):
        lifeline._leave_to_parent()


os.register_at_fork(after_in_child=_leave_lifelines_to_parent)


def _read_log(stream: socket.socket, log: bytearray, lock: threading.Lock, ended: threading.Event) -> None:
    """Each piece has a header: the stream, three zeros, four bytes of length."""
    try:
        while True:
            header = _exactly(stream, 8)
            left = int.from_bytes(header[4:], "big")
            while left:
                piece = stream.recv(min(left, 65536))
                if not piece:
                    return
                left -= len(piece)
                with lock:
                    log += piece
                    del log[:-_LOG_BYTES_MAX]
    except (OSError, EOFError):
        pass  # the container has ended, or nobody asks any more
    finally:
        ended.set()


def _exactly(stream: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        piece = stream.recv(count - len(found))
        if not piece:
            raise EOFError
        found += piece
    return found


def _upgraded(stream: socket.socket) -> Tuple[int, bytes]:
    """The status of the reply, and the body of one that refuses. Nothing behind the head of another is read."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = stream.recv(1)
        if not byte or len(head) >= _HEAD_BYTES_MAX:
            raise OSError("the reply ends in its head")
        head += byte
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) < 2 or not words[1].isdigit():
        raise OSError("the reply is not of HTTP")
    status = int(words[1])
    length = 0
    for line in lines[1:]:
        name, _, value = line.partition(":")
        if name.lower() == "content-length" and value.strip().isdigit():
            length = min(int(value), _HEAD_BYTES_MAX)
    return status, (_exactly_or_less(stream, length) if status >= 400 else b"")


def _exactly_or_less(stream: socket.socket, count: int) -> bytes:
    try:
        return _exactly(stream, count)
    except EOFError:
        return b""
