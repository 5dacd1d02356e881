"""The keyword arguments that several classes share, for type checkers."""

from __future__ import annotations

from typing import Iterable, Mapping, Optional, TypedDict

from ._convert import Seconds
from ._files import Content, RemotePath
from .models import Limits, Network, OnFailure, Outcome, StepLimits


class ClientOptions(TypedDict, total=False):
    """The fields of ``Options``."""

    deadline: float
    retry_first: float
    retry_max: float
    keepalive: float
    token: Optional[str]
    metadata: Optional[Mapping[str, str]]
    root_certificates: Optional[bytes]
    client_certificate: Optional[bytes]
    client_key: Optional[bytes]


class ResetArguments(TypedDict, total=False):
    """The arguments of ``CodingEnv.reset``."""

    seed: Optional[int]
    runtime: str
    limits: Optional[Limits]
    environment: Optional[Mapping[str, str]]
    network: Network
    files: Optional[Mapping[RemotePath, Content]]


class StepArguments(TypedDict, total=False):
    """The arguments of ``CodingEnv.step``, but for the action."""

    timeout: Optional[Seconds]
    limits: Optional[StepLimits]
    max_reply_bytes: Optional[int]
    display_mime_types: Iterable[str]
    on_failure: OnFailure
    roll_back_outcomes: Iterable[Outcome]


class FromImage(ClientOptions, total=False):
    """The fields of ``DockerOptions``, and those of ``Options``."""

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
