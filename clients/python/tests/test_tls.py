"""TLS, client certificates and headers, through a proxy that ends TLS."""

import asyncio
import ssl
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
import trustme

from coding_env import AsyncCodingEnv, CodingEnv, ConnectError, Pool, RefusedError
from proxy import Proxy


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


def context_of(authority, *, wants_client=False):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2"])
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    if wants_client:
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def test_tls(server, authority):
    roots = authority.cert_pem.bytes()

    async def use(url):
        async with AsyncCodingEnv(url, root_certificates=roots) as env:
            await env.reset()
            return (await env.step("6 * 7")).observation.result

    with Proxy(server.address, tls=context_of(authority)) as proxy:
        for url in (proxy.url, proxy.url.replace("https", "grpcs").replace("127.0.0.1", "localhost")):
            with CodingEnv(url, root_certificates=roots) as env:
                env.reset()
                assert env.step("6 * 7").observation.result == "42"
        assert asyncio.run(use(proxy.url)) == "42"
        # An authority that is not trusted, and no TLS at all.
        for url, trusted in ((proxy.url, trustme.CA().cert_pem.bytes()), (proxy.url, None), (proxy.url.replace("https", "http"), None)):
            with CodingEnv(url, root_certificates=trusted, deadline=0.5) as env, pytest.raises(ConnectError):
                env.reset()


def test_servers_that_a_pool_finds_by_name_have_to_bear_that_name(server, authority):
    roots = authority.cert_pem.bytes()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2"])
    authority.issue_cert("localhost").configure_cert(context)
    with Proxy(server.address, tls=context) as proxy:
        port = proxy.address.rpartition(":")[2]
        with Pool(f"dns:///localhost:{port}", secure=True, root_certificates=roots) as pool:
            env = pool.env()
            env.reset()
            assert env.step("6 * 7").observation.result == "42"
        with pytest.raises(ConnectError):
            Pool(f"dns:///127.0.0.1:{port}", secure=True, root_certificates=roots, deadline=1.0).connect()


def test_client_certificates(server, authority):
    roots = authority.cert_pem.bytes()
    mine = authority.issue_cert("client@example.org")
    chain = b"".join(pem.bytes() for pem in mine.cert_chain_pems)
    with Proxy(server.address, tls=context_of(authority, wants_client=True)) as proxy:
        certificates = {"client_certificate": chain, "client_key": mine.private_key_pem.bytes()}
        with CodingEnv(proxy.url, root_certificates=roots, **certificates) as env:
            env.reset()
            assert env.step("6 * 7").observation.result == "42"
        with CodingEnv(proxy.url, root_certificates=roots, deadline=0.5) as env, pytest.raises(ConnectError):
            env.reset()


class _Headers(grpc.GenericRpcHandler):
    """Notes what is sent with each call, and refuses it."""

    def __init__(self):
        self.seen = []

    def service(self, call):
        self.seen.append(dict(call.invocation_metadata))
        return None


def test_headers_arrive():
    headers = _Headers()
    with ThreadPoolExecutor(1) as pool:
        server = grpc.server(pool, handlers=[headers])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        with CodingEnv(f"http://127.0.0.1:{port}", token="t0ken", metadata={"x-team": "blue"}) as env:
            with pytest.raises(RefusedError, match="UNIMPLEMENTED"):
                env.reset()
        server.stop(None).wait()
    (seen,) = headers.seen
    assert (seen["authorization"], seen["x-team"]) == ("Bearer t0ken", "blue")
    assert seen["x-episode-id"] and "x-coding-env-server" not in seen
