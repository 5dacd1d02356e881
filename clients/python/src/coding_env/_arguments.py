"""The keyword arguments of ``from_docker_image``, for type checkers."""

from __future__ import annotations

from typing import Mapping, Optional, TypedDict


class FromImage(TypedDict, total=False):
    """The fields of ``DockerOptions``, then those of ``Options``."""

    environment: Optional[Mapping[str, str]]
    memory_bytes: Optional[int]
    cpus: Optional[float]
    processes: Optional[int]
    user: Optional[str]
    restricted: bool
    pull: bool
    start_timeout: float
    docker_host: Optional[str]
    publish_host: str
    deadline: float
    retry_first: float
    retry_max: float
    keepalive: float
    token: Optional[str]
    metadata: Optional[Mapping[str, str]]
    root_certificates: Optional[bytes]
    client_certificate: Optional[bytes]
    client_key: Optional[bytes]
