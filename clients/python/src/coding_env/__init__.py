"""Client of coding-env: Python episodes for reinforcement learning and agents, over gRPC.

>>> from coding_env import CodeAction, CodingEnv
>>> with CodingEnv(base_url="http://127.0.0.1:8000") as env:  # doctest: +SKIP
...     env.reset()
...     print(env.step(CodeAction(code="print('Hello, World!')")).observation.stdout)
"""

from ._server import ServerStatus, Standing
from .aio import AsyncCodingEnv
from .aio_pool import AsyncPool, AsyncPooledEnv
from .client import CodingEnv
from .errors import (
    BusyError,
    CodingEnvError,
    ConnectError,
    DeadlineError,
    DockerError,
    EpisodeGoneError,
    NoEpisodeError,
    Reason,
    RefusedError,
    UrlError,
    Violation,
)
from .models import (
    Capacity,
    CodeAction,
    CodeObservation,
    CodeState,
    EpisodeState,
    EpisodeStatus,
    InterruptResult,
    Isolation,
    IsolationLayer,
    IsolationLayerState,
    IsolationLevel,
    LimitKind,
    Limits,
    Loss,
    Network,
    Observed,
    Outcome,
    PythonException,
    Reported,
    ResetResult,
    Runtime,
    ServerInfo,
    ServerLimits,
    StateAfter,
    StepLimits,
    StepResult,
    Usage,
    UsageScope,
)
from .options import Options
from .pool import Pool, PooledEnv
from .vector import AsyncVectorEnv, VectorEnv, VectorStep

__version__ = "0.1.0"

__all__ = [
    "AsyncCodingEnv",
    "AsyncPool",
    "AsyncPooledEnv",
    "AsyncVectorEnv",
    "BusyError",
    "Capacity",
    "CodeAction",
    "CodeObservation",
    "CodeState",
    "CodingEnv",
    "CodingEnvError",
    "ConnectError",
    "DeadlineError",
    "DockerError",
    "EpisodeGoneError",
    "EpisodeState",
    "EpisodeStatus",
    "InterruptResult",
    "Isolation",
    "IsolationLayer",
    "IsolationLayerState",
    "IsolationLevel",
    "LimitKind",
    "Limits",
    "Loss",
    "Network",
    "NoEpisodeError",
    "Observed",
    "Options",
    "Outcome",
    "Pool",
    "PooledEnv",
    "PythonException",
    "Reason",
    "RefusedError",
    "Reported",
    "ResetResult",
    "Runtime",
    "ServerInfo",
    "ServerLimits",
    "ServerStatus",
    "Standing",
    "StateAfter",
    "StepLimits",
    "StepResult",
    "UrlError",
    "Usage",
    "UsageScope",
    "VectorEnv",
    "VectorStep",
    "Violation",
]
