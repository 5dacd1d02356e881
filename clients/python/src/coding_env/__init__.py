"""Client of coding-env: Python episodes for reinforcement learning and agents, over gRPC.

>>> from coding_env import CodeAction, CodingEnv
>>> with CodingEnv(base_url="http://127.0.0.1:8000") as env:  # doctest: +SKIP
...     env.reset()
...     print(env.step(CodeAction(code="print('Hello, World!')")).observation.stdout)
"""

from .aio import AsyncCodingEnv
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

__version__ = "0.1.0"

__all__ = [
    "AsyncCodingEnv",
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
    "PythonException",
    "Reason",
    "RefusedError",
    "Reported",
    "ResetResult",
    "Runtime",
    "ServerInfo",
    "ServerLimits",
    "StateAfter",
    "StepLimits",
    "StepResult",
    "UrlError",
    "Usage",
    "UsageScope",
    "Violation",
]
