"""A container engine as far as the client uses one: its HTTP API on a socket, with a real server as the "container"."""

import http.server
import json
import re
import socket
import socketserver
import sys
import threading
from urllib.parse import parse_qs, urlsplit

from conftest import PATIENCE, Server


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def address_string(self):
        return "client"

    def _serve(self):
        parts = urlsplit(self.path)
        if parts.path.endswith("/attach"):
            self.close_connection = True
            self.server.engine.attach(parts.path.split("/")[2], self.connection)
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, reply = self.server.engine.answer(
            self.command, parts.path, parse_qs(parts.query), json.loads(body) if body else None
        )
        data = reply if isinstance(reply, bytes) else json.dumps(reply).encode() if reply is not None else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = _serve


class _Threads(socketserver.ThreadingMixIn):
    daemon_threads = True

    def handle_error(self, request, client_address):
        # A client that was interrupted goes without reading its reply.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _UnixServer(_Threads, socketserver.UnixStreamServer):
    pass


class _TcpServer(_Threads, socketserver.TCPServer):
    pass


class Engine:
    """Answers as an engine does. What a test sets here makes it fail in one place.

    `asked` notes each request as "METHOD path". `containers` are those that are there, by name.
    """

    def __init__(self, path=None):
        self.asked = []
        self.created = {}
        self.containers = {}
        self.removed = threading.Event()
        #: Images that the engine has, and those that can be pulled.
        self.images = {"coding-env:latest"}
        self.registry = set()
        #: Answers instead of the ordinary ones, by "METHOD path" with NAME for the container's.
        self.instead = {}
        #: Whether a started container runs a server. Without one it writes `log`, and ends if it has an exit code, else it goes on.
        self.runs = True
        self.exit_code = None
        self.port = None
        self.log = b""
        #: The connections to the containers' streams, by name.
        self._streams = {}
        self._changed = threading.Condition()
        if path:
            self._http = _UnixServer(str(path), _Handler)
            self.address = f"unix://{path}"
        else:
            self._http = _TcpServer(("127.0.0.1", 0), _Handler)
            self.address = "tcp://127.0.0.1:%d" % self._http.server_address[1]
        self._http.engine = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(30)
        for server in self.containers.values():
            if server:
                server.stop()

    def attach(self, name, stream):
        """Until the client or the container ends. A container whose client has gone ends, and is removed."""
        self.asked.append("POST /containers/NAME/attach")
        if "POST /containers/NAME/attach" in self.instead:
            status, message = self.instead["POST /containers/NAME/attach"]
            body = json.dumps(message).encode()
            stream.sendall(b"HTTP/1.1 %d -\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body)
            return
        self._streams[name] = stream
        stream.sendall(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
        try:
            while stream.recv(4096):
                pass
        except OSError:
            pass
        self._end(name)

    def _end(self, name):
        with self._changed:
            if name not in self.containers:
                return
            server = self.containers.pop(name)
            self._changed.notify_all()
        if server:
            server.stop()
        try:
            self._streams[name].shutdown(socket.SHUT_RDWR)
        except (KeyError, OSError):
            pass  # it has gone by itself

    def answer(self, method, path, query, body):
        asked = re.sub(r"coding-env-[0-9a-f-]{36}", "NAME", f"{method} {path}")
        self.asked.append(asked)
        if asked in self.instead:
            return self.instead[asked]
        if asked == "POST /images/create":
            image = query["fromImage"][0] + (":" + query["tag"][0] if "tag" in query else "")
            if image not in self.registry:
                return 404, {"message": f"pull access denied for {image}, repository does not exist or may require 'docker login'"}
            self.images.add(image)
            return 200, b'{"status":"Pulling"}\n{"status":"Done"}\n'
        if asked == "POST /containers/create":
            image = body["Image"]
            if ":" not in image.rpartition("/")[2]:
                image += ":latest"
            if image not in self.images:
                return 404, {"message": f"No such image: {body['Image']}"}
            name = query["name"][0]
            self.created = body
            self.containers[name] = None
            return 201, {"Id": "1234", "Warnings": []}
        name = path.split("/")[2]
        if asked == "POST /containers/NAME/wait":
            assert query["condition"] == ["next-exit"]
            with self._changed:
                self._changed.wait_for(lambda: name not in self.containers, PATIENCE)
            return 200, {"StatusCode": self.exit_code or 0}
        if name not in self.containers:
            return 404, {"message": f"No such container: {name}"}
        if asked == "POST /containers/NAME/start":
            if self.runs:
                self.containers[name] = Server("--isolation", "none", server_id="container")
                self.containers[name].expect_log("isolation level none")
            else:
                self._streams[name].sendall(b"\x02\0\0\0" + len(self.log).to_bytes(4, "big") + self.log)
                if self.exit_code is not None:
                    self._end(name)
            return 204, None
        if asked == "GET /containers/NAME/json":
            server = self.containers[name]
            port = server.address.rpartition(":")[2] if server else self.port
            bindings = [{"HostIp": "127.0.0.1", "HostPort": port}] if port else None
            return 200, {"State": {"Running": True}, "NetworkSettings": {"Ports": {"8000/tcp": bindings}}}
        if asked == "DELETE /containers/NAME":
            self._end(name)
            self.removed.set()
            return 204, None
        raise AssertionError(asked)
