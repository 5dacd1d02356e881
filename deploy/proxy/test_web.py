"""The page, its WebSockets, the HTTP routes and gRPC below a path, through a real HAProxy that ends TLS.

deploy/proxy/test runs it: it makes the stubs and finds the programs. Everything that the page refers to has to lie below the path.
"""

import argparse
import contextlib
import http.client
import json
import os
import re
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse
from pathlib import Path

import grpc
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from coding_env.v1 import coding_env_pb2 as pb
from coding_env.v1 import coding_env_pb2_grpc as rpc

HERE = Path(__file__).resolve().parent
NAME = "code.example.org"
# A bound on whatever is waited for, in seconds.
WITHIN = 60
STEP = json.dumps({"action": {"code": "print('ran')"}})


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def certificate(folder):
    """A certificate of its own for NAME, and one file with its key too, as HAProxy wants it."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    command += ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True, timeout=WITHIN)
    both = folder / "both.pem"
    both.write_bytes(cert.read_bytes() + key.read_bytes())
    return cert, both


def read_to_the_end(stream):
    with stream:
        stream.read()


class BehindProxy(unittest.TestCase):
    program = ""

    @classmethod
    def setUpClass(cls):
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp", prefix="coding-env-web-")))
            folder.chmod(0o711)
            state = folder / "state"
            state.mkdir()
            state.chmod(0o1777)
            cert, both = certificate(folder)
            server = cls.started(stack, [cls.program, "serve", "--listen", "127.0.0.1:0", "--allow-host", NAME,
                                         "--drain-timeout", "0s", "--log-format", "json", "--state-dir", str(state)], {}, stderr=subprocess.PIPE, text=True)
            for line in server.stderr:
                told = json.loads(line)
                if told.get("message") == "serving":
                    break
            else:
                raise AssertionError("the server ended at its start")
            threading.Thread(target=read_to_the_end, args=[server.stderr]).start()
            cls.port = free_port()
            environment = {"LISTEN": f"127.0.0.1:{cls.port}", "CERTIFICATE": str(both), "SERVER": told["address"]}
            proxy = cls.started(stack, ["haproxy", "-db", "-f", str(HERE / "haproxy-web.cfg")], environment, stdout=subprocess.DEVNULL)
            deadline = time.monotonic() + WITHIN
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", cls.port), timeout=1):
                    break
                if proxy.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError("the proxy does not listen")
                time.sleep(0.05)
            cls.authority = f"{NAME}:{cls.port}"
            cls.origin = f"https://{cls.authority}"
            cls.roots = cert.read_bytes()
            cls.tls = ssl.create_default_context(cafile=str(cert))
            cls.addClassCleanup(stack.pop_all().close)

    @staticmethod
    def started(stack, command, environment, **options):
        process = subprocess.Popen(command, env={"PATH": os.environ["PATH"], **environment}, stdin=subprocess.DEVNULL, **options)

        def end():
            process.terminate()
            process.wait(WITHIN)

        stack.callback(end)
        return process

    def channel(self):
        return self.tls.wrap_socket(socket.create_connection(("127.0.0.1", self.port), timeout=WITHIN), server_hostname=NAME)

    def ask(self, method, path, body=None, **headers):
        connection = http.client.HTTPSConnection(NAME, self.port, context=self.tls, timeout=WITHIN)
        connection.sock = self.channel()
        with contextlib.closing(connection):
            headers = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, {"Host": self.authority, **headers})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()

    def browse(self, path):
        """A page, and all that it loads: where each lies, and its type."""
        status, headers, text = self.ask("GET", path, Sec_Fetch_Site="none", Sec_Fetch_Mode="navigate")
        self.assertEqual((status, headers["content-type"]), (200, "text/html; charset=utf-8"), path)
        loaded = {}
        for reference in re.findall(r'(?:src|href)="([^"#][^"]*)"', text):
            if reference.startswith("data:"):
                continue
            url = urllib.parse.urlsplit(urllib.parse.urljoin(self.origin + path, reference))
            self.assertEqual(f"{url.scheme}://{url.netloc}", self.origin)
            self.assertTrue(url.path.startswith("/coding/"), f"{path} refers to {reference}")
            status, headers, _ = self.ask("GET", url.path, Sec_Fetch_Site="same-origin", Sec_Fetch_Mode="no-cors")
            self.assertEqual(status, 200, url.path)
            loaded[url.path] = headers["content-type"].split(";")[0]
        return loaded

    def test_the_page_and_the_description_load_all_they_need(self):
        self.assertEqual(self.browse("/coding/web"), {
            "/coding/web/app.css": "text/css", "/coding/web/app.js": "text/javascript",
            "/coding/web/licenses.txt": "text/plain", "/coding/docs": "text/html"})
        self.assertEqual(self.browse("/coding/docs"), {"/coding/docs.css": "text/css", "/coding/openapi.json": "application/json"})

    def test_other_names_of_the_page_lead_to_it(self):
        for path in ("/coding", "/coding/", "/coding/web/"):
            status, headers, _ = self.ask("GET", path)
            self.assertIn(status, (302, 307), path)
            self.assertEqual(urllib.parse.urljoin(self.origin + path, headers["location"]), f"{self.origin}/coding/web")

    def test_only_what_is_below_the_path_gets_through(self):
        for path in ("/web", "/step", "/health", "/"):
            self.assertEqual(self.ask("GET", path)[0], 404, path)

    def test_the_http_routes(self):
        status, _, body = self.ask("POST", "/coding/step", STEP, Origin=self.origin)
        self.assertEqual((status, json.loads(body)["observation"]["stdout"]), (200, "ran\n"))
        self.assertEqual(self.ask("GET", "/coding/health")[0], 200)
        self.assertEqual(self.ask("POST", "/coding/step", STEP, Origin="https://evil.example")[0], 403)
        self.assertEqual(self.ask("POST", "/coding/step", "{}")[0], 422)

    def test_the_websockets(self):
        def opened(path, **options):
            return connect(f"wss://{self.authority}{path}", sock=socket.create_connection(("127.0.0.1", self.port), timeout=WITHIN),
                           ssl=self.tls, server_hostname=NAME, open_timeout=WITHIN, **options)

        with opened("/coding/web/socket", origin=self.origin, subprotocols=["coding-env"]) as page:
            self.assertEqual(json.loads(page.recv(WITHIN))["type"], "welcome")
            page.send(json.dumps({"type": "run", "id": 1, "code": "print('on')\nwhile True: pass"}))
            self.assertEqual(json.loads(page.recv(WITHIN))["type"], "piece", "while the step runs")
            page.send(json.dumps({"type": "interrupt"}))
            while (frame := json.loads(page.recv(WITHIN)))["type"] == "piece":
                pass
            self.assertEqual(frame["reply"]["outcome"], "interrupted")
        with opened("/coding/ws") as session:
            session.send(json.dumps({"type": "step", "data": {"code": "6 * 7"}}))
            self.assertEqual(json.loads(session.recv(WITHIN))["data"]["observation"]["stdout"], "42")
        with self.assertRaises(InvalidStatus) as refused:
            opened("/coding/ws", origin="https://evil.example")
        self.assertEqual(refused.exception.response.status_code, 403)

    def test_grpc(self):
        options = [("grpc.ssl_target_name_override", NAME)]
        with grpc.secure_channel(f"127.0.0.1:{self.port}", grpc.ssl_channel_credentials(self.roots), options) as channel:
            stub = rpc.CodingEnvStub(channel)
            episode = stub.Reset(pb.ResetRequest(), timeout=WITHIN).state.episode_id
            reply = stub.Step(pb.StepRequest(episode_id=episode, action=pb.CodeAction(code="6 * 7")), timeout=WITHIN)
            self.assertEqual(reply.observation.result, "42")
            stub.Close(pb.CloseRequest(episode_id=episode), timeout=WITHIN)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True, help="the coding-env to run")
    arguments, rest = parser.parse_known_args()
    BehindProxy.program = arguments.program
    unittest.main(argv=["test_web.py", *rest])
