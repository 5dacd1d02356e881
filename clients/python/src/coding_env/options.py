"""How a client behaves, and where it connects to."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from typing import Any, List, Mapping, Optional, Tuple
from urllib.parse import urlsplit

import grpc

from .errors import UrlError

#: The largest reply that a client decodes; a server sends less unless a step asks for more. A reply of that size has fields around its text.
_REPLY_BYTES_MAX = (64 << 20) + (1 << 20)
#: How long an attempt to connect may take, in milliseconds.
_CONNECT_MS = 10_000
#: The most bytes of headers and trailers that are read: a refusal's details travel there.
_METADATA_BYTES_MAX = 64 << 10
_SCHEMES = {"http": (False, 80), "grpc": (False, 80), "https": (True, 443), "grpcs": (True, 443)}
_HEADER_NAME = re.compile(r"[0-9a-z_.-]+")


@dataclasses.dataclass(frozen=True)
class Options:
    """How a client behaves. ``CodingEnv`` and ``AsyncCodingEnv`` take each of these by name."""

    #: How long a call may take in all, retries included, in seconds. A step whose timeout is longer gets that and a minute.
    deadline: float = 300.0
    #: The first pause before a retry, in seconds; it doubles each time and is spread at random.
    retry_first: float = 0.02
    #: The longest pause before a retry, in seconds, unless the server asks for more.
    retry_max: float = 2.0
    #: How often an idle connection is checked, in seconds.
    keepalive: float = 20.0
    #: Sent with each call as ``authorization: Bearer …``. Use it over ``https://`` alone, but on loopback.
    token: Optional[str] = dataclasses.field(default=None, repr=False)
    #: Headers to send with each call: lower-case names.
    metadata: Optional[Mapping[str, str]] = dataclasses.field(default=None, repr=False)
    #: For ``https://``: the certificates (PEM) of the authorities that are trusted. None: those that gRPC brings.
    root_certificates: Optional[bytes] = dataclasses.field(default=None, repr=False)
    #: For ``https://`` with client certificates: this client's certificate chain (PEM). Needs ``client_key``.
    client_certificate: Optional[bytes] = dataclasses.field(default=None, repr=False)
    #: For ``https://`` with client certificates: its private key (PEM).
    client_key: Optional[bytes] = dataclasses.field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in ("deadline", "retry_first", "retry_max", "keepalive"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} has to be more than 0 seconds")
        if (self.client_certificate is None) != (self.client_key is None):
            raise ValueError("client_certificate and client_key belong together")
        for name in self.metadata or ():
            if not _HEADER_NAME.fullmatch(name) or name.endswith("-bin"):
                raise ValueError(f"metadata: {name!r} is no name of a text header; it has to be of [0-9a-z_.-]")

    def headers(self) -> Tuple[Tuple[str, str], ...]:
        """What is sent with each call."""
        headers = tuple((self.metadata or {}).items())
        if self.token is not None:
            headers += (("authorization", f"Bearer {self.token}"),)
        return headers


@dataclasses.dataclass(frozen=True)
class Target:
    """Where a channel leads. Environments with equal targets share one channel."""

    #: For gRPC: ``dns:HOST:PORT`` or an address.
    address: str
    secure: bool
    loopback: bool
    keepalive: float
    retry_max: float
    root_certificates: Optional[bytes] = dataclasses.field(repr=False)
    client_certificate: Optional[bytes] = dataclasses.field(repr=False)
    client_key: Optional[bytes] = dataclasses.field(repr=False)
    #: The name that the server's certificate has to bear. None: the host of the address.
    server_name: Optional[str] = None

    def channel_arguments(self) -> Tuple[Tuple[str, Any], ...]:
        arguments: List[Tuple[str, Any]] = [
            ("grpc.max_receive_message_length", _REPLY_BYTES_MAX),
            ("grpc.max_send_message_length", -1),
            ("grpc.max_metadata_size", _METADATA_BYTES_MAX),
            ("grpc.absolute_max_metadata_size", _METADATA_BYTES_MAX),
            ("grpc.keepalive_time_ms", max(1, int(self.keepalive * 1000))),
            ("grpc.keepalive_timeout_ms", _CONNECT_MS),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.max_pings_without_data", 0),
            # The library's own pause before it connects again would otherwise grow to two minutes.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", max(100, int(self.retry_max * 1000))),
            ("grpc.min_reconnect_backoff_ms", _CONNECT_MS),
            # Retries are ours: they send each request with its ids.
            ("grpc.enable_retries", 0),
            ("grpc.service_config_disable_resolution", 1),
        ]
        if self.loopback:
            arguments.append(("grpc.enable_http_proxy", 0))
        if self.server_name is not None:
            arguments.append(("grpc.ssl_target_name_override", self.server_name))
        return tuple(arguments)

    def credentials(self) -> Optional[grpc.ChannelCredentials]:
        """What a TLS channel needs; None for plain text."""
        if not self.secure:
            return None
        return grpc.ssl_channel_credentials(
            root_certificates=self.root_certificates,
            private_key=self.client_key,
            certificate_chain=self.client_certificate,
        )


def parse_url(url: str, options: Options) -> Target:
    """Where a URL leads: ``http://HOST:PORT``, ``https://HOST:PORT``, or ``HOST:PORT``.

    Raises:
        UrlError: The URL is none that can be connected to.
    """
    wrong = UrlError(f"{url!r} is no URL of a server: it has to be like http://127.0.0.1:8000 or https://HOST:PORT")
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in _SCHEMES or not host or "@" in parts.netloc:
        raise wrong
    if parts.path not in ("", "/") or parts.query or parts.fragment or re.search(r"[\s%,]", host):
        raise wrong
    secure, default_port = _SCHEMES[parts.scheme]
    address = f"[{host}]" if ":" in host else host
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    return Target(
        address=f"dns:{address}:{port or default_port}",
        secure=secure,
        loopback=loopback,
        keepalive=options.keepalive,
        retry_max=options.retry_max,
        root_certificates=options.root_certificates if secure else None,
        client_certificate=options.client_certificate if secure else None,
        client_key=options.client_key if secure else None,
    )
