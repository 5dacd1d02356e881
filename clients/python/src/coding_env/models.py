"""What is sent and what comes back, as plain types. They have the names and the meaning of the contract (coding_env.proto).

Sizes are bytes. Durations are ``datetime.timedelta`` and times are ``datetime.datetime`` in UTC. ``None`` is what the contract calls absent.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import mimetypes
import os
from typing import Dict, Optional, Tuple, Type, TypeVar, Union

_E = TypeVar("_E", bound="_Open")


class _Open(enum.IntEnum):
    """An enumeration that may grow: a value that is not known here is taken for the zero value."""

    @classmethod
    def of(cls: Type[_E], value: int) -> _E:
        """The member with this number, or the zero value."""
        found = cls._value2member_map_.get(value)
        return cls(0) if found is None else found  # type: ignore[return-value]


class Outcome(_Open):
    """How a step ended."""

    UNSPECIFIED = 0
    #: The code ran to its end.
    COMPLETED = 1
    #: An uncaught exception, or a syntax error.
    RAISED = 2
    #: ``sys.exit`` or another SystemExit; the interpreter stays.
    EXITED = 3
    #: Ended by an interrupt.
    INTERRUPTED = 4
    #: Ran longer than its timeout.
    TIMED_OUT = 5
    #: Ended because of another limit: ``Observed.limit``.
    LIMIT_EXCEEDED = 6
    #: The interpreter process ended: ``os._exit``, a signal, a crash.
    KILLED = 7
    #: The program broke the channel between interpreter and server.
    PROTOCOL_VIOLATION = 8


class StateAfter(_Open):
    """Whether the variables of an episode are still there."""

    UNSPECIFIED = 0
    #: As the step left them.
    INTACT = 1
    #: As before the step.
    ROLLED_BACK = 2
    #: Gone: the next step is refused with EPISODE_LOST.
    LOST = 3


class OnFailure(_Open):
    """What becomes of an episode whose step fails."""

    #: As ``ForkLimits.on_failure``.
    UNSPECIFIED = 0
    #: It stays as the step left it.
    KEEP = 1
    #: It is put back to before the step.
    ROLL_BACK = 2


class OnFull(_Open):
    """What to do when there is no room for a checkpoint."""

    UNSPECIFIED = 0
    #: It is refused: CHECKPOINT_LIMIT.
    REFUSE = 1
    #: The oldest checkpoints of the episode are dropped until there is.
    DROP_OLDEST = 2


class RandomState(_Open):
    """What becomes of the random state of a copy."""

    #: As RESEED for a fork, as INHERIT for evaluations and rollbacks.
    UNSPECIFIED = 0
    #: The same stream as the parent's from here on.
    INHERIT = 1
    #: A stream of its own, independent of all others.
    RESEED = 2


class TextComparison(_Open):
    """How texts are compared."""

    #: As TRIMMED.
    UNSPECIFIED = 0
    #: Every character.
    EXACT = 1
    #: Lines, without white space at their ends and empty lines at the end of the text.
    TRIMMED = 2
    #: Words, whatever white space is between them.
    TOKENS = 3
    #: Words, of which numbers may differ within the tolerances.
    NUMERIC = 4


class EpisodeStatus(_Open):
    """Where an episode is in its life."""

    UNSPECIFIED = 0
    #: Waits for a step.
    IDLE = 1
    #: A step runs.
    RUNNING = 2
    #: Its interpreter is gone; see ``EpisodeState.loss``.
    LOST = 3
    #: Waits for a step; its threads used too much CPU time and are stopped until then.
    FROZEN = 4


class LimitKind(_Open):
    """A limit that a step can run into."""

    #: None did.
    UNSPECIFIED = 0
    #: The step's timeout.
    STEP_TIMEOUT = 1
    #: ``Limits.step_cpu_time``.
    CPU_TIME = 2
    #: ``Limits.total_memory_bytes``.
    MEMORY = 3
    #: ``Limits.processes``: it ends no step by itself.
    PROCESSES = 4


class UsageScope(_Open):
    """Whose usage was measured."""

    UNSPECIFIED = 0
    #: The interpreter process and its threads, without its children.
    WORKER = 1
    #: The whole process tree of the episode.
    TREE = 2


class IsolationLevel(_Open):
    """How strongly episodes are separated."""

    UNSPECIFIED = 0
    #: Resource limits and nothing else: an episode can do what the server can do.
    NONE = 1
    #: A Landlock domain per episode, a filter of system calls, a private directory.
    LANDLOCK = 2
    #: Namespaces per episode, an empty network, a minimal read-only root.
    NAMESPACE = 3


class Network(_Open):
    """The network that an episode has: never the host's."""

    #: As NONE.
    UNSPECIFIED = 0
    #: None: sockets can't be made, but for pairs within the episode.
    NONE = 1
    #: The loopback interface alone: the episode can serve and call itself. Needs the layer ``loopback``.
    LOOPBACK = 2


class OutputStream(_Open):
    """An output stream of a program."""

    UNSPECIFIED = 0
    STDOUT = 1
    STDERR = 2


class IsolationLayerState(_Open):
    """Whether a layer of isolation is in force."""

    UNSPECIFIED = 0
    ENFORCED = 1
    #: Not in force; ``IsolationLayer.detail`` says why.
    MISSING = 2


class FileKind(_Open):
    """What a file is."""

    UNSPECIFIED = 0
    #: A regular file.
    FILE = 1
    DIRECTORY = 2
    #: A symbolic link. It is never followed.
    LINK = 3
    #: A FIFO, a socket or a device. It is never opened.
    OTHER = 4


class FileErrorKind(_Open):
    """What went wrong with one file."""

    #: Something that none of the others says.
    UNSPECIFIED = 0
    #: There is nothing with this path.
    NOT_FOUND = 1
    #: It is a link, a FIFO, a socket or a device.
    NOT_A_FILE = 2
    IS_A_DIRECTORY = 3
    #: A component before the last is no directory (a link is none).
    NOT_A_DIRECTORY = 4
    #: It has more bytes than a limit allows.
    TOO_LARGE = 5
    #: The workspace is full.
    NO_SPACE = 6
    #: The episode's own rights don't allow it.
    PERMISSION = 7
    #: The directory is not empty.
    NOT_EMPTY = 8
    #: The size or the SHA-256 is not what was told.
    MISMATCH = 9
    #: It did not come to its end.
    INCOMPLETE = 10
    #: It lies too deep, or its path is too long.
    TOO_DEEP = 11


@dataclasses.dataclass(frozen=True)
class NewFile:
    """A file to write, with more about it than its content."""

    #: What is in it: bytes, text (as UTF-8), or the path of a file of this machine (``pathlib.Path``).
    content: Union[bytes, str, "os.PathLike[str]"] = b""
    #: Its permission bits. None: 0o644, or what the file has that is there already or on this machine.
    mode: Optional[int] = None
    #: When it was last modified. None: now.
    modify_time: Optional[datetime.datetime] = None


@dataclasses.dataclass(frozen=True)
class FileInfo:
    """What a file in a workspace is."""

    #: Its path, relative to the workspace. Bytes that are no UTF-8 are lone surrogates, as with ``os.fsdecode``.
    path: str
    #: What it is.
    kind: FileKind = FileKind.UNSPECIFIED
    #: Its permission bits.
    mode: int = 0
    #: Its size in bytes, as the file system tells it.
    size: int = 0
    #: When it was last modified.
    modify_time: Optional[datetime.datetime] = None
    #: SHA-256 of its content, where that was asked for.
    sha256: Optional[bytes] = None


@dataclasses.dataclass(frozen=True)
class FileFailure:
    """A file with which something went wrong."""

    #: Its path.
    path: str
    #: What went wrong, for programs.
    kind: FileErrorKind
    #: The same for people.
    message: str


@dataclasses.dataclass(frozen=True)
class WriteResult:
    """What was written, or downloaded."""

    #: Files, and where they were sent directories.
    files: int = 0
    #: Bytes of data in them.
    bytes: int = 0


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far a call that moves files is."""

    #: Files that are done.
    files: int
    #: Files in all.
    files_total: int
    #: Bytes that were moved.
    bytes: int
    #: Bytes in all, as far as their sizes were told right.
    bytes_total: int


@dataclasses.dataclass(frozen=True)
class FileLimits:
    """Limits of the calls that move files."""

    #: Such calls at the same time, over all episodes.
    calls: int = 0
    #: Such calls that wait for a turn.
    waiting_calls: int = 0
    #: Files and directories of one call.
    files_per_call: int = 0
    #: Bytes of data of one call.
    bytes_per_call: int = 0
    #: The data of one chunk that is sent.
    chunk_bytes: int = 0
    #: The longest path.
    path_bytes: int = 0
    #: The most components of a path.
    depth: int = 0
    #: The most patterns of one call.
    selectors: int = 0
    #: How many files a reset may bring.
    reset_files: int = 0
    #: The sum of their data.
    reset_bytes: int = 0
    #: How long a call waits for the client.
    stall_timeout: Optional[datetime.timedelta] = None


@dataclasses.dataclass(frozen=True)
class CodeAction:
    """What to do in a step."""

    #: Python source, at most ``Limits.source_bytes`` of UTF-8.
    code: str


@dataclasses.dataclass(frozen=True)
class Representation:
    """One way to show something."""

    #: Its media type: ``image/png``, ``text/html``.
    mime_type: str = ""
    #: Its bytes; text is UTF-8. Empty when they are in a file, and when there was no room for them.
    data: bytes = dataclasses.field(default=b"", repr=False)
    #: How many bytes it has, wherever they are.
    total_bytes: int = 0
    #: Where the bytes are when they are too many for a reply: a path in the episode's workspace. Empty otherwise.
    file_path: str = ""

    @property
    def is_here(self) -> bool:
        """Whether ``data`` holds it."""
        return len(self.data) == self.total_bytes


@dataclasses.dataclass(frozen=True)
class Display:
    """One thing that a step showed, as the program says: a plot, a table. HTML, SVG and scripts in it are the program's."""

    #: The same thing in one or more ways.
    representations: Tuple[Representation, ...] = ()
    #: True of the last statement's value, whose ``repr`` is ``CodeObservation.result``.
    is_result: bool = False

    def data(self, mime_type: str) -> Optional[bytes]:
        """Its bytes as this media type: ``image/png``. None when it has none of that, or they are not in the reply."""
        for one in self.representations:
            if one.mime_type == mime_type and one.is_here:
                return one.data
        return None

    def save(self, path: Union[str, "os.PathLike[str]"]) -> None:
        """Writes it to a file, as what the path's suffix says: ``.png``, ``.svg``, ``.html``, ``.txt``.

        Raises:
            ValueError: It has no such representation, or that is not in the reply; the message says what there is.
        """
        mime_type = mimetypes.guess_type(os.fspath(path))[0] or ""
        data = self.data(mime_type)
        if data is None:
            there = ", ".join(
                one.mime_type if one.is_here else f"{one.mime_type} (in {one.file_path or 'no file: it had no room'})"
                for one in self.representations
            )
            raise ValueError(f"nothing to save as {os.fspath(path)!r} ({mime_type or 'no known suffix'}): there is {there}")
        with open(path, "wb") as file:
            file.write(data)


@dataclasses.dataclass(frozen=True)
class CodeObservation:
    """What a step showed."""

    #: What the program and its children wrote to standard output; past ``Limits.output_bytes`` its middle is cut out.
    stdout: str = ""
    #: The same for standard error; a traceback is at its end.
    stderr: str = ""
    #: 0 at the end of the code, 1 after an uncaught exception, what ``sys.exit`` gave, 124 after a timeout, 130 after an interrupt,
    #: 128 + n when signal n ended the process, n after ``os._exit(n)``.
    exit_code: int = 0
    #: ``repr`` of the last statement's value, when that is an expression whose value is not None.
    result: Optional[str] = None
    #: What the step showed beside its text, as in a notebook: plots, tables and the like, in the order in which they were shown.
    displays: Tuple[Display, ...] = ()


@dataclasses.dataclass(frozen=True)
class CodeState:
    """The state of an episode."""

    #: The episode's id.
    episode_id: str = ""
    #: How many steps have ended, whatever their outcome.
    step_count: int = 0
    #: The exit code of the last step that ended; 0 before the first.
    last_exit_code: int = 0


@dataclasses.dataclass(frozen=True)
class Limits:
    """Limits of one episode. In a request, None keeps the server's default; in a reply, None is a limit that the server can't hold."""

    #: The largest code of a step. Default and maximum 16 MiB.
    source_bytes: Optional[int] = None
    #: The most text kept of each of stdout and stderr in a step; at least 1 KiB. Default 1 MiB.
    output_bytes: Optional[int] = None
    #: The most text kept of ``result``; at least 1 KiB. Default 256 KiB.
    result_bytes: Optional[int] = None
    #: The longest that a step may run; at least 1 ms. Default 1 h.
    step_timeout: Optional[datetime.timedelta] = None
    #: The CPU time that the interpreter process may use in a step; at least 10 ms. Default 1 h.
    step_cpu_time: Optional[datetime.timedelta] = None
    #: How long the episode may be idle before it expires; at least 1 s. Default 1 h.
    idle_timeout: Optional[datetime.timedelta] = None
    #: The address space of each process of the episode; at least 64 MiB. Default 4 GiB.
    memory_bytes: Optional[int] = None
    #: Open descriptors of each process of the episode; at least 16. Default 1024.
    open_files: Optional[int] = None
    #: The largest file that the episode may write; at least 1 MiB. Default 1 GiB.
    file_bytes: Optional[int] = None
    #: Memory of all processes of the episode together, with their files in memory; at least 64 MiB. Default 4 GiB.
    total_memory_bytes: Optional[int] = None
    #: Processes and threads of the episode, the interpreter included; at least 2. Default 256.
    processes: Optional[int] = None
    #: What the files of the episode may fill together; at least 1 MiB. Default 512 MiB.
    workspace_bytes: Optional[int] = None
    #: How many files and directories the episode may have; at least 64. Default 65536.
    workspace_inodes: Optional[int] = None
    #: CPU time per time of all processes together, in percent of one core; 1 to 100000. Default: as much as there is.
    cpu_percent: Optional[int] = None
    #: Displays of a step; at least 1. Default 64.
    displays: Optional[int] = None
    #: The bytes of a step's displays together that travel in the reply; at least 1 KiB. Default 3 MiB.
    display_bytes: Optional[int] = None


@dataclasses.dataclass(frozen=True)
class StepLimits:
    """Limits that a step may lower for itself. None keeps the episode's."""

    #: As ``Limits.output_bytes``.
    output_bytes: Optional[int] = None
    #: As ``Limits.step_cpu_time``.
    cpu_time: Optional[datetime.timedelta] = None


@dataclasses.dataclass(frozen=True)
class Usage:
    """What a step, or all of them, used. A field is None where it could not be measured."""

    #: Whose usage this is.
    scope: UsageScope = UsageScope.UNSPECIFIED
    #: From when the code started to when its end was known.
    wall_time: Optional[datetime.timedelta] = None
    #: From when the step was admitted to when the code started.
    queued_time: Optional[datetime.timedelta] = None
    #: CPU time in user mode.
    cpu_user_time: Optional[datetime.timedelta] = None
    #: CPU time in the kernel.
    cpu_system_time: Optional[datetime.timedelta] = None
    #: The most memory that was resident at once.
    peak_memory_bytes: Optional[int] = None
    #: Page faults that needed no input or output.
    minor_page_faults: Optional[int] = None
    #: Page faults that did.
    major_page_faults: Optional[int] = None


@dataclasses.dataclass(frozen=True)
class PythonException:
    """An uncaught Python exception."""

    #: Its class: ``ZeroDivisionError``, ``json.decoder.JSONDecodeError``.
    type: str = ""
    #: ``str()`` of it, at most 4 KiB.
    message: str = ""


@dataclasses.dataclass(frozen=True)
class Reported:
    """Claims of the program about its own step. Code that wants to can forge them."""

    #: The exception that ended the step.
    exception: Optional[PythonException] = None
    #: True when ``result`` was cut at ``Limits.result_bytes``.
    result_truncated: bool = False
    #: Displays past ``Limits.displays``, which are not in the observation.
    displays_dropped: int = 0


@dataclasses.dataclass(frozen=True)
class Observed:
    """Facts that the server measured from outside the interpreter."""

    #: What the step used.
    usage: Optional[Usage] = None
    #: What threads of the episode used between the previous step and this one.
    background: Optional[Usage] = None
    #: Bytes of stdout that were written.
    stdout_total_bytes: int = 0
    #: Bytes of stderr that were written.
    stderr_total_bytes: int = 0
    #: Bytes of text in ``observation.stdout``, without the marker.
    stdout_kept_bytes: int = 0
    #: Bytes of text in ``observation.stderr``, without the marker.
    stderr_kept_bytes: int = 0
    #: True when the middle of stdout was dropped.
    stdout_truncated: bool = False
    #: True when the middle of stderr was dropped.
    stderr_truncated: bool = False
    #: The limit that ended the step, or one of its processes.
    limit: LimitKind = LimitKind.UNSPECIFIED
    #: The signal that ended the interpreter process; see signal(7).
    signal: Optional[int] = None
    #: The status with which the interpreter process left by itself.
    process_exit_code: Optional[int] = None
    #: What was wrong with the program's report: outcome PROTOCOL_VIOLATION.
    violation: str = ""
    #: The limits that the step ran into, each once.
    limits_hit: Tuple[LimitKind, ...] = ()
    #: What the whole process tree of the episode used in the step.
    tree_usage: Optional[Usage] = None


@dataclasses.dataclass(frozen=True)
class ResetResult:
    """The reply to a reset."""

    #: Empty texts and exit code 0.
    observation: CodeObservation = CodeObservation()
    #: 0.0 with any transform in the server's chain, None with none.
    reward: Optional[float] = None
    #: Always false.
    done: bool = False
    #: The new episode's state.
    state: CodeState = CodeState()
    #: Labels added by transforms.
    metadata: Dict[str, str] = dataclasses.field(default_factory=dict)
    #: The server that holds the episode.
    server_id: str = ""
    #: The limits in force for this episode.
    limits: Limits = Limits()
    #: The name of the runtime that the episode runs in.
    runtime: str = ""


@dataclasses.dataclass(frozen=True)
class StepResult:
    """The reply to a step: how the code ended and what it showed."""

    #: What the step showed.
    observation: CodeObservation = CodeObservation()
    #: The reward that the transforms gave, None without transforms.
    reward: Optional[float] = None
    #: True when the episode can't go on: the interpreter was lost in this step.
    done: bool = False
    #: How the step ended.
    outcome: Outcome = Outcome.UNSPECIFIED
    #: Whether the variables of the episode are still there.
    state_after: StateAfter = StateAfter.UNSPECIFIED
    #: The state after the step.
    state: CodeState = CodeState()
    #: Labels added by transforms: ``safety_violation`` holds the pattern that the source matched.
    metadata: Dict[str, str] = dataclasses.field(default_factory=dict)
    #: The index of this step: ``step_count`` before it ran.
    step_index: int = 0
    #: The server that holds the episode.
    server_id: str = ""
    #: The timeout that was in force for this step.
    timeout: Optional[datetime.timedelta] = None
    #: What the program said of itself.
    reported: Reported = Reported()
    #: What the server saw from outside the interpreter.
    observed: Observed = Observed()
    #: True when this is the kept reply of a step that had run before this call.
    replayed: bool = False
    #: True when the kept reply's texts and displays were dropped for space.
    output_dropped: bool = False
    #: What to do about the error, for people: of a module that is not there, what the runtime has and which ones have it.
    hint: str = ""


@dataclasses.dataclass(frozen=True)
class OutputPiece:
    """A part of what a step printed."""

    #: Where it was written to.
    stream: OutputStream = OutputStream.UNSPECIFIED
    #: Where it begins, in bytes from the step's start on this stream.
    offset: int = 0
    #: What was written. It may begin or end within a character.
    data: bytes = b""
    #: Bytes right before it that are not told: the reader was too slow, or the kept output has only head and tail.
    dropped_bytes: int = 0

    @property
    def text(self) -> str:
        """The bytes as text; what is not UTF-8 by itself becomes U+FFFD."""
        return self.data.decode(errors="replace")


@dataclasses.dataclass(frozen=True)
class Loss:
    """What happened to a lost episode."""

    #: The step that told, or that would have been next.
    step_index: int = 0
    #: How that step ended; UNSPECIFIED when the interpreter ended between steps.
    outcome: Outcome = Outcome.UNSPECIFIED
    #: One sentence for people.
    description: str = ""


@dataclasses.dataclass(frozen=True)
class ForkOrigin:
    """Where a child comes from."""

    #: The episode that it was copied from, which may have ended.
    parent_episode_id: str = ""
    #: The parent's step_count at that moment.
    step_count: int = 0
    #: How many forks lie between it and an episode that a reset made.
    depth: int = 0


@dataclasses.dataclass(frozen=True)
class EpisodeState(CodeState):
    """The state of an episode, and where it is in its life."""

    #: Where the episode is in its life.
    status: EpisodeStatus = EpisodeStatus.UNSPECIFIED
    #: What happened, when status is LOST.
    loss: Optional[Loss] = None
    #: The server that holds the episode.
    server_id: str = ""
    #: The runtime that it runs in.
    runtime: str = ""
    #: The limits in force.
    limits: Limits = Limits()
    #: The seed given to the reset, if one was.
    seed: Optional[int] = None
    #: When the reset made it.
    create_time: Optional[datetime.datetime] = None
    #: When it will expire if nothing steps it. None while a step runs or is queued.
    expire_time: Optional[datetime.datetime] = None
    #: Steps that wait behind the running one, without those whose callers have all gone.
    queued_steps: int = 0
    #: The sums over all steps that have ended.
    totals: Optional[Usage] = None
    #: The bytes that all steps wrote to both streams.
    output_total_bytes: int = 0
    #: The sums over the whole process tree, where a control group measures it.
    tree_totals: Optional[Usage] = None
    #: Where it comes from, when a fork made it.
    fork: Optional[ForkOrigin] = None


@dataclasses.dataclass(frozen=True)
class InterruptResult:
    """The reply to an interrupt. It is true when a running step was interrupted."""

    #: True when a running step was interrupted; false when none ran, or one with another index.
    interrupted: bool = False
    #: The index of the step that was interrupted.
    step_index: Optional[int] = None
    #: The server that answered.
    server_id: str = ""

    def __bool__(self) -> bool:
        return self.interrupted


@dataclasses.dataclass(frozen=True)
class ForkLimits:
    """Limits of forks, checkpoints and evaluations."""

    #: Children of a fork.
    children: int = 0
    #: Checkpoints of an episode.
    checkpoints: int = 0
    #: The memory that these have for themselves, together.
    checkpoint_bytes: int = 0
    #: Checkpoints of all episodes.
    server_checkpoints: int = 0
    #: The memory that these have for themselves, together.
    server_checkpoint_bytes: int = 0
    #: Evaluations of one call.
    evaluations: int = 0
    #: Checks of an evaluation.
    checks: int = 0
    #: Calls of a ``CallCheck``, and tests of a ``TestCheck``.
    calls: int = 0
    #: What becomes of an episode whose step fails when the step does not say.
    on_failure: OnFailure = OnFailure.UNSPECIFIED


@dataclasses.dataclass(frozen=True)
class ForkFacts:
    """Whether episodes can be copied on a server, and what keeps copies of one tree apart."""

    #: Whether they can be.
    available: bool = False
    #: Why not, or what is not kept apart here and why. Empty: everything is.
    detail: str = ""
    #: A copy's variables are its own. Who can trace it can reach them all the same.
    memory_separated: bool = False
    #: A copy can't reach its relatives' files. It has files of its own in any case.
    files_separated: bool = False
    #: A copy can't send signals to its relatives.
    signals_separated: bool = False
    #: A copy can't trace its relatives.
    tracing_separated: bool = False
    #: What a copy tells the server can't be read or forged by its relatives.
    channel_private: bool = False
    #: A copy's files are at the same paths as its parent's.
    same_paths: bool = False
    #: How many forks may lie between an episode and the one that a reset made. None: no limit.
    depth_max: Optional[int] = None


@dataclasses.dataclass(frozen=True)
class ServerLimits:
    """Limits of the server as a whole."""

    #: Live episodes, lost ones included.
    episodes: int = 0
    #: Steps that run at the same time.
    running_steps: int = 0
    #: Steps that wait for a turn to run.
    waiting_steps: int = 0
    #: Steps queued behind the running one in one episode.
    queued_steps: int = 0
    #: The largest request that is decoded.
    request_bytes: int = 0
    #: The largest reply when the request does not say.
    reply_bytes: int = 0
    #: The sum of names and values in a reset's environment.
    environment_bytes: int = 0
    #: The step timeout when nobody says one.
    default_step_timeout: Optional[datetime.timedelta] = None
    #: What an interrupted step gets to end by itself before the kill.
    interrupt_grace: Optional[datetime.timedelta] = None
    #: The CPU time that an idle episode may use before it is frozen until its next step.
    background_cpu_time: Optional[datetime.timedelta] = None
    #: How long a reset waits for an interpreter.
    worker_wait: Optional[datetime.timedelta] = None
    #: Replies kept beyond each episode's last one, over all episodes.
    kept_reply_bytes: int = 0
    #: Sessions, those whose stream is broken included.
    sessions: int = 0
    #: Requests of one session that have no response which the client has taken.
    session_requests: int = 0
    #: How long a session whose stream is broken is kept.
    session_grace: Optional[datetime.timedelta] = None
    #: The largest ``Representation.data``.
    representation_bytes: int = 0
    #: Limits of the calls that move files.
    files: FileLimits = FileLimits()
    #: Limits of forks, checkpoints and evaluations.
    forks: ForkLimits = ForkLimits()


@dataclasses.dataclass(frozen=True)
class Package:
    """An installed Python distribution."""

    #: Its name, as it was installed.
    name: str = ""
    #: Its version.
    version: str = ""


@dataclasses.dataclass(frozen=True)
class Runtime:
    """An interpreter with its preloads."""

    #: Its name.
    name: str = ""
    #: The version of its CPython.
    python_version: str = ""
    #: The modules that are imported before an episode starts.
    preloads: Tuple[str, ...] = ()
    #: PYTHONHASHSEED of its interpreters.
    hash_seed: int = 0
    #: Interpreters that are ready to be handed to a reset.
    warm_workers: int = 0
    #: What its interpreter can import beside the standard library, by name.
    packages: Tuple[Package, ...] = ()


@dataclasses.dataclass(frozen=True)
class IsolationLayer:
    """One layer of isolation."""

    #: Its name: namespaces, filesystem, landlock, seccomp, …
    name: str = ""
    #: Whether it is in force.
    state: IsolationLayerState = IsolationLayerState.UNSPECIFIED
    #: What it bounds, or why it is missing and what that means.
    detail: str = ""


@dataclasses.dataclass(frozen=True)
class Isolation:
    """What separates episodes from the host and from one another."""

    #: The level in force.
    level: IsolationLevel = IsolationLevel.UNSPECIFIED
    #: Each layer by itself.
    layers: Tuple[IsolationLayer, ...] = ()


@dataclasses.dataclass(frozen=True)
class Capacity:
    """What is in use at the moment of the call."""

    #: Live episodes, lost ones included.
    episodes: int = 0
    #: Steps that run.
    running_steps: int = 0
    #: Steps that wait for a turn to run.
    waiting_steps: int = 0
    #: True once the server has begun to shut down.
    draining: bool = False
    #: Checkpoints of all episodes.
    checkpoints: int = 0
    #: Evaluations that run or wait for a turn.
    evaluations: int = 0


@dataclasses.dataclass(frozen=True)
class ServerInfo:
    """What the server is, what it allows, and what it is doing."""

    #: The version of coding-env.
    version: str = ""
    #: What the server calls itself.
    server_id: str = ""
    #: What an episode gets when nothing is asked for.
    default_limits: Limits = Limits()
    #: The most that may be asked for.
    max_limits: Limits = Limits()
    #: Limits of the server as a whole.
    server_limits: ServerLimits = ServerLimits()
    #: The interpreters that an episode can run in; the first is the default.
    runtimes: Tuple[Runtime, ...] = ()
    #: What separates episodes from the host and from one another.
    isolation: Isolation = Isolation()
    #: What is in use now.
    capacity: Capacity = Capacity()
    #: The names of the transforms, in the order in which they run.
    transforms: Tuple[str, ...] = ()
    #: When the server started.
    start_time: Optional[datetime.datetime] = None
    #: Whether episodes can be copied here.
    fork: ForkFacts = ForkFacts()
