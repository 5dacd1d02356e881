"""What copies of an episode are asked for and give: evaluations with their checks and results, checkpoints.

The names and their meaning are those of the contract (coding_env.proto). Values of calls are plain Python, sent as JSON.
"""

from __future__ import annotations

import dataclasses
import datetime
import inspect
from typing import Any, Mapping, Optional, Sequence, Tuple, Union

from . import _reseed
from ._convert import Seconds
from .models import CodeObservation, Observed, Outcome, Reported, StepLimits, TextComparison


@dataclasses.dataclass(frozen=True)
class StdoutCheck:
    """Compares what the code printed with what is expected, which never gets into the interpreter. The verdict is the server's."""

    #: What is expected: at most 1 MiB.
    expected: str
    #: How it is compared.
    comparison: TextComparison = TextComparison.UNSPECIFIED
    #: NUMERIC: how far a number may be from the expected one.
    absolute_tolerance: float = 0.0
    #: The same, as a part of the expected number. The larger of the two holds.
    relative_tolerance: float = 0.0
    #: How much the check counts in the score: 1 to 1000.
    weight: int = 1


@dataclasses.dataclass(frozen=True)
class Call:
    """A call and what it is to return, as values that ``json.dumps`` takes."""

    #: The arguments.
    args: Sequence[Any] = ()
    #: What it is to return. Tuples are arrays to the comparison.
    expected: Any = None
    #: The named arguments.
    kwargs: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    #: How far a number may be from the expected one.
    absolute_tolerance: float = 0.0
    #: The same, as a part of the expected number. The larger of the two holds.
    relative_tolerance: float = 0.0


@dataclasses.dataclass(frozen=True)
class CallCheck:
    """Calls a function, each call a step of its own, and compares what it returns. The comparison is the server's."""

    #: The function: a name, or names with dots between.
    function: str
    #: The calls, in their order.
    calls: Sequence[Call]
    #: How much the check counts in the score: 1 to 1000.
    weight: int = 1


@dataclasses.dataclass(frozen=True)
class TestCheck:
    """Runs a file of tests as pytest's are, each a step of its own. The result is a claim of the program."""

    #: Not a test itself, whatever pytest thinks of its name.
    __test__ = False

    #: The file.
    source: str
    #: How much the check counts in the claimed score: 1 to 1000.
    weight: int = 1


Check = Union[StdoutCheck, CallCheck, TestCheck]


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Code to run in a throw-away copy of an episode, and what to look at afterwards."""

    #: What to run before the checks.
    code: str = ""
    #: What to look at.
    checks: Sequence[Check] = ()
    #: How long the code may run. None: the server's default.
    timeout: Optional[Seconds] = None
    #: How long each call of a check may run. None: 10 s.
    call_timeout: Optional[Seconds] = None
    #: Lowers limits for it.
    limits: Optional[StepLimits] = None


@dataclasses.dataclass(frozen=True)
class CheckFailure:
    """Why something did not pass."""

    #: Which call or test, from 0.
    index: int = 0
    #: The test's name; empty for others.
    name: str = ""
    #: How its step ended.
    outcome: Outcome = Outcome.UNSPECIFIED
    #: What is wrong, for people.
    description: str = ""


@dataclasses.dataclass(frozen=True)
class CheckResult:
    """What became of a check."""

    #: What passed.
    passed: int = 0
    #: Of how many. Never 0.
    total: int = 0
    #: passed / total: 0 to 1.
    score: float = 0.0
    #: True of a ``TestCheck``: the program itself says what passed, and code that wants to can forge it.
    claimed: bool = False
    #: The first that did not pass: at most 16.
    failures: Tuple[CheckFailure, ...] = ()


@dataclasses.dataclass(frozen=True)
class EvaluationResult:
    """What became of an evaluation."""

    #: What the code showed.
    observation: CodeObservation = CodeObservation()
    #: How the code ended.
    outcome: Outcome = Outcome.UNSPECIFIED
    #: Claims of the program.
    reported: Reported = Reported()
    #: What the server saw of the code from outside.
    observed: Observed = Observed()
    #: The timeout that was in force for the code.
    timeout: Optional[datetime.timedelta] = None
    #: The results of the checks, in their order.
    checks: Tuple[CheckResult, ...] = ()
    #: The mean of the scores that are no claims, by weight: 0 to 1. None when there are none.
    score: Optional[float] = None
    #: The same of those that are claims.
    claimed_score: Optional[float] = None


@dataclasses.dataclass(frozen=True)
class CheckpointInfo:
    """A checkpoint."""

    #: Its name.
    name: str = ""
    #: The episode's step_count when it was made.
    step_count: int = 0
    #: When it was made.
    create_time: Optional[datetime.datetime] = None
    #: The memory that it has for itself, when it was last measured. None where the host does not tell.
    private_bytes: Optional[int] = None


def reseed_code(seed: int) -> str:
    """Code for a step that reseeds the random generators which the program's names are bound to: ``random.Random``, numpy's ``Generator``, ``BitGenerator`` and ``RandomState``,
    ``torch.Generator``. A fork copies these as they are, so that the children's would all give the same numbers.

    Each gets a state that follows from the seed and its name; those that are only within other objects stay as they are. The step's result is the list of the names.
    """
    return f"{inspect.getsource(_reseed)}\n_reseed_generators({seed:d}, dict(globals()))\n"
