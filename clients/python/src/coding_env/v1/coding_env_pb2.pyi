from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_COMPLETED: _ClassVar[Outcome]
    OUTCOME_RAISED: _ClassVar[Outcome]
    OUTCOME_EXITED: _ClassVar[Outcome]
    OUTCOME_INTERRUPTED: _ClassVar[Outcome]
    OUTCOME_TIMED_OUT: _ClassVar[Outcome]
    OUTCOME_LIMIT_EXCEEDED: _ClassVar[Outcome]
    OUTCOME_KILLED: _ClassVar[Outcome]
    OUTCOME_PROTOCOL_VIOLATION: _ClassVar[Outcome]

class StateAfter(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STATE_AFTER_UNSPECIFIED: _ClassVar[StateAfter]
    STATE_AFTER_INTACT: _ClassVar[StateAfter]
    STATE_AFTER_ROLLED_BACK: _ClassVar[StateAfter]
    STATE_AFTER_LOST: _ClassVar[StateAfter]

class EpisodeStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EPISODE_STATUS_UNSPECIFIED: _ClassVar[EpisodeStatus]
    EPISODE_STATUS_IDLE: _ClassVar[EpisodeStatus]
    EPISODE_STATUS_RUNNING: _ClassVar[EpisodeStatus]
    EPISODE_STATUS_LOST: _ClassVar[EpisodeStatus]
    EPISODE_STATUS_FROZEN: _ClassVar[EpisodeStatus]

class LimitKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LIMIT_KIND_UNSPECIFIED: _ClassVar[LimitKind]
    LIMIT_KIND_STEP_TIMEOUT: _ClassVar[LimitKind]
    LIMIT_KIND_CPU_TIME: _ClassVar[LimitKind]
    LIMIT_KIND_MEMORY: _ClassVar[LimitKind]
    LIMIT_KIND_PROCESSES: _ClassVar[LimitKind]

class UsageScope(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    USAGE_SCOPE_UNSPECIFIED: _ClassVar[UsageScope]
    USAGE_SCOPE_WORKER: _ClassVar[UsageScope]
    USAGE_SCOPE_TREE: _ClassVar[UsageScope]

class IsolationLevel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ISOLATION_LEVEL_UNSPECIFIED: _ClassVar[IsolationLevel]
    ISOLATION_LEVEL_NONE: _ClassVar[IsolationLevel]
    ISOLATION_LEVEL_LANDLOCK: _ClassVar[IsolationLevel]
    ISOLATION_LEVEL_NAMESPACE: _ClassVar[IsolationLevel]

class Network(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NETWORK_UNSPECIFIED: _ClassVar[Network]
    NETWORK_NONE: _ClassVar[Network]
    NETWORK_LOOPBACK: _ClassVar[Network]

class IsolationLayerState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ISOLATION_LAYER_STATE_UNSPECIFIED: _ClassVar[IsolationLayerState]
    ISOLATION_LAYER_STATE_ENFORCED: _ClassVar[IsolationLayerState]
    ISOLATION_LAYER_STATE_MISSING: _ClassVar[IsolationLayerState]

class OutputStream(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTPUT_STREAM_UNSPECIFIED: _ClassVar[OutputStream]
    OUTPUT_STREAM_STDOUT: _ClassVar[OutputStream]
    OUTPUT_STREAM_STDERR: _ClassVar[OutputStream]

class FileKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FILE_KIND_UNSPECIFIED: _ClassVar[FileKind]
    FILE_KIND_FILE: _ClassVar[FileKind]
    FILE_KIND_DIRECTORY: _ClassVar[FileKind]
    FILE_KIND_LINK: _ClassVar[FileKind]
    FILE_KIND_OTHER: _ClassVar[FileKind]

class FileErrorKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FILE_ERROR_KIND_UNSPECIFIED: _ClassVar[FileErrorKind]
    FILE_ERROR_KIND_NOT_FOUND: _ClassVar[FileErrorKind]
    FILE_ERROR_KIND_NOT_A_FILE: _ClassVar[FileErrorKind]
    FILE_ERROR_KIND_IS_A_DIRECTORY: _ClassVar[FileErrorKind]
    FILE_ERROR_KIND_NOT_A_DIRECTORY: _ClassVar[FileErrorKind]
    FILE_ERROR_KIND_TOO_LARGE: _ClassVar[FileErrorKind]
    FILE_ERROR_KIND_NO_SPACE: _ClassVar[FileErrorKind]
    FILE_ERROR_KIND_PERMISSION: _ClassVar[FileErrorKind]
    FILE_ERROR_KIND_NOT_EMPTY: _ClassVar[FileErrorKind]
    FILE_ERROR_KIND_MISMATCH: _ClassVar[FileErrorKind]
    FILE_ERROR_KIND_INCOMPLETE: _ClassVar[FileErrorKind]
    FILE_ERROR_KIND_TOO_DEEP: _ClassVar[FileErrorKind]

class RandomState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RANDOM_STATE_UNSPECIFIED: _ClassVar[RandomState]
    RANDOM_STATE_INHERIT: _ClassVar[RandomState]
    RANDOM_STATE_RESEED: _ClassVar[RandomState]

class OnFailure(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ON_FAILURE_UNSPECIFIED: _ClassVar[OnFailure]
    ON_FAILURE_KEEP: _ClassVar[OnFailure]
    ON_FAILURE_ROLL_BACK: _ClassVar[OnFailure]

class OnFull(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ON_FULL_UNSPECIFIED: _ClassVar[OnFull]
    ON_FULL_REFUSE: _ClassVar[OnFull]
    ON_FULL_DROP_OLDEST: _ClassVar[OnFull]

class TextComparison(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TEXT_COMPARISON_UNSPECIFIED: _ClassVar[TextComparison]
    TEXT_COMPARISON_EXACT: _ClassVar[TextComparison]
    TEXT_COMPARISON_TRIMMED: _ClassVar[TextComparison]
    TEXT_COMPARISON_TOKENS: _ClassVar[TextComparison]
    TEXT_COMPARISON_NUMERIC: _ClassVar[TextComparison]
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_COMPLETED: Outcome
OUTCOME_RAISED: Outcome
OUTCOME_EXITED: Outcome
OUTCOME_INTERRUPTED: Outcome
OUTCOME_TIMED_OUT: Outcome
OUTCOME_LIMIT_EXCEEDED: Outcome
OUTCOME_KILLED: Outcome
OUTCOME_PROTOCOL_VIOLATION: Outcome
STATE_AFTER_UNSPECIFIED: StateAfter
STATE_AFTER_INTACT: StateAfter
STATE_AFTER_ROLLED_BACK: StateAfter
STATE_AFTER_LOST: StateAfter
EPISODE_STATUS_UNSPECIFIED: EpisodeStatus
EPISODE_STATUS_IDLE: EpisodeStatus
EPISODE_STATUS_RUNNING: EpisodeStatus
EPISODE_STATUS_LOST: EpisodeStatus
EPISODE_STATUS_FROZEN: EpisodeStatus
LIMIT_KIND_UNSPECIFIED: LimitKind
LIMIT_KIND_STEP_TIMEOUT: LimitKind
LIMIT_KIND_CPU_TIME: LimitKind
LIMIT_KIND_MEMORY: LimitKind
LIMIT_KIND_PROCESSES: LimitKind
USAGE_SCOPE_UNSPECIFIED: UsageScope
USAGE_SCOPE_WORKER: UsageScope
USAGE_SCOPE_TREE: UsageScope
ISOLATION_LEVEL_UNSPECIFIED: IsolationLevel
ISOLATION_LEVEL_NONE: IsolationLevel
ISOLATION_LEVEL_LANDLOCK: IsolationLevel
ISOLATION_LEVEL_NAMESPACE: IsolationLevel
NETWORK_UNSPECIFIED: Network
NETWORK_NONE: Network
NETWORK_LOOPBACK: Network
ISOLATION_LAYER_STATE_UNSPECIFIED: IsolationLayerState
ISOLATION_LAYER_STATE_ENFORCED: IsolationLayerState
ISOLATION_LAYER_STATE_MISSING: IsolationLayerState
OUTPUT_STREAM_UNSPECIFIED: OutputStream
OUTPUT_STREAM_STDOUT: OutputStream
OUTPUT_STREAM_STDERR: OutputStream
FILE_KIND_UNSPECIFIED: FileKind
FILE_KIND_FILE: FileKind
FILE_KIND_DIRECTORY: FileKind
FILE_KIND_LINK: FileKind
FILE_KIND_OTHER: FileKind
FILE_ERROR_KIND_UNSPECIFIED: FileErrorKind
FILE_ERROR_KIND_NOT_FOUND: FileErrorKind
FILE_ERROR_KIND_NOT_A_FILE: FileErrorKind
FILE_ERROR_KIND_IS_A_DIRECTORY: FileErrorKind
FILE_ERROR_KIND_NOT_A_DIRECTORY: FileErrorKind
FILE_ERROR_KIND_TOO_LARGE: FileErrorKind
FILE_ERROR_KIND_NO_SPACE: FileErrorKind
FILE_ERROR_KIND_PERMISSION: FileErrorKind
FILE_ERROR_KIND_NOT_EMPTY: FileErrorKind
FILE_ERROR_KIND_MISMATCH: FileErrorKind
FILE_ERROR_KIND_INCOMPLETE: FileErrorKind
FILE_ERROR_KIND_TOO_DEEP: FileErrorKind
RANDOM_STATE_UNSPECIFIED: RandomState
RANDOM_STATE_INHERIT: RandomState
RANDOM_STATE_RESEED: RandomState
ON_FAILURE_UNSPECIFIED: OnFailure
ON_FAILURE_KEEP: OnFailure
ON_FAILURE_ROLL_BACK: OnFailure
ON_FULL_UNSPECIFIED: OnFull
ON_FULL_REFUSE: OnFull
ON_FULL_DROP_OLDEST: OnFull
TEXT_COMPARISON_UNSPECIFIED: TextComparison
TEXT_COMPARISON_EXACT: TextComparison
TEXT_COMPARISON_TRIMMED: TextComparison
TEXT_COMPARISON_TOKENS: TextComparison
TEXT_COMPARISON_NUMERIC: TextComparison

class ResetRequest(_message.Message):
    __slots__ = ("episode_id", "request_id", "previous_episode_id", "seed", "runtime", "limits", "environment", "network", "files")
    class EnvironmentEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    EPISODE_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_EPISODE_ID_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    episode_id: str
    request_id: str
    previous_episode_id: str
    seed: int
    runtime: str
    limits: Limits
    environment: _containers.ScalarMap[str, str]
    network: Network
    files: _containers.RepeatedCompositeFieldContainer[ResetFile]
    def __init__(self, episode_id: _Optional[str] = ..., request_id: _Optional[str] = ..., previous_episode_id: _Optional[str] = ..., seed: _Optional[int] = ..., runtime: _Optional[str] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., environment: _Optional[_Mapping[str, str]] = ..., network: _Optional[_Union[Network, str]] = ..., files: _Optional[_Iterable[_Union[ResetFile, _Mapping]]] = ...) -> None: ...

class ResetResponse(_message.Message):
    __slots__ = ("observation", "reward", "done", "state", "metadata", "server_id", "limits", "runtime")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    OBSERVATION_FIELD_NUMBER: _ClassVar[int]
    REWARD_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    SERVER_ID_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_FIELD_NUMBER: _ClassVar[int]
    observation: CodeObservation
    reward: float
    done: bool
    state: CodeState
    metadata: _containers.ScalarMap[str, str]
    server_id: str
    limits: Limits
    runtime: str
    def __init__(self, observation: _Optional[_Union[CodeObservation, _Mapping]] = ..., reward: _Optional[float] = ..., done: bool = ..., state: _Optional[_Union[CodeState, _Mapping]] = ..., metadata: _Optional[_Mapping[str, str]] = ..., server_id: _Optional[str] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., runtime: _Optional[str] = ...) -> None: ...

class StepRequest(_message.Message):
    __slots__ = ("episode_id", "action", "step_index", "timeout", "limits", "max_reply_bytes", "display_mime_types", "on_failure", "roll_back_outcomes")
    EPISODE_ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    STEP_INDEX_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    MAX_REPLY_BYTES_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_MIME_TYPES_FIELD_NUMBER: _ClassVar[int]
    ON_FAILURE_FIELD_NUMBER: _ClassVar[int]
    ROLL_BACK_OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    episode_id: str
    action: CodeAction
    step_index: int
    timeout: _duration_pb2.Duration
    limits: StepLimits
    max_reply_bytes: int
    display_mime_types: _containers.RepeatedScalarFieldContainer[str]
    on_failure: OnFailure
    roll_back_outcomes: _containers.RepeatedScalarFieldContainer[Outcome]
    def __init__(self, episode_id: _Optional[str] = ..., action: _Optional[_Union[CodeAction, _Mapping]] = ..., step_index: _Optional[int] = ..., timeout: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., limits: _Optional[_Union[StepLimits, _Mapping]] = ..., max_reply_bytes: _Optional[int] = ..., display_mime_types: _Optional[_Iterable[str]] = ..., on_failure: _Optional[_Union[OnFailure, str]] = ..., roll_back_outcomes: _Optional[_Iterable[_Union[Outcome, str]]] = ...) -> None: ...

class StepResponse(_message.Message):
    __slots__ = ("observation", "reward", "done", "outcome", "state_after", "state", "metadata", "step_index", "server_id", "timeout", "reported", "observed", "replayed", "output_dropped", "hint")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    OBSERVATION_FIELD_NUMBER: _ClassVar[int]
    REWARD_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    STATE_AFTER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    STEP_INDEX_FIELD_NUMBER: _ClassVar[int]
    SERVER_ID_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    REPORTED_FIELD_NUMBER: _ClassVar[int]
    OBSERVED_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_DROPPED_FIELD_NUMBER: _ClassVar[int]
    HINT_FIELD_NUMBER: _ClassVar[int]
    observation: CodeObservation
    reward: float
    done: bool
    outcome: Outcome
    state_after: StateAfter
    state: CodeState
    metadata: _containers.ScalarMap[str, str]
    step_index: int
    server_id: str
    timeout: _duration_pb2.Duration
    reported: Reported
    observed: Observed
    replayed: bool
    output_dropped: bool
    hint: str
    def __init__(self, observation: _Optional[_Union[CodeObservation, _Mapping]] = ..., reward: _Optional[float] = ..., done: bool = ..., outcome: _Optional[_Union[Outcome, str]] = ..., state_after: _Optional[_Union[StateAfter, str]] = ..., state: _Optional[_Union[CodeState, _Mapping]] = ..., metadata: _Optional[_Mapping[str, str]] = ..., step_index: _Optional[int] = ..., server_id: _Optional[str] = ..., timeout: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., reported: _Optional[_Union[Reported, _Mapping]] = ..., observed: _Optional[_Union[Observed, _Mapping]] = ..., replayed: bool = ..., output_dropped: bool = ..., hint: _Optional[str] = ...) -> None: ...

class GetStateRequest(_message.Message):
    __slots__ = ("episode_id",)
    EPISODE_ID_FIELD_NUMBER: _ClassVar[int]
    episode_id: str
    def __init__(self, episode_id: _Optional[str] = ...) -> None: ...

class GetStateResponse(_message.Message):
    __slots__ = ("state", "status", "loss", "server_id", "runtime", "limits", "seed", "create_time", "expire_time", "queued_steps", "totals", "output_total_bytes", "tree_totals", "fork")
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    SERVER_ID_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    QUEUED_STEPS_FIELD_NUMBER: _ClassVar[int]
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOTAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    TREE_TOTALS_FIELD_NUMBER: _ClassVar[int]
    FORK_FIELD_NUMBER: _ClassVar[int]
    state: CodeState
    status: EpisodeStatus
    loss: Loss
    server_id: str
    runtime: str
    limits: Limits
    seed: int
    create_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    queued_steps: int
    totals: Usage
    output_total_bytes: int
    tree_totals: Usage
    fork: ForkOrigin
    def __init__(self, state: _Optional[_Union[CodeState, _Mapping]] = ..., status: _Optional[_Union[EpisodeStatus, str]] = ..., loss: _Optional[_Union[Loss, _Mapping]] = ..., server_id: _Optional[str] = ..., runtime: _Optional[str] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., seed: _Optional[int] = ..., create_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., queued_steps: _Optional[int] = ..., totals: _Optional[_Union[Usage, _Mapping]] = ..., output_total_bytes: _Optional[int] = ..., tree_totals: _Optional[_Union[Usage, _Mapping]] = ..., fork: _Optional[_Union[ForkOrigin, _Mapping]] = ...) -> None: ...

class CloseRequest(_message.Message):
    __slots__ = ("episode_id",)
    EPISODE_ID_FIELD_NUMBER: _ClassVar[int]
    episode_id: str
    def __init__(self, episode_id: _Optional[str] = ...) -> None: ...

class CloseResponse(_message.Message):
    __slots__ = ("closed", "server_id")
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    SERVER_ID_FIELD_NUMBER: _ClassVar[int]
    closed: bool
    server_id: str
    def __init__(self, closed: bool = ..., server_id: _Optional[str] = ...) -> None: ...

class InterruptRequest(_message.Message):
    __slots__ = ("episode_id", "step_index")
    EPISODE_ID_FIELD_NUMBER: _ClassVar[int]
    STEP_INDEX_FIELD_NUMBER: _ClassVar[int]
    episode_id: str
    step_index: int
    def __init__(self, episode_id: _Optional[str] = ..., step_index: _Optional[int] = ...) -> None: ...

class InterruptResponse(_message.Message):
    __slots__ = ("interrupted", "step_index", "server_id")
    INTERRUPTED_FIELD_NUMBER: _ClassVar[int]
    STEP_INDEX_FIELD_NUMBER: _ClassVar[int]
    SERVER_ID_FIELD_NUMBER: _ClassVar[int]
    interrupted: bool
    step_index: int
    server_id: str
    def __init__(self, interrupted: bool = ..., step_index: _Optional[int] = ..., server_id: _Optional[str] = ...) -> None: ...

class GetServerInfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetServerInfoResponse(_message.Message):
    __slots__ = ("version", "server_id", "default_limits", "max_limits", "server_limits", "runtimes", "isolation", "capacity", "transforms", "start_time", "fork")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SERVER_ID_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_LIMITS_FIELD_NUMBER: _ClassVar[int]
    MAX_LIMITS_FIELD_NUMBER: _ClassVar[int]
    SERVER_LIMITS_FIELD_NUMBER: _ClassVar[int]
    RUNTIMES_FIELD_NUMBER: _ClassVar[int]
    ISOLATION_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    TRANSFORMS_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    FORK_FIELD_NUMBER: _ClassVar[int]
    version: str
    server_id: str
    default_limits: Limits
    max_limits: Limits
    server_limits: ServerLimits
    runtimes: _containers.RepeatedCompositeFieldContainer[Runtime]
    isolation: Isolation
    capacity: Capacity
    transforms: _containers.RepeatedScalarFieldContainer[str]
    start_time: _timestamp_pb2.Timestamp
    fork: ForkFacts
    def __init__(self, version: _Optional[str] = ..., server_id: _Optional[str] = ..., default_limits: _Optional[_Union[Limits, _Mapping]] = ..., max_limits: _Optional[_Union[Limits, _Mapping]] = ..., server_limits: _Optional[_Union[ServerLimits, _Mapping]] = ..., runtimes: _Optional[_Iterable[_Union[Runtime, _Mapping]]] = ..., isolation: _Optional[_Union[Isolation, _Mapping]] = ..., capacity: _Optional[_Union[Capacity, _Mapping]] = ..., transforms: _Optional[_Iterable[str]] = ..., start_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., fork: _Optional[_Union[ForkFacts, _Mapping]] = ...) -> None: ...

class CodeAction(_message.Message):
    __slots__ = ("code",)
    CODE_FIELD_NUMBER: _ClassVar[int]
    code: str
    def __init__(self, code: _Optional[str] = ...) -> None: ...

class CodeObservation(_message.Message):
    __slots__ = ("stdout", "stderr", "exit_code", "result", "displays")
    STDOUT_FIELD_NUMBER: _ClassVar[int]
    STDERR_FIELD_NUMBER: _ClassVar[int]
    EXIT_CODE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    DISPLAYS_FIELD_NUMBER: _ClassVar[int]
    stdout: str
    stderr: str
    exit_code: int
    result: str
    displays: _containers.RepeatedCompositeFieldContainer[Display]
    def __init__(self, stdout: _Optional[str] = ..., stderr: _Optional[str] = ..., exit_code: _Optional[int] = ..., result: _Optional[str] = ..., displays: _Optional[_Iterable[_Union[Display, _Mapping]]] = ...) -> None: ...

class Display(_message.Message):
    __slots__ = ("representations", "is_result")
    REPRESENTATIONS_FIELD_NUMBER: _ClassVar[int]
    IS_RESULT_FIELD_NUMBER: _ClassVar[int]
    representations: _containers.RepeatedCompositeFieldContainer[Representation]
    is_result: bool
    def __init__(self, representations: _Optional[_Iterable[_Union[Representation, _Mapping]]] = ..., is_result: bool = ...) -> None: ...

class Representation(_message.Message):
    __slots__ = ("mime_type", "data", "total_bytes", "file_path")
    MIME_TYPE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    TOTAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    FILE_PATH_FIELD_NUMBER: _ClassVar[int]
    mime_type: str
    data: bytes
    total_bytes: int
    file_path: str
    def __init__(self, mime_type: _Optional[str] = ..., data: _Optional[bytes] = ..., total_bytes: _Optional[int] = ..., file_path: _Optional[str] = ...) -> None: ...

class CodeState(_message.Message):
    __slots__ = ("episode_id", "step_count", "last_exit_code")
    EPISODE_ID_FIELD_NUMBER: _ClassVar[int]
    STEP_COUNT_FIELD_NUMBER: _ClassVar[int]
    LAST_EXIT_CODE_FIELD_NUMBER: _ClassVar[int]
    episode_id: str
    step_count: int
    last_exit_code: int
    def __init__(self, episode_id: _Optional[str] = ..., step_count: _Optional[int] = ..., last_exit_code: _Optional[int] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("source_bytes", "output_bytes", "result_bytes", "step_timeout", "step_cpu_time", "idle_timeout", "memory_bytes", "open_files", "file_bytes", "total_memory_bytes", "processes", "workspace_bytes", "workspace_inodes", "cpu_percent", "displays", "display_bytes")
    SOURCE_BYTES_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_BYTES_FIELD_NUMBER: _ClassVar[int]
    RESULT_BYTES_FIELD_NUMBER: _ClassVar[int]
    STEP_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    STEP_CPU_TIME_FIELD_NUMBER: _ClassVar[int]
    IDLE_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    OPEN_FILES_FIELD_NUMBER: _ClassVar[int]
    FILE_BYTES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    PROCESSES_FIELD_NUMBER: _ClassVar[int]
    WORKSPACE_BYTES_FIELD_NUMBER: _ClassVar[int]
    WORKSPACE_INODES_FIELD_NUMBER: _ClassVar[int]
    CPU_PERCENT_FIELD_NUMBER: _ClassVar[int]
    DISPLAYS_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_BYTES_FIELD_NUMBER: _ClassVar[int]
    source_bytes: int
    output_bytes: int
    result_bytes: int
    step_timeout: _duration_pb2.Duration
    step_cpu_time: _duration_pb2.Duration
    idle_timeout: _duration_pb2.Duration
    memory_bytes: int
    open_files: int
    file_bytes: int
    total_memory_bytes: int
    processes: int
    workspace_bytes: int
    workspace_inodes: int
    cpu_percent: int
    displays: int
    display_bytes: int
    def __init__(self, source_bytes: _Optional[int] = ..., output_bytes: _Optional[int] = ..., result_bytes: _Optional[int] = ..., step_timeout: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., step_cpu_time: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., idle_timeout: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., memory_bytes: _Optional[int] = ..., open_files: _Optional[int] = ..., file_bytes: _Optional[int] = ..., total_memory_bytes: _Optional[int] = ..., processes: _Optional[int] = ..., workspace_bytes: _Optional[int] = ..., workspace_inodes: _Optional[int] = ..., cpu_percent: _Optional[int] = ..., displays: _Optional[int] = ..., display_bytes: _Optional[int] = ...) -> None: ...

class StepLimits(_message.Message):
    __slots__ = ("output_bytes", "cpu_time")
    OUTPUT_BYTES_FIELD_NUMBER: _ClassVar[int]
    CPU_TIME_FIELD_NUMBER: _ClassVar[int]
    output_bytes: int
    cpu_time: _duration_pb2.Duration
    def __init__(self, output_bytes: _Optional[int] = ..., cpu_time: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ServerLimits(_message.Message):
    __slots__ = ("episodes", "running_steps", "waiting_steps", "queued_steps", "request_bytes", "reply_bytes", "environment_bytes", "default_step_timeout", "interrupt_grace", "background_cpu_time", "worker_wait", "kept_reply_bytes", "sessions", "session_requests", "session_grace", "representation_bytes", "files", "forks")
    EPISODES_FIELD_NUMBER: _ClassVar[int]
    RUNNING_STEPS_FIELD_NUMBER: _ClassVar[int]
    WAITING_STEPS_FIELD_NUMBER: _ClassVar[int]
    QUEUED_STEPS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_BYTES_FIELD_NUMBER: _ClassVar[int]
    REPLY_BYTES_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_BYTES_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_STEP_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    INTERRUPT_GRACE_FIELD_NUMBER: _ClassVar[int]
    BACKGROUND_CPU_TIME_FIELD_NUMBER: _ClassVar[int]
    WORKER_WAIT_FIELD_NUMBER: _ClassVar[int]
    KEPT_REPLY_BYTES_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    SESSION_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    SESSION_GRACE_FIELD_NUMBER: _ClassVar[int]
    REPRESENTATION_BYTES_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    FORKS_FIELD_NUMBER: _ClassVar[int]
    episodes: int
    running_steps: int
    waiting_steps: int
    queued_steps: int
    request_bytes: int
    reply_bytes: int
    environment_bytes: int
    default_step_timeout: _duration_pb2.Duration
    interrupt_grace: _duration_pb2.Duration
    background_cpu_time: _duration_pb2.Duration
    worker_wait: _duration_pb2.Duration
    kept_reply_bytes: int
    sessions: int
    session_requests: int
    session_grace: _duration_pb2.Duration
    representation_bytes: int
    files: FileLimits
    forks: ForkLimits
    def __init__(self, episodes: _Optional[int] = ..., running_steps: _Optional[int] = ..., waiting_steps: _Optional[int] = ..., queued_steps: _Optional[int] = ..., request_bytes: _Optional[int] = ..., reply_bytes: _Optional[int] = ..., environment_bytes: _Optional[int] = ..., default_step_timeout: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., interrupt_grace: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., background_cpu_time: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., worker_wait: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., kept_reply_bytes: _Optional[int] = ..., sessions: _Optional[int] = ..., session_requests: _Optional[int] = ..., session_grace: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., representation_bytes: _Optional[int] = ..., files: _Optional[_Union[FileLimits, _Mapping]] = ..., forks: _Optional[_Union[ForkLimits, _Mapping]] = ...) -> None: ...

class Runtime(_message.Message):
    __slots__ = ("name", "python_version", "preloads", "hash_seed", "warm_workers", "packages")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PYTHON_VERSION_FIELD_NUMBER: _ClassVar[int]
    PRELOADS_FIELD_NUMBER: _ClassVar[int]
    HASH_SEED_FIELD_NUMBER: _ClassVar[int]
    WARM_WORKERS_FIELD_NUMBER: _ClassVar[int]
    PACKAGES_FIELD_NUMBER: _ClassVar[int]
    name: str
    python_version: str
    preloads: _containers.RepeatedScalarFieldContainer[str]
    hash_seed: int
    warm_workers: int
    packages: _containers.RepeatedCompositeFieldContainer[Package]
    def __init__(self, name: _Optional[str] = ..., python_version: _Optional[str] = ..., preloads: _Optional[_Iterable[str]] = ..., hash_seed: _Optional[int] = ..., warm_workers: _Optional[int] = ..., packages: _Optional[_Iterable[_Union[Package, _Mapping]]] = ...) -> None: ...

class Package(_message.Message):
    __slots__ = ("name", "version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class Isolation(_message.Message):
    __slots__ = ("level", "layers")
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    level: IsolationLevel
    layers: _containers.RepeatedCompositeFieldContainer[IsolationLayer]
    def __init__(self, level: _Optional[_Union[IsolationLevel, str]] = ..., layers: _Optional[_Iterable[_Union[IsolationLayer, _Mapping]]] = ...) -> None: ...

class IsolationLayer(_message.Message):
    __slots__ = ("name", "state", "detail")
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    name: str
    state: IsolationLayerState
    detail: str
    def __init__(self, name: _Optional[str] = ..., state: _Optional[_Union[IsolationLayerState, str]] = ..., detail: _Optional[str] = ...) -> None: ...

class Capacity(_message.Message):
    __slots__ = ("episodes", "running_steps", "waiting_steps", "draining", "checkpoints", "evaluations")
    EPISODES_FIELD_NUMBER: _ClassVar[int]
    RUNNING_STEPS_FIELD_NUMBER: _ClassVar[int]
    WAITING_STEPS_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINTS_FIELD_NUMBER: _ClassVar[int]
    EVALUATIONS_FIELD_NUMBER: _ClassVar[int]
    episodes: int
    running_steps: int
    waiting_steps: int
    draining: bool
    checkpoints: int
    evaluations: int
    def __init__(self, episodes: _Optional[int] = ..., running_steps: _Optional[int] = ..., waiting_steps: _Optional[int] = ..., draining: bool = ..., checkpoints: _Optional[int] = ..., evaluations: _Optional[int] = ...) -> None: ...

class Reported(_message.Message):
    __slots__ = ("exception", "result_truncated", "displays_dropped")
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    RESULT_TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    DISPLAYS_DROPPED_FIELD_NUMBER: _ClassVar[int]
    exception: PythonException
    result_truncated: bool
    displays_dropped: int
    def __init__(self, exception: _Optional[_Union[PythonException, _Mapping]] = ..., result_truncated: bool = ..., displays_dropped: _Optional[int] = ...) -> None: ...

class PythonException(_message.Message):
    __slots__ = ("type", "message")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    type: str
    message: str
    def __init__(self, type: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class Observed(_message.Message):
    __slots__ = ("usage", "background", "stdout_total_bytes", "stderr_total_bytes", "stdout_kept_bytes", "stderr_kept_bytes", "stdout_truncated", "stderr_truncated", "limit", "signal", "process_exit_code", "violation", "limits_hit", "tree_usage")
    USAGE_FIELD_NUMBER: _ClassVar[int]
    BACKGROUND_FIELD_NUMBER: _ClassVar[int]
    STDOUT_TOTAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    STDERR_TOTAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    STDOUT_KEPT_BYTES_FIELD_NUMBER: _ClassVar[int]
    STDERR_KEPT_BYTES_FIELD_NUMBER: _ClassVar[int]
    STDOUT_TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    STDERR_TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    SIGNAL_FIELD_NUMBER: _ClassVar[int]
    PROCESS_EXIT_CODE_FIELD_NUMBER: _ClassVar[int]
    VIOLATION_FIELD_NUMBER: _ClassVar[int]
    LIMITS_HIT_FIELD_NUMBER: _ClassVar[int]
    TREE_USAGE_FIELD_NUMBER: _ClassVar[int]
    usage: Usage
    background: Usage
    stdout_total_bytes: int
    stderr_total_bytes: int
    stdout_kept_bytes: int
    stderr_kept_bytes: int
    stdout_truncated: bool
    stderr_truncated: bool
    limit: LimitKind
    signal: int
    process_exit_code: int
    violation: str
    limits_hit: _containers.RepeatedScalarFieldContainer[LimitKind]
    tree_usage: Usage
    def __init__(self, usage: _Optional[_Union[Usage, _Mapping]] = ..., background: _Optional[_Union[Usage, _Mapping]] = ..., stdout_total_bytes: _Optional[int] = ..., stderr_total_bytes: _Optional[int] = ..., stdout_kept_bytes: _Optional[int] = ..., stderr_kept_bytes: _Optional[int] = ..., stdout_truncated: bool = ..., stderr_truncated: bool = ..., limit: _Optional[_Union[LimitKind, str]] = ..., signal: _Optional[int] = ..., process_exit_code: _Optional[int] = ..., violation: _Optional[str] = ..., limits_hit: _Optional[_Iterable[_Union[LimitKind, str]]] = ..., tree_usage: _Optional[_Union[Usage, _Mapping]] = ...) -> None: ...

class Usage(_message.Message):
    __slots__ = ("scope", "wall_time", "queued_time", "cpu_user_time", "cpu_system_time", "peak_memory_bytes", "minor_page_faults", "major_page_faults")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    WALL_TIME_FIELD_NUMBER: _ClassVar[int]
    QUEUED_TIME_FIELD_NUMBER: _ClassVar[int]
    CPU_USER_TIME_FIELD_NUMBER: _ClassVar[int]
    CPU_SYSTEM_TIME_FIELD_NUMBER: _ClassVar[int]
    PEAK_MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    MINOR_PAGE_FAULTS_FIELD_NUMBER: _ClassVar[int]
    MAJOR_PAGE_FAULTS_FIELD_NUMBER: _ClassVar[int]
    scope: UsageScope
    wall_time: _duration_pb2.Duration
    queued_time: _duration_pb2.Duration
    cpu_user_time: _duration_pb2.Duration
    cpu_system_time: _duration_pb2.Duration
    peak_memory_bytes: int
    minor_page_faults: int
    major_page_faults: int
    def __init__(self, scope: _Optional[_Union[UsageScope, str]] = ..., wall_time: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., queued_time: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., cpu_user_time: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., cpu_system_time: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., peak_memory_bytes: _Optional[int] = ..., minor_page_faults: _Optional[int] = ..., major_page_faults: _Optional[int] = ...) -> None: ...

class Loss(_message.Message):
    __slots__ = ("step_index", "outcome", "description")
    STEP_INDEX_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    step_index: int
    outcome: Outcome
    description: str
    def __init__(self, step_index: _Optional[int] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., description: _Optional[str] = ...) -> None: ...

class FileLimits(_message.Message):
    __slots__ = ("calls", "waiting_calls", "files_per_call", "bytes_per_call", "chunk_bytes", "path_bytes", "depth", "selectors", "reset_files", "reset_bytes", "stall_timeout")
    CALLS_FIELD_NUMBER: _ClassVar[int]
    WAITING_CALLS_FIELD_NUMBER: _ClassVar[int]
    FILES_PER_CALL_FIELD_NUMBER: _ClassVar[int]
    BYTES_PER_CALL_FIELD_NUMBER: _ClassVar[int]
    CHUNK_BYTES_FIELD_NUMBER: _ClassVar[int]
    PATH_BYTES_FIELD_NUMBER: _ClassVar[int]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    SELECTORS_FIELD_NUMBER: _ClassVar[int]
    RESET_FILES_FIELD_NUMBER: _ClassVar[int]
    RESET_BYTES_FIELD_NUMBER: _ClassVar[int]
    STALL_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    calls: int
    waiting_calls: int
    files_per_call: int
    bytes_per_call: int
    chunk_bytes: int
    path_bytes: int
    depth: int
    selectors: int
    reset_files: int
    reset_bytes: int
    stall_timeout: _duration_pb2.Duration
    def __init__(self, calls: _Optional[int] = ..., waiting_calls: _Optional[int] = ..., files_per_call: _Optional[int] = ..., bytes_per_call: _Optional[int] = ..., chunk_bytes: _Optional[int] = ..., path_bytes: _Optional[int] = ..., depth: _Optional[int] = ..., selectors: _Optional[int] = ..., reset_files: _Optional[int] = ..., reset_bytes: _Optional[int] = ..., stall_timeout: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ResetFile(_message.Message):
    __slots__ = ("path", "raw_path", "mode", "modify_time", "data")
    PATH_FIELD_NUMBER: _ClassVar[int]
    RAW_PATH_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    MODIFY_TIME_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    path: str
    raw_path: bytes
    mode: int
    modify_time: _timestamp_pb2.Timestamp
    data: bytes
    def __init__(self, path: _Optional[str] = ..., raw_path: _Optional[bytes] = ..., mode: _Optional[int] = ..., modify_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., data: _Optional[bytes] = ...) -> None: ...

class FileInfo(_message.Message):
    __slots__ = ("path", "raw_path", "kind", "mode", "size", "modify_time", "sha256")
    PATH_FIELD_NUMBER: _ClassVar[int]
    RAW_PATH_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    MODIFY_TIME_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    path: str
    raw_path: bytes
    kind: FileKind
    mode: int
    size: int
    modify_time: _timestamp_pb2.Timestamp
    sha256: bytes
    def __init__(self, path: _Optional[str] = ..., raw_path: _Optional[bytes] = ..., kind: _Optional[_Union[FileKind, str]] = ..., mode: _Optional[int] = ..., size: _Optional[int] = ..., modify_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., sha256: _Optional[bytes] = ...) -> None: ...

class FileChunk(_message.Message):
    __slots__ = ("file", "data", "end")
    FILE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    file: FileInfo
    data: bytes
    end: FileEnd
    def __init__(self, file: _Optional[_Union[FileInfo, _Mapping]] = ..., data: _Optional[bytes] = ..., end: _Optional[_Union[FileEnd, _Mapping]] = ...) -> None: ...

class FileEnd(_message.Message):
    __slots__ = ("sha256", "error")
    SHA256_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    sha256: bytes
    error: FileError
    def __init__(self, sha256: _Optional[bytes] = ..., error: _Optional[_Union[FileError, _Mapping]] = ...) -> None: ...

class FileError(_message.Message):
    __slots__ = ("kind", "message")
    KIND_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    kind: FileErrorKind
    message: str
    def __init__(self, kind: _Optional[_Union[FileErrorKind, str]] = ..., message: _Optional[str] = ...) -> None: ...

class FileFailure(_message.Message):
    __slots__ = ("path", "raw_path", "error")
    PATH_FIELD_NUMBER: _ClassVar[int]
    RAW_PATH_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    path: str
    raw_path: bytes
    error: FileError
    def __init__(self, path: _Optional[str] = ..., raw_path: _Optional[bytes] = ..., error: _Optional[_Union[FileError, _Mapping]] = ...) -> None: ...

class FileSelector(_message.Message):
    __slots__ = ("path", "raw_path", "glob")
    PATH_FIELD_NUMBER: _ClassVar[int]
    RAW_PATH_FIELD_NUMBER: _ClassVar[int]
    GLOB_FIELD_NUMBER: _ClassVar[int]
    path: str
    raw_path: bytes
    glob: str
    def __init__(self, path: _Optional[str] = ..., raw_path: _Optional[bytes] = ..., glob: _Optional[str] = ...) -> None: ...

class FilesSummary(_message.Message):
    __slots__ = ("files", "bytes", "failed", "failures", "truncated")
    FILES_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    files: int
    bytes: int
    failed: int
    failures: _containers.RepeatedCompositeFieldContainer[FileFailure]
    truncated: bool
    def __init__(self, files: _Optional[int] = ..., bytes: _Optional[int] = ..., failed: _Optional[int] = ..., failures: _Optional[_Iterable[_Union[FileFailure, _Mapping]]] = ..., truncated: bool = ...) -> None: ...

class WriteFilesRequest(_message.Message):
    __slots__ = ("episode_id", "chunks", "sha256")
    EPISODE_ID_FIELD_NUMBER: _ClassVar[int]
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    episode_id: str
    chunks: _containers.RepeatedCompositeFieldContainer[FileChunk]
    sha256: bool
    def __init__(self, episode_id: _Optional[str] = ..., chunks: _Optional[_Iterable[_Union[FileChunk, _Mapping]]] = ..., sha256: bool = ...) -> None: ...

class WriteFilesResponse(_message.Message):
    __slots__ = ("written", "bytes", "failed", "failures", "server_id")
    WRITTEN_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    SERVER_ID_FIELD_NUMBER: _ClassVar[int]
    written: int
    bytes: int
    failed: int
    failures: _containers.RepeatedCompositeFieldContainer[FileFailure]
    server_id: str
    def __init__(self, written: _Optional[int] = ..., bytes: _Optional[int] = ..., failed: _Optional[int] = ..., failures: _Optional[_Iterable[_Union[FileFailure, _Mapping]]] = ..., server_id: _Optional[str] = ...) -> None: ...

class ReadFilesRequest(_message.Message):
    __slots__ = ("episode_id", "files", "sha256", "max_file_bytes", "directories")
    EPISODE_ID_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    MAX_FILE_BYTES_FIELD_NUMBER: _ClassVar[int]
    DIRECTORIES_FIELD_NUMBER: _ClassVar[int]
    episode_id: str
    files: _containers.RepeatedCompositeFieldContainer[FileSelector]
    sha256: bool
    max_file_bytes: int
    directories: bool
    def __init__(self, episode_id: _Optional[str] = ..., files: _Optional[_Iterable[_Union[FileSelector, _Mapping]]] = ..., sha256: bool = ..., max_file_bytes: _Optional[int] = ..., directories: bool = ...) -> None: ...

class ReadFilesResponse(_message.Message):
    __slots__ = ("chunks", "summary")
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    chunks: _containers.RepeatedCompositeFieldContainer[FileChunk]
    summary: FilesSummary
    def __init__(self, chunks: _Optional[_Iterable[_Union[FileChunk, _Mapping]]] = ..., summary: _Optional[_Union[FilesSummary, _Mapping]] = ...) -> None: ...

class ListFilesRequest(_message.Message):
    __slots__ = ("episode_id", "files", "sha256")
    EPISODE_ID_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    episode_id: str
    files: _containers.RepeatedCompositeFieldContainer[FileSelector]
    sha256: bool
    def __init__(self, episode_id: _Optional[str] = ..., files: _Optional[_Iterable[_Union[FileSelector, _Mapping]]] = ..., sha256: bool = ...) -> None: ...

class ListFilesResponse(_message.Message):
    __slots__ = ("files", "summary")
    FILES_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    files: _containers.RepeatedCompositeFieldContainer[FileInfo]
    summary: FilesSummary
    def __init__(self, files: _Optional[_Iterable[_Union[FileInfo, _Mapping]]] = ..., summary: _Optional[_Union[FilesSummary, _Mapping]] = ...) -> None: ...

class DeleteFilesRequest(_message.Message):
    __slots__ = ("episode_id", "files", "recursive")
    EPISODE_ID_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    RECURSIVE_FIELD_NUMBER: _ClassVar[int]
    episode_id: str
    files: _containers.RepeatedCompositeFieldContainer[FileSelector]
    recursive: bool
    def __init__(self, episode_id: _Optional[str] = ..., files: _Optional[_Iterable[_Union[FileSelector, _Mapping]]] = ..., recursive: bool = ...) -> None: ...

class DeleteFilesResponse(_message.Message):
    __slots__ = ("deleted", "failed", "failures", "truncated", "server_id")
    DELETED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    SERVER_ID_FIELD_NUMBER: _ClassVar[int]
    deleted: int
    failed: int
    failures: _containers.RepeatedCompositeFieldContainer[FileFailure]
    truncated: bool
    server_id: str
    def __init__(self, deleted: _Optional[int] = ..., failed: _Optional[int] = ..., failures: _Optional[_Iterable[_Union[FileFailure, _Mapping]]] = ..., truncated: bool = ..., server_id: _Optional[str] = ...) -> None: ...

class StepStreamRequest(_message.Message):
    __slots__ = ("step", "heartbeat", "stdout_offset", "stderr_offset")
    STEP_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    STDOUT_OFFSET_FIELD_NUMBER: _ClassVar[int]
    STDERR_OFFSET_FIELD_NUMBER: _ClassVar[int]
    step: StepRequest
    heartbeat: _duration_pb2.Duration
    stdout_offset: int
    stderr_offset: int
    def __init__(self, step: _Optional[_Union[StepRequest, _Mapping]] = ..., heartbeat: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., stdout_offset: _Optional[int] = ..., stderr_offset: _Optional[int] = ...) -> None: ...

class StepStreamResponse(_message.Message):
    __slots__ = ("piece", "heartbeat", "reply")
    PIECE_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    REPLY_FIELD_NUMBER: _ClassVar[int]
    piece: OutputPiece
    heartbeat: Heartbeat
    reply: StepResponse
    def __init__(self, piece: _Optional[_Union[OutputPiece, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ..., reply: _Optional[_Union[StepResponse, _Mapping]] = ...) -> None: ...

class OutputPiece(_message.Message):
    __slots__ = ("stream", "offset", "data", "dropped_bytes")
    STREAM_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    DROPPED_BYTES_FIELD_NUMBER: _ClassVar[int]
    stream: OutputStream
    offset: int
    data: bytes
    dropped_bytes: int
    def __init__(self, stream: _Optional[_Union[OutputStream, str]] = ..., offset: _Optional[int] = ..., data: _Optional[bytes] = ..., dropped_bytes: _Optional[int] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ("queued",)
    QUEUED_FIELD_NUMBER: _ClassVar[int]
    queued: bool
    def __init__(self, queued: bool = ...) -> None: ...

class SessionRequest(_message.Message):
    __slots__ = ("id", "received", "open", "reset", "step", "step_stream", "get_state", "interrupt", "close", "detach", "fork", "checkpoint", "rollback", "evaluate", "drop_checkpoint", "list_checkpoints")
    ID_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    RESET_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    STEP_STREAM_FIELD_NUMBER: _ClassVar[int]
    GET_STATE_FIELD_NUMBER: _ClassVar[int]
    INTERRUPT_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FIELD_NUMBER: _ClassVar[int]
    DETACH_FIELD_NUMBER: _ClassVar[int]
    FORK_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    ROLLBACK_FIELD_NUMBER: _ClassVar[int]
    EVALUATE_FIELD_NUMBER: _ClassVar[int]
    DROP_CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    LIST_CHECKPOINTS_FIELD_NUMBER: _ClassVar[int]
    id: int
    received: int
    open: SessionOpen
    reset: ResetRequest
    step: StepRequest
    step_stream: StepStreamRequest
    get_state: GetStateRequest
    interrupt: InterruptRequest
    close: CloseRequest
    detach: SessionDetach
    fork: ForkRequest
    checkpoint: CheckpointRequest
    rollback: RollbackRequest
    evaluate: EvaluateRequest
    drop_checkpoint: DropCheckpointRequest
    list_checkpoints: ListCheckpointsRequest
    def __init__(self, id: _Optional[int] = ..., received: _Optional[int] = ..., open: _Optional[_Union[SessionOpen, _Mapping]] = ..., reset: _Optional[_Union[ResetRequest, _Mapping]] = ..., step: _Optional[_Union[StepRequest, _Mapping]] = ..., step_stream: _Optional[_Union[StepStreamRequest, _Mapping]] = ..., get_state: _Optional[_Union[GetStateRequest, _Mapping]] = ..., interrupt: _Optional[_Union[InterruptRequest, _Mapping]] = ..., close: _Optional[_Union[CloseRequest, _Mapping]] = ..., detach: _Optional[_Union[SessionDetach, _Mapping]] = ..., fork: _Optional[_Union[ForkRequest, _Mapping]] = ..., checkpoint: _Optional[_Union[CheckpointRequest, _Mapping]] = ..., rollback: _Optional[_Union[RollbackRequest, _Mapping]] = ..., evaluate: _Optional[_Union[EvaluateRequest, _Mapping]] = ..., drop_checkpoint: _Optional[_Union[DropCheckpointRequest, _Mapping]] = ..., list_checkpoints: _Optional[_Union[ListCheckpointsRequest, _Mapping]] = ...) -> None: ...

class SessionResponse(_message.Message):
    __slots__ = ("id", "number", "open", "reset", "step", "step_stream", "get_state", "interrupt", "close", "detach", "fork", "checkpoint", "rollback", "evaluate", "drop_checkpoint", "list_checkpoints", "error")
    ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    RESET_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    STEP_STREAM_FIELD_NUMBER: _ClassVar[int]
    GET_STATE_FIELD_NUMBER: _ClassVar[int]
    INTERRUPT_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FIELD_NUMBER: _ClassVar[int]
    DETACH_FIELD_NUMBER: _ClassVar[int]
    FORK_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    ROLLBACK_FIELD_NUMBER: _ClassVar[int]
    EVALUATE_FIELD_NUMBER: _ClassVar[int]
    DROP_CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    LIST_CHECKPOINTS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    id: int
    number: int
    open: SessionOpened
    reset: ResetResponse
    step: StepResponse
    step_stream: StepStreamResponse
    get_state: GetStateResponse
    interrupt: InterruptResponse
    close: CloseResponse
    detach: SessionDetached
    fork: ForkResponse
    checkpoint: CheckpointResponse
    rollback: RollbackResponse
    evaluate: EvaluateResponse
    drop_checkpoint: DropCheckpointResponse
    list_checkpoints: ListCheckpointsResponse
    error: _status_pb2.Status
    def __init__(self, id: _Optional[int] = ..., number: _Optional[int] = ..., open: _Optional[_Union[SessionOpened, _Mapping]] = ..., reset: _Optional[_Union[ResetResponse, _Mapping]] = ..., step: _Optional[_Union[StepResponse, _Mapping]] = ..., step_stream: _Optional[_Union[StepStreamResponse, _Mapping]] = ..., get_state: _Optional[_Union[GetStateResponse, _Mapping]] = ..., interrupt: _Optional[_Union[InterruptResponse, _Mapping]] = ..., close: _Optional[_Union[CloseResponse, _Mapping]] = ..., detach: _Optional[_Union[SessionDetached, _Mapping]] = ..., fork: _Optional[_Union[ForkResponse, _Mapping]] = ..., checkpoint: _Optional[_Union[CheckpointResponse, _Mapping]] = ..., rollback: _Optional[_Union[RollbackResponse, _Mapping]] = ..., evaluate: _Optional[_Union[EvaluateResponse, _Mapping]] = ..., drop_checkpoint: _Optional[_Union[DropCheckpointResponse, _Mapping]] = ..., list_checkpoints: _Optional[_Union[ListCheckpointsResponse, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class SessionOpen(_message.Message):
    __slots__ = ("session_id",)
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    def __init__(self, session_id: _Optional[str] = ...) -> None: ...

class SessionOpened(_message.Message):
    __slots__ = ("session_id", "server_id", "resumed")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    SERVER_ID_FIELD_NUMBER: _ClassVar[int]
    RESUMED_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    server_id: str
    resumed: bool
    def __init__(self, session_id: _Optional[str] = ..., server_id: _Optional[str] = ..., resumed: bool = ...) -> None: ...

class SessionDetach(_message.Message):
    __slots__ = ("episode_ids",)
    EPISODE_IDS_FIELD_NUMBER: _ClassVar[int]
    episode_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, episode_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class SessionDetached(_message.Message):
    __slots__ = ("episode_ids",)
    EPISODE_IDS_FIELD_NUMBER: _ClassVar[int]
    episode_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, episode_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class ForkRequest(_message.Message):
    __slots__ = ("episode_id", "count", "child_ids", "random", "seeds", "limits", "allow_partial", "step_index")
    EPISODE_ID_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    CHILD_IDS_FIELD_NUMBER: _ClassVar[int]
    RANDOM_FIELD_NUMBER: _ClassVar[int]
    SEEDS_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    ALLOW_PARTIAL_FIELD_NUMBER: _ClassVar[int]
    STEP_INDEX_FIELD_NUMBER: _ClassVar[int]
    episode_id: str
    count: int
    child_ids: _containers.RepeatedScalarFieldContainer[str]
    random: RandomState
    seeds: _containers.RepeatedScalarFieldContainer[int]
    limits: Limits
    allow_partial: bool
    step_index: int
    def __init__(self, episode_id: _Optional[str] = ..., count: _Optional[int] = ..., child_ids: _Optional[_Iterable[str]] = ..., random: _Optional[_Union[RandomState, str]] = ..., seeds: _Optional[_Iterable[int]] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., allow_partial: bool = ..., step_index: _Optional[int] = ...) -> None: ...

class ForkResponse(_message.Message):
    __slots__ = ("children", "parent", "server_id")
    CHILDREN_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    SERVER_ID_FIELD_NUMBER: _ClassVar[int]
    children: _containers.RepeatedCompositeFieldContainer[ForkedChild]
    parent: CodeState
    server_id: str
    def __init__(self, children: _Optional[_Iterable[_Union[ForkedChild, _Mapping]]] = ..., parent: _Optional[_Union[CodeState, _Mapping]] = ..., server_id: _Optional[str] = ...) -> None: ...

class ForkedChild(_message.Message):
    __slots__ = ("episode_id", "state", "limits", "error")
    EPISODE_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    episode_id: str
    state: CodeState
    limits: Limits
    error: _status_pb2.Status
    def __init__(self, episode_id: _Optional[str] = ..., state: _Optional[_Union[CodeState, _Mapping]] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class ForkOrigin(_message.Message):
    __slots__ = ("parent_episode_id", "step_count", "depth")
    PARENT_EPISODE_ID_FIELD_NUMBER: _ClassVar[int]
    STEP_COUNT_FIELD_NUMBER: _ClassVar[int]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    parent_episode_id: str
    step_count: int
    depth: int
    def __init__(self, parent_episode_id: _Optional[str] = ..., step_count: _Optional[int] = ..., depth: _Optional[int] = ...) -> None: ...

class CheckpointRequest(_message.Message):
    __slots__ = ("episode_id", "name", "on_full", "step_index")
    EPISODE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ON_FULL_FIELD_NUMBER: _ClassVar[int]
    STEP_INDEX_FIELD_NUMBER: _ClassVar[int]
    episode_id: str
    name: str
    on_full: OnFull
    step_index: int
    def __init__(self, episode_id: _Optional[str] = ..., name: _Optional[str] = ..., on_full: _Optional[_Union[OnFull, str]] = ..., step_index: _Optional[int] = ...) -> None: ...

class CheckpointResponse(_message.Message):
    __slots__ = ("checkpoint", "created", "dropped", "state", "server_id")
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SERVER_ID_FIELD_NUMBER: _ClassVar[int]
    checkpoint: CheckpointInfo
    created: bool
    dropped: _containers.RepeatedScalarFieldContainer[str]
    state: CodeState
    server_id: str
    def __init__(self, checkpoint: _Optional[_Union[CheckpointInfo, _Mapping]] = ..., created: bool = ..., dropped: _Optional[_Iterable[str]] = ..., state: _Optional[_Union[CodeState, _Mapping]] = ..., server_id: _Optional[str] = ...) -> None: ...

class CheckpointInfo(_message.Message):
    __slots__ = ("name", "step_count", "create_time", "private_bytes")
    NAME_FIELD_NUMBER: _ClassVar[int]
    STEP_COUNT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    PRIVATE_BYTES_FIELD_NUMBER: _ClassVar[int]
    name: str
    step_count: int
    create_time: _timestamp_pb2.Timestamp
    private_bytes: int
    def __init__(self, name: _Optional[str] = ..., step_count: _Optional[int] = ..., create_time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., private_bytes: _Optional[int] = ...) -> None: ...

class RollbackRequest(_message.Message):
    __slots__ = ("episode_id", "name", "step_index", "random")
    EPISODE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    STEP_INDEX_FIELD_NUMBER: _ClassVar[int]
    RANDOM_FIELD_NUMBER: _ClassVar[int]
    episode_id: str
    name: str
    step_index: int
    random: RandomState
    def __init__(self, episode_id: _Optional[str] = ..., name: _Optional[str] = ..., step_index: _Optional[int] = ..., random: _Optional[_Union[RandomState, str]] = ...) -> None: ...

class RollbackResponse(_message.Message):
    __slots__ = ("checkpoint", "state", "server_id")
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SERVER_ID_FIELD_NUMBER: _ClassVar[int]
    checkpoint: CheckpointInfo
    state: CodeState
    server_id: str
    def __init__(self, checkpoint: _Optional[_Union[CheckpointInfo, _Mapping]] = ..., state: _Optional[_Union[CodeState, _Mapping]] = ..., server_id: _Optional[str] = ...) -> None: ...

class ListCheckpointsRequest(_message.Message):
    __slots__ = ("episode_id",)
    EPISODE_ID_FIELD_NUMBER: _ClassVar[int]
    episode_id: str
    def __init__(self, episode_id: _Optional[str] = ...) -> None: ...

class ListCheckpointsResponse(_message.Message):
    __slots__ = ("checkpoints", "server_id")
    CHECKPOINTS_FIELD_NUMBER: _ClassVar[int]
    SERVER_ID_FIELD_NUMBER: _ClassVar[int]
    checkpoints: _containers.RepeatedCompositeFieldContainer[CheckpointInfo]
    server_id: str
    def __init__(self, checkpoints: _Optional[_Iterable[_Union[CheckpointInfo, _Mapping]]] = ..., server_id: _Optional[str] = ...) -> None: ...

class DropCheckpointRequest(_message.Message):
    __slots__ = ("episode_id", "name")
    EPISODE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    episode_id: str
    name: str
    def __init__(self, episode_id: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class DropCheckpointResponse(_message.Message):
    __slots__ = ("dropped", "server_id")
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    SERVER_ID_FIELD_NUMBER: _ClassVar[int]
    dropped: bool
    server_id: str
    def __init__(self, dropped: bool = ..., server_id: _Optional[str] = ...) -> None: ...

class EvaluateRequest(_message.Message):
    __slots__ = ("episode_id", "evaluations", "random", "step_index", "max_reply_bytes")
    EPISODE_ID_FIELD_NUMBER: _ClassVar[int]
    EVALUATIONS_FIELD_NUMBER: _ClassVar[int]
    RANDOM_FIELD_NUMBER: _ClassVar[int]
    STEP_INDEX_FIELD_NUMBER: _ClassVar[int]
    MAX_REPLY_BYTES_FIELD_NUMBER: _ClassVar[int]
    episode_id: str
    evaluations: _containers.RepeatedCompositeFieldContainer[Evaluation]
    random: RandomState
    step_index: int
    max_reply_bytes: int
    def __init__(self, episode_id: _Optional[str] = ..., evaluations: _Optional[_Iterable[_Union[Evaluation, _Mapping]]] = ..., random: _Optional[_Union[RandomState, str]] = ..., step_index: _Optional[int] = ..., max_reply_bytes: _Optional[int] = ...) -> None: ...

class Evaluation(_message.Message):
    __slots__ = ("action", "timeout", "limits", "checks", "call_timeout")
    ACTION_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    CALL_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    action: CodeAction
    timeout: _duration_pb2.Duration
    limits: StepLimits
    checks: _containers.RepeatedCompositeFieldContainer[Check]
    call_timeout: _duration_pb2.Duration
    def __init__(self, action: _Optional[_Union[CodeAction, _Mapping]] = ..., timeout: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., limits: _Optional[_Union[StepLimits, _Mapping]] = ..., checks: _Optional[_Iterable[_Union[Check, _Mapping]]] = ..., call_timeout: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Check(_message.Message):
    __slots__ = ("stdout", "calls", "tests", "weight")
    STDOUT_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    TESTS_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    stdout: StdoutCheck
    calls: CallCheck
    tests: TestCheck
    weight: int
    def __init__(self, stdout: _Optional[_Union[StdoutCheck, _Mapping]] = ..., calls: _Optional[_Union[CallCheck, _Mapping]] = ..., tests: _Optional[_Union[TestCheck, _Mapping]] = ..., weight: _Optional[int] = ...) -> None: ...

class StdoutCheck(_message.Message):
    __slots__ = ("expected", "comparison", "absolute_tolerance", "relative_tolerance")
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    COMPARISON_FIELD_NUMBER: _ClassVar[int]
    ABSOLUTE_TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    RELATIVE_TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    expected: str
    comparison: TextComparison
    absolute_tolerance: float
    relative_tolerance: float
    def __init__(self, expected: _Optional[str] = ..., comparison: _Optional[_Union[TextComparison, str]] = ..., absolute_tolerance: _Optional[float] = ..., relative_tolerance: _Optional[float] = ...) -> None: ...

class CallCheck(_message.Message):
    __slots__ = ("function", "calls")
    FUNCTION_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    function: str
    calls: _containers.RepeatedCompositeFieldContainer[Call]
    def __init__(self, function: _Optional[str] = ..., calls: _Optional[_Iterable[_Union[Call, _Mapping]]] = ...) -> None: ...

class Call(_message.Message):
    __slots__ = ("args_json", "kwargs_json", "expected_json", "absolute_tolerance", "relative_tolerance")
    ARGS_JSON_FIELD_NUMBER: _ClassVar[int]
    KWARGS_JSON_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_JSON_FIELD_NUMBER: _ClassVar[int]
    ABSOLUTE_TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    RELATIVE_TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    args_json: str
    kwargs_json: str
    expected_json: str
    absolute_tolerance: float
    relative_tolerance: float
    def __init__(self, args_json: _Optional[str] = ..., kwargs_json: _Optional[str] = ..., expected_json: _Optional[str] = ..., absolute_tolerance: _Optional[float] = ..., relative_tolerance: _Optional[float] = ...) -> None: ...

class TestCheck(_message.Message):
    __slots__ = ("source",)
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    source: str
    def __init__(self, source: _Optional[str] = ...) -> None: ...

class EvaluateResponse(_message.Message):
    __slots__ = ("results", "state", "server_id")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SERVER_ID_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[EvaluationResult]
    state: CodeState
    server_id: str
    def __init__(self, results: _Optional[_Iterable[_Union[EvaluationResult, _Mapping]]] = ..., state: _Optional[_Union[CodeState, _Mapping]] = ..., server_id: _Optional[str] = ...) -> None: ...

class EvaluationResult(_message.Message):
    __slots__ = ("observation", "outcome", "reported", "observed", "timeout", "checks", "score", "claimed_score")
    OBSERVATION_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REPORTED_FIELD_NUMBER: _ClassVar[int]
    OBSERVED_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    CLAIMED_SCORE_FIELD_NUMBER: _ClassVar[int]
    observation: CodeObservation
    outcome: Outcome
    reported: Reported
    observed: Observed
    timeout: _duration_pb2.Duration
    checks: _containers.RepeatedCompositeFieldContainer[CheckResult]
    score: float
    claimed_score: float
    def __init__(self, observation: _Optional[_Union[CodeObservation, _Mapping]] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., reported: _Optional[_Union[Reported, _Mapping]] = ..., observed: _Optional[_Union[Observed, _Mapping]] = ..., timeout: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., checks: _Optional[_Iterable[_Union[CheckResult, _Mapping]]] = ..., score: _Optional[float] = ..., claimed_score: _Optional[float] = ...) -> None: ...

class CheckResult(_message.Message):
    __slots__ = ("passed", "total", "score", "claimed", "failures")
    PASSED_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    CLAIMED_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    passed: int
    total: int
    score: float
    claimed: bool
    failures: _containers.RepeatedCompositeFieldContainer[CheckFailure]
    def __init__(self, passed: _Optional[int] = ..., total: _Optional[int] = ..., score: _Optional[float] = ..., claimed: bool = ..., failures: _Optional[_Iterable[_Union[CheckFailure, _Mapping]]] = ...) -> None: ...

class CheckFailure(_message.Message):
    __slots__ = ("index", "name", "outcome", "description")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    index: int
    name: str
    outcome: Outcome
    description: str
    def __init__(self, index: _Optional[int] = ..., name: _Optional[str] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., description: _Optional[str] = ...) -> None: ...

class ForkFacts(_message.Message):
    __slots__ = ("available", "detail", "memory_separated", "files_separated", "signals_separated", "tracing_separated", "channel_private", "same_paths", "depth_max")
    AVAILABLE_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    MEMORY_SEPARATED_FIELD_NUMBER: _ClassVar[int]
    FILES_SEPARATED_FIELD_NUMBER: _ClassVar[int]
    SIGNALS_SEPARATED_FIELD_NUMBER: _ClassVar[int]
    TRACING_SEPARATED_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_PRIVATE_FIELD_NUMBER: _ClassVar[int]
    SAME_PATHS_FIELD_NUMBER: _ClassVar[int]
    DEPTH_MAX_FIELD_NUMBER: _ClassVar[int]
    available: bool
    detail: str
    memory_separated: bool
    files_separated: bool
    signals_separated: bool
    tracing_separated: bool
    channel_private: bool
    same_paths: bool
    depth_max: int
    def __init__(self, available: bool = ..., detail: _Optional[str] = ..., memory_separated: bool = ..., files_separated: bool = ..., signals_separated: bool = ..., tracing_separated: bool = ..., channel_private: bool = ..., same_paths: bool = ..., depth_max: _Optional[int] = ...) -> None: ...

class ForkLimits(_message.Message):
    __slots__ = ("children", "checkpoints", "checkpoint_bytes", "server_checkpoints", "server_checkpoint_bytes", "evaluations", "checks", "calls", "on_failure")
    CHILDREN_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINTS_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_BYTES_FIELD_NUMBER: _ClassVar[int]
    SERVER_CHECKPOINTS_FIELD_NUMBER: _ClassVar[int]
    SERVER_CHECKPOINT_BYTES_FIELD_NUMBER: _ClassVar[int]
    EVALUATIONS_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    ON_FAILURE_FIELD_NUMBER: _ClassVar[int]
    children: int
    checkpoints: int
    checkpoint_bytes: int
    server_checkpoints: int
    server_checkpoint_bytes: int
    evaluations: int
    checks: int
    calls: int
    on_failure: OnFailure
    def __init__(self, children: _Optional[int] = ..., checkpoints: _Optional[int] = ..., checkpoint_bytes: _Optional[int] = ..., server_checkpoints: _Optional[int] = ..., server_checkpoint_bytes: _Optional[int] = ..., evaluations: _Optional[int] = ..., checks: _Optional[int] = ..., calls: _Optional[int] = ..., on_failure: _Optional[_Union[OnFailure, str]] = ...) -> None: ...
