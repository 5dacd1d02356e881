"""A TCP proxy that breaks connections where a test says."""

import select
import socket
import ssl
import threading


class Proxy:
    """Forwards connections to `address` ("HOST:PORT") from a port of its own, and counts them.

    `cut_after(bytes, direction)` breaks each later connection once so many bytes have gone in that direction ("up" or "down");
    `hold()` and `release()` keep back what the server sends; `refuse()` lets nobody connect.
    """

    def __init__(self, address, tls=None):
        host, _, port = address.rpartition(":")
        self._upstream = (host.strip("[]"), int(port))
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        self.url = f"http{'s' if tls else ''}://{self.address}"
        self.connections = 0
        self.cuts = 0
        self._cut = None
        self._next_cut = None
        self._open = threading.Event()
        self._open.set()
        self._closing = False
        self._sockets = set()
        self._lock = threading.Lock()
        self._threads = []
        self._accepting = self._spawn(self._accept)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._closing = True
        self._open.set()
        self._accepting.join(30)
        self._listener.close()
        self.break_all()
        for thread in [self._accepting, *self._threads]:
            thread.join(30)
            assert not thread.is_alive()

    def cut_with(self, next_cut):
        """`next_cut()` gives (direction, bytes) for each later connection, or None."""
        self._next_cut = next_cut

    def hold(self):
        self._open.clear()

    def release(self):
        self._open.set()

    def break_all(self):
        """Breaks the connections that are open, with a reset."""
        with self._lock:
            for each in self._sockets:
                _reset(each)

    def _spawn(self, target, *arguments):
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        thread.start()
        return thread

    def _accept(self):
        while not self._closing:
            if not select.select([self._listener], [], [], 0.05)[0]:
                continue
            client, _ = self._listener.accept()
            self.connections += 1
            self._threads.append(self._spawn(self._serve, client))

    def _serve(self, client):
        try:
            if self._tls:
                client = self._tls.wrap_socket(client, server_side=True)
            server = socket.create_connection(self._upstream, 10)
        except (OSError, ssl.SSLError):
            client.close()
            return
        with self._lock:
            self._sockets |= {client, server}
        try:
            self._forward(client, server)
        finally:
            with self._lock:
                self._sockets -= {client, server}
            _reset(client)
            _reset(server)
            client.close()
            server.close()

    def _forward(self, client, server):
        cut = self._next_cut() if self._next_cut else None
        passed = {"up": 0, "down": 0}
        while not self._closing:
            pending = isinstance(client, ssl.SSLSocket) and client.pending()
            try:
                watched = [client, server] if self._open.is_set() else [client]
                readable = [client] if pending else select.select(watched, [], [], 0.02)[0]
                for source in readable:
                    direction = "up" if source is client else "down"
                    data = source.recv(65536)
                    if not data:
                        return
                    target = server if source is client else client
                    if cut and cut[0] == direction and passed[direction] + len(data) > cut[1]:
                        target.sendall(data[: cut[1] - passed[direction]])
                        self.cuts += 1
                        return
                    passed[direction] += len(data)
                    target.sendall(data)
            except (OSError, ValueError):
                return


def _reset(each):
    try:
        each.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
