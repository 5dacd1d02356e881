// The contract of coding-env: Python episodes for reinforcement learning and agents, over gRPC.
//
// The words MUST, SHOULD and MAY are used as in RFC 2119. Sizes are bytes. Durations are
// google.protobuf.Duration and have a range and a default where they are set. Enumerations may grow:
// a client MUST treat a value that it does not know as the zero value. The names Reset, Step and
// GetState are the environment's own words (OpenEnv's coding_env), not verb-noun pairs as in AIP-136.
//
// Errors. What user code does never causes a gRPC error: it is an outcome in an OK reply. An error is
// a refusal or a fault of the server, and carries google.rpc.ErrorInfo with domain "coding_env" and one
// of these reasons; every value in its message is in ErrorInfo.metadata too:
//
//   INVALID_ARGUMENT     INVALID_FIELD (with google.rpc.BadRequest: all violations at once)
//   NOT_FOUND            EPISODE_NOT_FOUND, EPISODE_CLOSED, EPISODE_EXPIRED, EPISODE_SERVER_GONE, CHECKPOINT_NOT_FOUND
//   ALREADY_EXISTS       EPISODE_EXISTS, CHECKPOINT_EXISTS
//   FAILED_PRECONDITION  EPISODE_LOST, STEP_OUT_OF_ORDER, STEP_REPLY_DROPPED, FILES_REFUSED, FORK_UNSUPPORTED, FORK_TOO_LARGE, FORK_DEPTH_LIMIT
//   ABORTED              EPISODE_ENDED, SESSION_TAKEN_OVER, FILES_STALLED
//   RESOURCE_EXHAUSTED   EPISODE_LIMIT, STEP_LIMIT, STEP_QUEUE_FULL, SESSION_LIMIT, FILES_LIMIT, CHECKPOINT_LIMIT (with google.rpc.RetryInfo, but for
//                        the last: it is for the caller to make room)
//   UNAVAILABLE          NO_WORKER, FORK_FAILED, SHUTTING_DOWN (with google.rpc.RetryInfo, but for a FORK_FAILED that another try would
//                        most likely meet again)
//   UNAUTHENTICATED      TOKEN_INVALID
//   DEADLINE_EXCEEDED    DEADLINE
//   INTERNAL             INTERNAL (a generic text; the cause is in the server's log under the same id,
//                        which google.rpc.RequestInfo carries)
//
// A status travels in headers, which clients bound: of very many violations the first 2 KiB are told, and how
// many more there are.
//
// Three errors come from the gRPC library and carry no ErrorInfo: a request larger than the server
// decodes (source maximum + 1 MiB; OUT_OF_RANGE), one that is no valid message (INTERNAL), and an RPC that
// the server does not have (UNIMPLEMENTED).
//
// Tokens. A server may take requests with a bearer token alone: the request header "authorization" with
// "Bearer TOKEN". Any RPC without one that is in force is TOKEN_INVALID, which does not say what was
// wrong and bears no server_id. An episode belongs to the name of the token that made it. To other names
// it does not exist: its id is EPISODE_NOT_FOUND to them, and may be that of an episode of theirs.
//
// Routing. Each server has a server_id. It is in the replies and in the response header
// "x-coding-env-server". A client SHOULD keep it with the episode and send it back as the request
// header "x-coding-env-server" on every call for that episode, so that a proxy can route by it; and
// "x-episode-id" with the episode's id, for logs.
//
// Files. An episode's workspace is the directory that its program starts in. A path of a file is relative to it: components with "/"
// between, none of them empty, "." or "..", each of at most 255 bytes, at most FileLimits.depth of them and FileLimits.path_bytes in all.
// `path` is for names that are UTF-8, `raw_path` for others; one of the two is set. The server works with the episode's own rights, never
// follows a link, reads from nothing but regular files, and takes no size for true that it has not read.
//
// Copies. Fork, Checkpoint, Evaluate and a Step that rolls back copy a live interpreter, as fork(2) does, between two of its steps. What a copy has:
//
//   heap, modules, functions      as they were; pages are shared until one side writes
//   environment, working directory, umask, signal handlers, memory maps   as they were
//   random state                  RandomState; kernel entropy (`secrets`, `os.urandom`, `uuid4`) is always fresh. Generators that the program
//                                 holds itself (`random.Random()`, `numpy.random.default_rng()`) are copied as they are
//   files of the workspace        its own copy of the episode's files, at the same paths where ForkFacts.same_paths says so; with their modes,
//                                 times and links; bounded (FORK_TOO_LARGE)
//   open files                    open, at the same offsets, on the copy's own files; duplicates of a descriptor share theirs
//   id, ledger of steps           step_count and last_exit_code as they were: its next step has the parent's next index. Replies of
//                                 earlier steps are the parent's alone (STEP_REPLY_DROPPED)
//   limits                        the parent's, or lower ones; what they count begins anew
//   running threads, child processes, sockets, an event loop that runs, pipes between processes, GPU contexts   not copied: FORK_UNSUPPORTED
//                                 names each that is in the way, and nothing is changed
//   output not yet told           stays the parent's
//
// A copy lives by itself: it goes on when its parent ends, and its end is seen by nobody else. What the host keeps apart between copies of
// one tree is told by GetServerInfoResponse.fork.

// Code generated by protoc-gen-go. DO NOT EDIT.
// versions:
// 	protoc-gen-go v1.36.12
// 	protoc        (unknown)
// source: coding_env/v1/coding_env.proto

package codingenvv1

import (
	status "google.golang.org/genproto/googleapis/rpc/status"
	protoreflect "google.golang.org/protobuf/reflect/protoreflect"
	protoimpl "google.golang.org/protobuf/runtime/protoimpl"
	durationpb "google.golang.org/protobuf/types/known/durationpb"
	timestamppb "google.golang.org/protobuf/types/known/timestamppb"
	reflect "reflect"
	sync "sync"
	unsafe "unsafe"
)

const (
	// Verify that this generated code is sufficiently up-to-date.
	_ = protoimpl.EnforceVersion(20 - protoimpl.MinVersion)
	// Verify that runtime/protoimpl is sufficiently up-to-date.
	_ = protoimpl.EnforceVersion(protoimpl.MaxVersion - 20)
)

// How a step ended. May grow.
type Outcome int32

const (
	// Not set. Not used in replies.
	Outcome_OUTCOME_UNSPECIFIED Outcome = 0
	// The code ran to its end.
	Outcome_OUTCOME_COMPLETED Outcome = 1
	// An uncaught exception, or a syntax error.
	Outcome_OUTCOME_RAISED Outcome = 2
	// `sys.exit` or another SystemExit; the interpreter stays.
	Outcome_OUTCOME_EXITED Outcome = 3
	// Ended by Interrupt.
	Outcome_OUTCOME_INTERRUPTED Outcome = 4
	// Ran longer than its timeout.
	Outcome_OUTCOME_TIMED_OUT Outcome = 5
	// The server, or for its sake the kernel, ended it or one of its processes because of another limit: Observed.limit.
	Outcome_OUTCOME_LIMIT_EXCEEDED Outcome = 6
	// The interpreter process ended: `os._exit`, a signal, a crash.
	Outcome_OUTCOME_KILLED Outcome = 7
	// The program broke the channel between interpreter and server: a malformed report, or more than one.
	Outcome_OUTCOME_PROTOCOL_VIOLATION Outcome = 8
)

// Enum value maps for Outcome.
var (
	Outcome_name = map[int32]string{
		0: "OUTCOME_UNSPECIFIED",
		1: "OUTCOME_COMPLETED",
		2: "OUTCOME_RAISED",
		3: "OUTCOME_EXITED",
		4: "OUTCOME_INTERRUPTED",
		5: "OUTCOME_TIMED_OUT",
		6: "OUTCOME_LIMIT_EXCEEDED",
		7: "OUTCOME_KILLED",
		8: "OUTCOME_PROTOCOL_VIOLATION",
	}
	Outcome_value = map[string]int32{
		"OUTCOME_UNSPECIFIED":        0,
		"OUTCOME_COMPLETED":          1,
		"OUTCOME_RAISED":             2,
		"OUTCOME_EXITED":             3,
		"OUTCOME_INTERRUPTED":        4,
		"OUTCOME_TIMED_OUT":          5,
		"OUTCOME_LIMIT_EXCEEDED":     6,
		"OUTCOME_KILLED":             7,
		"OUTCOME_PROTOCOL_VIOLATION": 8,
	}
)

func (x Outcome) Enum() *Outcome {
	p := new(Outcome)
	*p = x
	return p
}

func (x Outcome) String() string {
	return protoimpl.X.EnumStringOf(x.Descriptor(), protoreflect.EnumNumber(x))
}

func (Outcome) Descriptor() protoreflect.EnumDescriptor {
	return file_coding_env_v1_coding_env_proto_enumTypes[0].Descriptor()
}

func (Outcome) Type() protoreflect.EnumType {
	return &file_coding_env_v1_coding_env_proto_enumTypes[0]
}

func (x Outcome) Number() protoreflect.EnumNumber {
	return protoreflect.EnumNumber(x)
}

// Deprecated: Use Outcome.Descriptor instead.
func (Outcome) EnumDescriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{0}
}

// Whether the variables of an episode are still there. May grow.
type StateAfter int32

const (
	// Not set. Not used in replies.
	StateAfter_STATE_AFTER_UNSPECIFIED StateAfter = 0
	// As the step left them.
	StateAfter_STATE_AFTER_INTACT StateAfter = 1
	// As before the step: StepRequest.on_failure. The next Step goes on from there.
	StateAfter_STATE_AFTER_ROLLED_BACK StateAfter = 2
	// Gone: the next Step is EPISODE_LOST.
	StateAfter_STATE_AFTER_LOST StateAfter = 3
)

// Enum value maps for StateAfter.
var (
	StateAfter_name = map[int32]string{
		0: "STATE_AFTER_UNSPECIFIED",
		1: "STATE_AFTER_INTACT",
		2: "STATE_AFTER_ROLLED_BACK",
		3: "STATE_AFTER_LOST",
	}
	StateAfter_value = map[string]int32{
		"STATE_AFTER_UNSPECIFIED": 0,
		"STATE_AFTER_INTACT":      1,
		"STATE_AFTER_ROLLED_BACK": 2,
		"STATE_AFTER_LOST":        3,
	}
)

func (x StateAfter) Enum() *StateAfter {
	p := new(StateAfter)
	*p = x
	return p
}

func (x StateAfter) String() string {
	return protoimpl.X.EnumStringOf(x.Descriptor(), protoreflect.EnumNumber(x))
}

func (StateAfter) Descriptor() protoreflect.EnumDescriptor {
	return file_coding_env_v1_coding_env_proto_enumTypes[1].Descriptor()
}

func (StateAfter) Type() protoreflect.EnumType {
	return &file_coding_env_v1_coding_env_proto_enumTypes[1]
}

func (x StateAfter) Number() protoreflect.EnumNumber {
	return protoreflect.EnumNumber(x)
}

// Deprecated: Use StateAfter.Descriptor instead.
func (StateAfter) EnumDescriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{1}
}

// Where an episode is in its life. May grow.
type EpisodeStatus int32

const (
	// Not set. Not used in replies.
	EpisodeStatus_EPISODE_STATUS_UNSPECIFIED EpisodeStatus = 0
	// Waits for a step.
	EpisodeStatus_EPISODE_STATUS_IDLE EpisodeStatus = 1
	// A step runs.
	EpisodeStatus_EPISODE_STATUS_RUNNING EpisodeStatus = 2
	// Its interpreter is gone; see Loss.
	EpisodeStatus_EPISODE_STATUS_LOST EpisodeStatus = 3
	// Waits for a step; its threads used more than ServerLimits.background_cpu_time and are stopped until then.
	EpisodeStatus_EPISODE_STATUS_FROZEN EpisodeStatus = 4
)

// Enum value maps for EpisodeStatus.
var (
	EpisodeStatus_name = map[int32]string{
		0: "EPISODE_STATUS_UNSPECIFIED",
		1: "EPISODE_STATUS_IDLE",
		2: "EPISODE_STATUS_RUNNING",
		3: "EPISODE_STATUS_LOST",
		4: "EPISODE_STATUS_FROZEN",
	}
	EpisodeStatus_value = map[string]int32{
		"EPISODE_STATUS_UNSPECIFIED": 0,
		"EPISODE_STATUS_IDLE":        1,
		"EPISODE_STATUS_RUNNING":     2,
		"EPISODE_STATUS_LOST":        3,
		"EPISODE_STATUS_FROZEN":      4,
	}
)

func (x EpisodeStatus) Enum() *EpisodeStatus {
	p := new(EpisodeStatus)
	*p = x
	return p
}

func (x EpisodeStatus) String() string {
	return protoimpl.X.EnumStringOf(x.Descriptor(), protoreflect.EnumNumber(x))
}

func (EpisodeStatus) Descriptor() protoreflect.EnumDescriptor {
	return file_coding_env_v1_coding_env_proto_enumTypes[2].Descriptor()
}

func (EpisodeStatus) Type() protoreflect.EnumType {
	return &file_coding_env_v1_coding_env_proto_enumTypes[2]
}

func (x EpisodeStatus) Number() protoreflect.EnumNumber {
	return protoreflect.EnumNumber(x)
}

// Deprecated: Use EpisodeStatus.Descriptor instead.
func (EpisodeStatus) EnumDescriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{2}
}

// A limit that a step can run into. May grow.
type LimitKind int32

const (
	// None did.
	LimitKind_LIMIT_KIND_UNSPECIFIED LimitKind = 0
	// StepRequest.timeout, or Limits.step_timeout.
	LimitKind_LIMIT_KIND_STEP_TIMEOUT LimitKind = 1
	// Limits.step_cpu_time.
	LimitKind_LIMIT_KIND_CPU_TIME LimitKind = 2
	// Limits.total_memory_bytes: the kernel ended processes of the episode.
	LimitKind_LIMIT_KIND_MEMORY LimitKind = 3
	// Limits.processes: a fork or a thread was refused. It ends no step by itself.
	LimitKind_LIMIT_KIND_PROCESSES LimitKind = 4
)

// Enum value maps for LimitKind.
var (
	LimitKind_name = map[int32]string{
		0: "LIMIT_KIND_UNSPECIFIED",
		1: "LIMIT_KIND_STEP_TIMEOUT",
		2: "LIMIT_KIND_CPU_TIME",
		3: "LIMIT_KIND_MEMORY",
		4: "LIMIT_KIND_PROCESSES",
	}
	LimitKind_value = map[string]int32{
		"LIMIT_KIND_UNSPECIFIED":  0,
		"LIMIT_KIND_STEP_TIMEOUT": 1,
		"LIMIT_KIND_CPU_TIME":     2,
		"LIMIT_KIND_MEMORY":       3,
		"LIMIT_KIND_PROCESSES":    4,
	}
)

func (x LimitKind) Enum() *LimitKind {
	p := new(LimitKind)
	*p = x
	return p
}

func (x LimitKind) String() string {
	return protoimpl.X.EnumStringOf(x.Descriptor(), protoreflect.EnumNumber(x))
}

func (LimitKind) Descriptor() protoreflect.EnumDescriptor {
	return file_coding_env_v1_coding_env_proto_enumTypes[3].Descriptor()
}

func (LimitKind) Type() protoreflect.EnumType {
	return &file_coding_env_v1_coding_env_proto_enumTypes[3]
}

func (x LimitKind) Number() protoreflect.EnumNumber {
	return protoreflect.EnumNumber(x)
}

// Deprecated: Use LimitKind.Descriptor instead.
func (LimitKind) EnumDescriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{3}
}

// Whose usage was measured. May grow.
type UsageScope int32

const (
	// Not set.
	UsageScope_USAGE_SCOPE_UNSPECIFIED UsageScope = 0
	// The interpreter process, all its threads, without its children.
	UsageScope_USAGE_SCOPE_WORKER UsageScope = 1
	// The whole process tree of the episode.
	UsageScope_USAGE_SCOPE_TREE UsageScope = 2
)

// Enum value maps for UsageScope.
var (
	UsageScope_name = map[int32]string{
		0: "USAGE_SCOPE_UNSPECIFIED",
		1: "USAGE_SCOPE_WORKER",
		2: "USAGE_SCOPE_TREE",
	}
	UsageScope_value = map[string]int32{
		"USAGE_SCOPE_UNSPECIFIED": 0,
		"USAGE_SCOPE_WORKER":      1,
		"USAGE_SCOPE_TREE":        2,
	}
)

func (x UsageScope) Enum() *UsageScope {
	p := new(UsageScope)
	*p = x
	return p
}

func (x UsageScope) String() string {
	return protoimpl.X.EnumStringOf(x.Descriptor(), protoreflect.EnumNumber(x))
}

func (UsageScope) Descriptor() protoreflect.EnumDescriptor {
	return file_coding_env_v1_coding_env_proto_enumTypes[4].Descriptor()
}

func (UsageScope) Type() protoreflect.EnumType {
	return &file_coding_env_v1_coding_env_proto_enumTypes[4]
}

func (x UsageScope) Number() protoreflect.EnumNumber {
	return protoreflect.EnumNumber(x)
}

// Deprecated: Use UsageScope.Descriptor instead.
func (UsageScope) EnumDescriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{4}
}

// How strongly episodes are separated. May grow.
type IsolationLevel int32

const (
	// Not set.
	IsolationLevel_ISOLATION_LEVEL_UNSPECIFIED IsolationLevel = 0
	// A process of its own with resource limits, and nothing else: an episode can do what the server's user
	// can do.
	IsolationLevel_ISOLATION_LEVEL_NONE IsolationLevel = 1
	// A Landlock domain per episode (files, TCP, signals, tracing), a filter of system calls, and a private directory: what a
	// container without privilege allows. The host's processes and mounts are there, but closed to the episode.
	IsolationLevel_ISOLATION_LEVEL_LANDLOCK IsolationLevel = 2
	// Namespaces of its own per episode (processes, mounts, System V objects), an empty network and a minimal read-only root, and
	// what level landlock has where the kernel has it.
	IsolationLevel_ISOLATION_LEVEL_NAMESPACE IsolationLevel = 3
)

// Enum value maps for IsolationLevel.
var (
	IsolationLevel_name = map[int32]string{
		0: "ISOLATION_LEVEL_UNSPECIFIED",
		1: "ISOLATION_LEVEL_NONE",
		2: "ISOLATION_LEVEL_LANDLOCK",
		3: "ISOLATION_LEVEL_NAMESPACE",
	}
	IsolationLevel_value = map[string]int32{
		"ISOLATION_LEVEL_UNSPECIFIED": 0,
		"ISOLATION_LEVEL_NONE":        1,
		"ISOLATION_LEVEL_LANDLOCK":    2,
		"ISOLATION_LEVEL_NAMESPACE":   3,
	}
)

func (x IsolationLevel) Enum() *IsolationLevel {
	p := new(IsolationLevel)
	*p = x
	return p
}

func (x IsolationLevel) String() string {
	return protoimpl.X.EnumStringOf(x.Descriptor(), protoreflect.EnumNumber(x))
}

func (IsolationLevel) Descriptor() protoreflect.EnumDescriptor {
	return file_coding_env_v1_coding_env_proto_enumTypes[5].Descriptor()
}

func (IsolationLevel) Type() protoreflect.EnumType {
	return &file_coding_env_v1_coding_env_proto_enumTypes[5]
}

func (x IsolationLevel) Number() protoreflect.EnumNumber {
	return protoreflect.EnumNumber(x)
}

// Deprecated: Use IsolationLevel.Descriptor instead.
func (IsolationLevel) EnumDescriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{5}
}

// The network that an episode has: never the host's. May grow.
type Network int32

const (
	// As NETWORK_NONE.
	Network_NETWORK_UNSPECIFIED Network = 0
	// None: sockets can't be made, but for pairs within the episode.
	Network_NETWORK_NONE Network = 1
	// A network of its own with the loopback interface alone: the episode can serve and call itself.
	Network_NETWORK_LOOPBACK Network = 2
)

// Enum value maps for Network.
var (
	Network_name = map[int32]string{
		0: "NETWORK_UNSPECIFIED",
		1: "NETWORK_NONE",
		2: "NETWORK_LOOPBACK",
	}
	Network_value = map[string]int32{
		"NETWORK_UNSPECIFIED": 0,
		"NETWORK_NONE":        1,
		"NETWORK_LOOPBACK":    2,
	}
)

func (x Network) Enum() *Network {
	p := new(Network)
	*p = x
	return p
}

func (x Network) String() string {
	return protoimpl.X.EnumStringOf(x.Descriptor(), protoreflect.EnumNumber(x))
}

func (Network) Descriptor() protoreflect.EnumDescriptor {
	return file_coding_env_v1_coding_env_proto_enumTypes[6].Descriptor()
}

func (Network) Type() protoreflect.EnumType {
	return &file_coding_env_v1_coding_env_proto_enumTypes[6]
}

func (x Network) Number() protoreflect.EnumNumber {
	return protoreflect.EnumNumber(x)
}

// Deprecated: Use Network.Descriptor instead.
func (Network) EnumDescriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{6}
}

// Whether a layer of isolation is in force. May grow.
type IsolationLayerState int32

const (
	// Not set.
	IsolationLayerState_ISOLATION_LAYER_STATE_UNSPECIFIED IsolationLayerState = 0
	// In force for every episode; `loopback`, for every episode that asks for it.
	IsolationLayerState_ISOLATION_LAYER_STATE_ENFORCED IsolationLayerState = 1
	// Not in force; `detail` says why.
	IsolationLayerState_ISOLATION_LAYER_STATE_MISSING IsolationLayerState = 2
)

// Enum value maps for IsolationLayerState.
var (
	IsolationLayerState_name = map[int32]string{
		0: "ISOLATION_LAYER_STATE_UNSPECIFIED",
		1: "ISOLATION_LAYER_STATE_ENFORCED",
		2: "ISOLATION_LAYER_STATE_MISSING",
	}
	IsolationLayerState_value = map[string]int32{
		"ISOLATION_LAYER_STATE_UNSPECIFIED": 0,
		"ISOLATION_LAYER_STATE_ENFORCED":    1,
		"ISOLATION_LAYER_STATE_MISSING":     2,
	}
)

func (x IsolationLayerState) Enum() *IsolationLayerState {
	p := new(IsolationLayerState)
	*p = x
	return p
}

func (x IsolationLayerState) String() string {
	return protoimpl.X.EnumStringOf(x.Descriptor(), protoreflect.EnumNumber(x))
}

func (IsolationLayerState) Descriptor() protoreflect.EnumDescriptor {
	return file_coding_env_v1_coding_env_proto_enumTypes[7].Descriptor()
}

func (IsolationLayerState) Type() protoreflect.EnumType {
	return &file_coding_env_v1_coding_env_proto_enumTypes[7]
}

func (x IsolationLayerState) Number() protoreflect.EnumNumber {
	return protoreflect.EnumNumber(x)
}

// Deprecated: Use IsolationLayerState.Descriptor instead.
func (IsolationLayerState) EnumDescriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{7}
}

// An output stream of a program. May grow.
type OutputStream int32

const (
	// Not set. Not used in responses.
	OutputStream_OUTPUT_STREAM_UNSPECIFIED OutputStream = 0
	// Standard output.
	OutputStream_OUTPUT_STREAM_STDOUT OutputStream = 1
	// Standard error.
	OutputStream_OUTPUT_STREAM_STDERR OutputStream = 2
)

// Enum value maps for OutputStream.
var (
	OutputStream_name = map[int32]string{
		0: "OUTPUT_STREAM_UNSPECIFIED",
		1: "OUTPUT_STREAM_STDOUT",
		2: "OUTPUT_STREAM_STDERR",
	}
	OutputStream_value = map[string]int32{
		"OUTPUT_STREAM_UNSPECIFIED": 0,
		"OUTPUT_STREAM_STDOUT":      1,
		"OUTPUT_STREAM_STDERR":      2,
	}
)

func (x OutputStream) Enum() *OutputStream {
	p := new(OutputStream)
	*p = x
	return p
}

func (x OutputStream) String() string {
	return protoimpl.X.EnumStringOf(x.Descriptor(), protoreflect.EnumNumber(x))
}

func (OutputStream) Descriptor() protoreflect.EnumDescriptor {
	return file_coding_env_v1_coding_env_proto_enumTypes[8].Descriptor()
}

func (OutputStream) Type() protoreflect.EnumType {
	return &file_coding_env_v1_coding_env_proto_enumTypes[8]
}

func (x OutputStream) Number() protoreflect.EnumNumber {
	return protoreflect.EnumNumber(x)
}

// Deprecated: Use OutputStream.Descriptor instead.
func (OutputStream) EnumDescriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{8}
}

// What a file is. May grow.
type FileKind int32

const (
	// Not set: in a WriteFiles as FILE_KIND_FILE.
	FileKind_FILE_KIND_UNSPECIFIED FileKind = 0
	// A regular file.
	FileKind_FILE_KIND_FILE FileKind = 1
	// A directory.
	FileKind_FILE_KIND_DIRECTORY FileKind = 2
	// A symbolic link. It is never followed.
	FileKind_FILE_KIND_LINK FileKind = 3
	// A FIFO, a socket or a device. It is never opened.
	FileKind_FILE_KIND_OTHER FileKind = 4
)

// Enum value maps for FileKind.
var (
	FileKind_name = map[int32]string{
		0: "FILE_KIND_UNSPECIFIED",
		1: "FILE_KIND_FILE",
		2: "FILE_KIND_DIRECTORY",
		3: "FILE_KIND_LINK",
		4: "FILE_KIND_OTHER",
	}
	FileKind_value = map[string]int32{
		"FILE_KIND_UNSPECIFIED": 0,
		"FILE_KIND_FILE":        1,
		"FILE_KIND_DIRECTORY":   2,
		"FILE_KIND_LINK":        3,
		"FILE_KIND_OTHER":       4,
	}
)

func (x FileKind) Enum() *FileKind {
	p := new(FileKind)
	*p = x
	return p
}

func (x FileKind) String() string {
	return protoimpl.X.EnumStringOf(x.Descriptor(), protoreflect.EnumNumber(x))
}

func (FileKind) Descriptor() protoreflect.EnumDescriptor {
	return file_coding_env_v1_coding_env_proto_enumTypes[9].Descriptor()
}

func (FileKind) Type() protoreflect.EnumType {
	return &file_coding_env_v1_coding_env_proto_enumTypes[9]
}

func (x FileKind) Number() protoreflect.EnumNumber {
	return protoreflect.EnumNumber(x)
}

// Deprecated: Use FileKind.Descriptor instead.
func (FileKind) EnumDescriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{9}
}

// What went wrong with one file. May grow.
type FileErrorKind int32

const (
	// Not set, or something that none of the others says.
	FileErrorKind_FILE_ERROR_KIND_UNSPECIFIED FileErrorKind = 0
	// There is nothing with this path.
	FileErrorKind_FILE_ERROR_KIND_NOT_FOUND FileErrorKind = 1
	// It is a link, a FIFO, a socket or a device.
	FileErrorKind_FILE_ERROR_KIND_NOT_A_FILE FileErrorKind = 2
	// It is a directory.
	FileErrorKind_FILE_ERROR_KIND_IS_A_DIRECTORY FileErrorKind = 3
	// A component before the last is no directory (a link is none), or what is to be a directory is there as something else.
	FileErrorKind_FILE_ERROR_KIND_NOT_A_DIRECTORY FileErrorKind = 4
	// It has more bytes than Limits.file_bytes, ReadFilesRequest.max_file_bytes or what is left of FileLimits.bytes_per_call allow.
	FileErrorKind_FILE_ERROR_KIND_TOO_LARGE FileErrorKind = 5
	// The workspace is full: Limits.workspace_bytes, Limits.workspace_inodes, or the host's disk.
	FileErrorKind_FILE_ERROR_KIND_NO_SPACE FileErrorKind = 6
	// The episode's own rights don't allow it.
	FileErrorKind_FILE_ERROR_KIND_PERMISSION FileErrorKind = 7
	// The directory is not empty.
	FileErrorKind_FILE_ERROR_KIND_NOT_EMPTY FileErrorKind = 8
	// The size or the SHA-256 is not what was told.
	FileErrorKind_FILE_ERROR_KIND_MISMATCH FileErrorKind = 9
	// It did not come to its end.
	FileErrorKind_FILE_ERROR_KIND_INCOMPLETE FileErrorKind = 10
	// It lies deeper than FileLimits.depth, or its path is longer than FileLimits.path_bytes.
	FileErrorKind_FILE_ERROR_KIND_TOO_DEEP FileErrorKind = 11
)

// Enum value maps for FileErrorKind.
var (
	FileErrorKind_name = map[int32]string{
		0:  "FILE_ERROR_KIND_UNSPECIFIED",
		1:  "FILE_ERROR_KIND_NOT_FOUND",
		2:  "FILE_ERROR_KIND_NOT_A_FILE",
		3:  "FILE_ERROR_KIND_IS_A_DIRECTORY",
		4:  "FILE_ERROR_KIND_NOT_A_DIRECTORY",
		5:  "FILE_ERROR_KIND_TOO_LARGE",
		6:  "FILE_ERROR_KIND_NO_SPACE",
		7:  "FILE_ERROR_KIND_PERMISSION",
		8:  "FILE_ERROR_KIND_NOT_EMPTY",
		9:  "FILE_ERROR_KIND_MISMATCH",
		10: "FILE_ERROR_KIND_INCOMPLETE",
		11: "FILE_ERROR_KIND_TOO_DEEP",
	}
	FileErrorKind_value = map[string]int32{
		"FILE_ERROR_KIND_UNSPECIFIED":     0,
		"FILE_ERROR_KIND_NOT_FOUND":       1,
		"FILE_ERROR_KIND_NOT_A_FILE":      2,
		"FILE_ERROR_KIND_IS_A_DIRECTORY":  3,
		"FILE_ERROR_KIND_NOT_A_DIRECTORY": 4,
		"FILE_ERROR_KIND_TOO_LARGE":       5,
		"FILE_ERROR_KIND_NO_SPACE":        6,
		"FILE_ERROR_KIND_PERMISSION":      7,
		"FILE_ERROR_KIND_NOT_EMPTY":       8,
		"FILE_ERROR_KIND_MISMATCH":        9,
		"FILE_ERROR_KIND_INCOMPLETE":      10,
		"FILE_ERROR_KIND_TOO_DEEP":        11,
	}
)

func (x FileErrorKind) Enum() *FileErrorKind {
	p := new(FileErrorKind)
	*p = x
	return p
}

func (x FileErrorKind) String() string {
	return protoimpl.X.EnumStringOf(x.Descriptor(), protoreflect.EnumNumber(x))
}

func (FileErrorKind) Descriptor() protoreflect.EnumDescriptor {
	return file_coding_env_v1_coding_env_proto_enumTypes[10].Descriptor()
}

func (FileErrorKind) Type() protoreflect.EnumType {
	return &file_coding_env_v1_coding_env_proto_enumTypes[10]
}

func (x FileErrorKind) Number() protoreflect.EnumNumber {
	return protoreflect.EnumNumber(x)
}

// Deprecated: Use FileErrorKind.Descriptor instead.
func (FileErrorKind) EnumDescriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{10}
}

// What becomes of the random state of a copy: of what `seed` of a Reset reaches: `random`, numpy's global generator and torch's. May grow.
type RandomState int32

const (
	// As RANDOM_STATE_RESEED for Fork, and as RANDOM_STATE_INHERIT for Evaluate.
	RandomState_RANDOM_STATE_UNSPECIFIED RandomState = 0
	// The same stream as the parent's from here on: common random numbers.
	RandomState_RANDOM_STATE_INHERIT RandomState = 1
	// A stream of its own, independent of all others.
	RandomState_RANDOM_STATE_RESEED RandomState = 2
)

// Enum value maps for RandomState.
var (
	RandomState_name = map[int32]string{
		0: "RANDOM_STATE_UNSPECIFIED",
		1: "RANDOM_STATE_INHERIT",
		2: "RANDOM_STATE_RESEED",
	}
	RandomState_value = map[string]int32{
		"RANDOM_STATE_UNSPECIFIED": 0,
		"RANDOM_STATE_INHERIT":     1,
		"RANDOM_STATE_RESEED":      2,
	}
)

func (x RandomState) Enum() *RandomState {
	p := new(RandomState)
	*p = x
	return p
}

func (x RandomState) String() string {
	return protoimpl.X.EnumStringOf(x.Descriptor(), protoreflect.EnumNumber(x))
}

func (RandomState) Descriptor() protoreflect.EnumDescriptor {
	return file_coding_env_v1_coding_env_proto_enumTypes[11].Descriptor()
}

func (RandomState) Type() protoreflect.EnumType {
	return &file_coding_env_v1_coding_env_proto_enumTypes[11]
}

func (x RandomState) Number() protoreflect.EnumNumber {
	return protoreflect.EnumNumber(x)
}

// Deprecated: Use RandomState.Descriptor instead.
func (RandomState) EnumDescriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{11}
}

// What becomes of an episode whose step fails. May grow.
type OnFailure int32

const (
	// As ForkLimits.on_failure.
	OnFailure_ON_FAILURE_UNSPECIFIED OnFailure = 0
	// It stays as the step left it.
	OnFailure_ON_FAILURE_KEEP OnFailure = 1
	// It is put back to before the step.
	OnFailure_ON_FAILURE_ROLL_BACK OnFailure = 2
)

// Enum value maps for OnFailure.
var (
	OnFailure_name = map[int32]string{
		0: "ON_FAILURE_UNSPECIFIED",
		1: "ON_FAILURE_KEEP",
		2: "ON_FAILURE_ROLL_BACK",
	}
	OnFailure_value = map[string]int32{
		"ON_FAILURE_UNSPECIFIED": 0,
		"ON_FAILURE_KEEP":        1,
		"ON_FAILURE_ROLL_BACK":   2,
	}
)

func (x OnFailure) Enum() *OnFailure {
	p := new(OnFailure)
	*p = x
	return p
}

func (x OnFailure) String() string {
	return protoimpl.X.EnumStringOf(x.Descriptor(), protoreflect.EnumNumber(x))
}

func (OnFailure) Descriptor() protoreflect.EnumDescriptor {
	return file_coding_env_v1_coding_env_proto_enumTypes[12].Descriptor()
}

func (OnFailure) Type() protoreflect.EnumType {
	return &file_coding_env_v1_coding_env_proto_enumTypes[12]
}

func (x OnFailure) Number() protoreflect.EnumNumber {
	return protoreflect.EnumNumber(x)
}

// Deprecated: Use OnFailure.Descriptor instead.
func (OnFailure) EnumDescriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{12}
}

// What to do when there is no room for a checkpoint. May grow.
type OnFull int32

const (
	// As ON_FULL_REFUSE.
	OnFull_ON_FULL_UNSPECIFIED OnFull = 0
	// CHECKPOINT_LIMIT.
	OnFull_ON_FULL_REFUSE OnFull = 1
	// The oldest checkpoints of this episode are dropped until there is. When there is none left to drop, CHECKPOINT_LIMIT.
	OnFull_ON_FULL_DROP_OLDEST OnFull = 2
)

// Enum value maps for OnFull.
var (
	OnFull_name = map[int32]string{
		0: "ON_FULL_UNSPECIFIED",
		1: "ON_FULL_REFUSE",
		2: "ON_FULL_DROP_OLDEST",
	}
	OnFull_value = map[string]int32{
		"ON_FULL_UNSPECIFIED": 0,
		"ON_FULL_REFUSE":      1,
		"ON_FULL_DROP_OLDEST": 2,
	}
)

func (x OnFull) Enum() *OnFull {
	p := new(OnFull)
	*p = x
	return p
}

func (x OnFull) String() string {
	return protoimpl.X.EnumStringOf(x.Descriptor(), protoreflect.EnumNumber(x))
}

func (OnFull) Descriptor() protoreflect.EnumDescriptor {
	return file_coding_env_v1_coding_env_proto_enumTypes[13].Descriptor()
}

func (OnFull) Type() protoreflect.EnumType {
	return &file_coding_env_v1_coding_env_proto_enumTypes[13]
}

func (x OnFull) Number() protoreflect.EnumNumber {
	return protoreflect.EnumNumber(x)
}

// Deprecated: Use OnFull.Descriptor instead.
func (OnFull) EnumDescriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{13}
}

// How texts are compared. May grow.
type TextComparison int32

const (
	// As TEXT_COMPARISON_TRIMMED.
	TextComparison_TEXT_COMPARISON_UNSPECIFIED TextComparison = 0
	// Every character.
	TextComparison_TEXT_COMPARISON_EXACT TextComparison = 1
	// Lines, without white space at their ends and empty lines at the end of the text. CR LF is LF.
	TextComparison_TEXT_COMPARISON_TRIMMED TextComparison = 2
	// Words, whatever white space is between them.
	TextComparison_TEXT_COMPARISON_TOKENS TextComparison = 3
	// As TEXT_COMPARISON_TOKENS; where the expected word is a finite number, a finite number within the tolerances is equal to it.
	TextComparison_TEXT_COMPARISON_NUMERIC TextComparison = 4
)

// Enum value maps for TextComparison.
var (
	TextComparison_name = map[int32]string{
		0: "TEXT_COMPARISON_UNSPECIFIED",
		1: "TEXT_COMPARISON_EXACT",
		2: "TEXT_COMPARISON_TRIMMED",
		3: "TEXT_COMPARISON_TOKENS",
		4: "TEXT_COMPARISON_NUMERIC",
	}
	TextComparison_value = map[string]int32{
		"TEXT_COMPARISON_UNSPECIFIED": 0,
		"TEXT_COMPARISON_EXACT":       1,
		"TEXT_COMPARISON_TRIMMED":     2,
		"TEXT_COMPARISON_TOKENS":      3,
		"TEXT_COMPARISON_NUMERIC":     4,
	}
)

func (x TextComparison) Enum() *TextComparison {
	p := new(TextComparison)
	*p = x
	return p
}

func (x TextComparison) String() string {
	return protoimpl.X.EnumStringOf(x.Descriptor(), protoreflect.EnumNumber(x))
}

func (TextComparison) Descriptor() protoreflect.EnumDescriptor {
	return file_coding_env_v1_coding_env_proto_enumTypes[14].Descriptor()
}

func (TextComparison) Type() protoreflect.EnumType {
	return &file_coding_env_v1_coding_env_proto_enumTypes[14]
}

func (x TextComparison) Number() protoreflect.EnumNumber {
	return protoreflect.EnumNumber(x)
}

// Deprecated: Use TextComparison.Descriptor instead.
func (TextComparison) EnumDescriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{14}
}

// Asks for a fresh episode. An empty message is valid.
type ResetRequest struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The id of the new episode: 1 to 128 of [A-Za-z0-9_-]. Clients SHOULD make one (a UUIDv7).
	// Empty: the server makes a UUIDv7.
	EpisodeId string `protobuf:"bytes,1,opt,name=episode_id,json=episodeId,proto3" json:"episode_id,omitempty"`
	// Identifies this request among retries: at most 128 of [A-Za-z0-9_-]. Empty: none, so that a second
	// Reset with the same `episode_id` is EPISODE_EXISTS.
	RequestId string `protobuf:"bytes,2,opt,name=request_id,json=requestId,proto3" json:"request_id,omitempty"`
	// An episode to end in the same call, before the new one counts against the server's limit.
	// Empty: none. An unknown or ended one is ignored.
	PreviousEpisodeId string `protobuf:"bytes,3,opt,name=previous_episode_id,json=previousEpisodeId,proto3" json:"previous_episode_id,omitempty"`
	// Makes the episode's pseudo-random numbers reproducible: `random`, numpy's global generator and
	// torch's, also when they are imported later. Seeds wider than a library takes are hashed for it.
	// Kernel entropy (`secrets`, `uuid4`, `os.urandom`) stays fresh. Absent: every episode differs.
	Seed *uint64 `protobuf:"varint,4,opt,name=seed,proto3,oneof" json:"seed,omitempty"`
	// The name of a runtime in GetServerInfoResponse.runtimes. Empty: "default".
	Runtime string `protobuf:"bytes,5,opt,name=runtime,proto3" json:"runtime,omitempty"`
	// Lowers limits for this episode. Absent fields keep the server's defaults; a value above the server's
	// maximum, zero or a negative one is INVALID_FIELD, which names the maximum. So is any value of a limit that
	// this server can't hold (absent in GetServerInfoResponse.max_limits), with what is missing for it.
	Limits *Limits `protobuf:"bytes,6,opt,name=limits,proto3" json:"limits,omitempty"`
	// Environment variables to add: at most 64 KiB in all (names and values). Names: not empty, no NUL, no "=", and
	// neither LD_* nor PYTHON*. Values: no NUL.
	Environment map[string]string `protobuf:"bytes,7,rep,name=environment,proto3" json:"environment,omitempty" protobuf_key:"bytes,1,opt,name=key" protobuf_val:"bytes,2,opt,name=value"`
	// The network that the episode has. Loopback needs the layer `loopback` of GetServerInfoResponse.isolation; without it, it
	// is INVALID_FIELD.
	Network Network `protobuf:"varint,8,opt,name=network,proto3,enum=coding_env.v1.Network" json:"network,omitempty"`
	// Small files that the workspace has from the start: at most FileLimits.reset_files, and FileLimits.reset_bytes of data in all. No path may
	// be given twice, or lead through one that is a file. When one can't be written (the limits of the workspace are lower than what it takes) the
	// Reset is FILES_REFUSED, and there is no episode.
	Files         []*ResetFile `protobuf:"bytes,9,rep,name=files,proto3" json:"files,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ResetRequest) Reset() {
	*x = ResetRequest{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[0]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ResetRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ResetRequest) ProtoMessage() {}

func (x *ResetRequest) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[0]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ResetRequest.ProtoReflect.Descriptor instead.
func (*ResetRequest) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{0}
}

func (x *ResetRequest) GetEpisodeId() string {
	if x != nil {
		return x.EpisodeId
	}
	return ""
}

func (x *ResetRequest) GetRequestId() string {
	if x != nil {
		return x.RequestId
	}
	return ""
}

func (x *ResetRequest) GetPreviousEpisodeId() string {
	if x != nil {
		return x.PreviousEpisodeId
	}
	return ""
}

func (x *ResetRequest) GetSeed() uint64 {
	if x != nil && x.Seed != nil {
		return *x.Seed
	}
	return 0
}

func (x *ResetRequest) GetRuntime() string {
	if x != nil {
		return x.Runtime
	}
	return ""
}

func (x *ResetRequest) GetLimits() *Limits {
	if x != nil {
		return x.Limits
	}
	return nil
}

func (x *ResetRequest) GetEnvironment() map[string]string {
	if x != nil {
		return x.Environment
	}
	return nil
}

func (x *ResetRequest) GetNetwork() Network {
	if x != nil {
		return x.Network
	}
	return Network_NETWORK_UNSPECIFIED
}

func (x *ResetRequest) GetFiles() []*ResetFile {
	if x != nil {
		return x.Files
	}
	return nil
}

// The reply to Reset.
type ResetResponse struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// Empty texts and exit code 0.
	Observation *CodeObservation `protobuf:"bytes,1,opt,name=observation,proto3" json:"observation,omitempty"`
	// The reward of a reset: 0.0 with any transform in the chain, absent with none.
	Reward *float64 `protobuf:"fixed64,2,opt,name=reward,proto3,oneof" json:"reward,omitempty"`
	// Always false.
	Done bool `protobuf:"varint,3,opt,name=done,proto3" json:"done,omitempty"`
	// The new episode's state: its id, 0 steps, exit code 0.
	State *CodeState `protobuf:"bytes,4,opt,name=state,proto3" json:"state,omitempty"`
	// Labels added by transforms: none at a reset today.
	Metadata map[string]string `protobuf:"bytes,5,rep,name=metadata,proto3" json:"metadata,omitempty" protobuf_key:"bytes,1,opt,name=key" protobuf_val:"bytes,2,opt,name=value"`
	// The server that holds the episode. See "Routing" at the top.
	ServerId string `protobuf:"bytes,6,opt,name=server_id,json=serverId,proto3" json:"server_id,omitempty"`
	// The limits in force for this episode: every field is present, but for limits that this server can't hold.
	Limits *Limits `protobuf:"bytes,7,opt,name=limits,proto3" json:"limits,omitempty"`
	// The name of the runtime that the episode runs in.
	Runtime       string `protobuf:"bytes,8,opt,name=runtime,proto3" json:"runtime,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ResetResponse) Reset() {
	*x = ResetResponse{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[1]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ResetResponse) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ResetResponse) ProtoMessage() {}

func (x *ResetResponse) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[1]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ResetResponse.ProtoReflect.Descriptor instead.
func (*ResetResponse) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{1}
}

func (x *ResetResponse) GetObservation() *CodeObservation {
	if x != nil {
		return x.Observation
	}
	return nil
}

func (x *ResetResponse) GetReward() float64 {
	if x != nil && x.Reward != nil {
		return *x.Reward
	}
	return 0
}

func (x *ResetResponse) GetDone() bool {
	if x != nil {
		return x.Done
	}
	return false
}

func (x *ResetResponse) GetState() *CodeState {
	if x != nil {
		return x.State
	}
	return nil
}

func (x *ResetResponse) GetMetadata() map[string]string {
	if x != nil {
		return x.Metadata
	}
	return nil
}

func (x *ResetResponse) GetServerId() string {
	if x != nil {
		return x.ServerId
	}
	return ""
}

func (x *ResetResponse) GetLimits() *Limits {
	if x != nil {
		return x.Limits
	}
	return nil
}

func (x *ResetResponse) GetRuntime() string {
	if x != nil {
		return x.Runtime
	}
	return ""
}

// Asks for one step.
type StepRequest struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The episode to run in. Required.
	EpisodeId string `protobuf:"bytes,1,opt,name=episode_id,json=episodeId,proto3" json:"episode_id,omitempty"`
	// What to run. Required; empty code is valid.
	Action *CodeAction `protobuf:"bytes,2,opt,name=action,proto3" json:"action,omitempty"`
	// How many steps the client believes have run or are queued. See Step. Absent: no such check, and a
	// retry runs the code again.
	StepIndex *uint32 `protobuf:"varint,3,opt,name=step_index,json=stepIndex,proto3,oneof" json:"step_index,omitempty"`
	// How long the code may run, from when it starts. Default 30 s (the server's flag); a larger value than
	// `Limits.step_timeout` is clamped to it, and the reply tells the value used; zero or negative is
	// INVALID_FIELD. When absent and the call's own deadline is shorter, the step's timeout becomes
	// that deadline less a margin, so that the reply still arrives.
	Timeout *durationpb.Duration `protobuf:"bytes,4,opt,name=timeout,proto3" json:"timeout,omitempty"`
	// Lowers limits for this step.
	Limits *StepLimits `protobuf:"bytes,5,opt,name=limits,proto3" json:"limits,omitempty"`
	// The largest reply that the caller decodes. Default and minimum see ServerLimits.reply_bytes; range
	// 64 KiB to 64 MiB; other values are INVALID_FIELD. Output past it is cut out of the middle and the
	// reply says so.
	MaxReplyBytes *uint32 `protobuf:"varint,6,opt,name=max_reply_bytes,json=maxReplyBytes,proto3,oneof" json:"max_reply_bytes,omitempty"`
	// The representations that the step's displays are to have, as media types: "image/svg+xml". Others are left out, but
	// text/plain. Figures of matplotlib have image/png, image/svg+xml, image/jpeg and application/pdf; other objects what their
	// `_repr_*_` methods give. At most 16, each of at most 128 characters. Empty: all that an object has, and image/png of a figure.
	DisplayMimeTypes []string `protobuf:"bytes,7,rep,name=display_mime_types,json=displayMimeTypes,proto3" json:"display_mime_types,omitempty"`
	// What becomes of the episode when the step fails. ON_FAILURE_ROLL_BACK copies the episode before the code runs, and puts the copy in its place when the
	// outcome is one of `roll_back_outcomes`: variables and files are as before the step (STATE_AFTER_ROLLED_BACK), also after a crash. Where the episode can't be
	// copied the step does not run: FORK_UNSUPPORTED, FORK_TOO_LARGE or FORK_DEPTH_LIMIT. Default: ForkLimits.on_failure.
	OnFailure OnFailure `protobuf:"varint,8,opt,name=on_failure,json=onFailure,proto3,enum=coding_env.v1.OnFailure" json:"on_failure,omitempty"`
	// The outcomes that count as failure. Empty: all but OUTCOME_COMPLETED and OUTCOME_EXITED. OUTCOME_UNSPECIFIED and values that are no Outcome are
	// INVALID_FIELD.
	RollBackOutcomes []Outcome `protobuf:"varint,9,rep,packed,name=roll_back_outcomes,json=rollBackOutcomes,proto3,enum=coding_env.v1.Outcome" json:"roll_back_outcomes,omitempty"`
	unknownFields    protoimpl.UnknownFields
	sizeCache        protoimpl.SizeCache
}

func (x *StepRequest) Reset() {
	*x = StepRequest{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[2]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *StepRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*StepRequest) ProtoMessage() {}

func (x *StepRequest) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[2]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use StepRequest.ProtoReflect.Descriptor instead.
func (*StepRequest) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{2}
}

func (x *StepRequest) GetEpisodeId() string {
	if x != nil {
		return x.EpisodeId
	}
	return ""
}

func (x *StepRequest) GetAction() *CodeAction {
	if x != nil {
		return x.Action
	}
	return nil
}

func (x *StepRequest) GetStepIndex() uint32 {
	if x != nil && x.StepIndex != nil {
		return *x.StepIndex
	}
	return 0
}

func (x *StepRequest) GetTimeout() *durationpb.Duration {
	if x != nil {
		return x.Timeout
	}
	return nil
}

func (x *StepRequest) GetLimits() *StepLimits {
	if x != nil {
		return x.Limits
	}
	return nil
}

func (x *StepRequest) GetMaxReplyBytes() uint32 {
	if x != nil && x.MaxReplyBytes != nil {
		return *x.MaxReplyBytes
	}
	return 0
}

func (x *StepRequest) GetDisplayMimeTypes() []string {
	if x != nil {
		return x.DisplayMimeTypes
	}
	return nil
}

func (x *StepRequest) GetOnFailure() OnFailure {
	if x != nil {
		return x.OnFailure
	}
	return OnFailure_ON_FAILURE_UNSPECIFIED
}

func (x *StepRequest) GetRollBackOutcomes() []Outcome {
	if x != nil {
		return x.RollBackOutcomes
	}
	return nil
}

// The reply to Step: how the code ended and what it showed.
type StepResponse struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// What the step showed.
	Observation *CodeObservation `protobuf:"bytes,1,opt,name=observation,proto3" json:"observation,omitempty"`
	// The reward that the transforms gave, absent without transforms.
	Reward *float64 `protobuf:"fixed64,2,opt,name=reward,proto3,oneof" json:"reward,omitempty"`
	// True when the episode can't go on: the interpreter was lost in this step.
	Done bool `protobuf:"varint,3,opt,name=done,proto3" json:"done,omitempty"`
	// How the step ended.
	Outcome Outcome `protobuf:"varint,4,opt,name=outcome,proto3,enum=coding_env.v1.Outcome" json:"outcome,omitempty"`
	// Whether the variables of the episode are still there.
	StateAfter StateAfter `protobuf:"varint,5,opt,name=state_after,json=stateAfter,proto3,enum=coding_env.v1.StateAfter" json:"state_after,omitempty"`
	// The state after the step.
	State *CodeState `protobuf:"bytes,6,opt,name=state,proto3" json:"state,omitempty"`
	// Labels added by transforms: "safety_violation" holds the pattern that the source matched.
	Metadata map[string]string `protobuf:"bytes,7,rep,name=metadata,proto3" json:"metadata,omitempty" protobuf_key:"bytes,1,opt,name=key" protobuf_val:"bytes,2,opt,name=value"`
	// The index of this step: `step_count` before it ran.
	StepIndex uint32 `protobuf:"varint,8,opt,name=step_index,json=stepIndex,proto3" json:"step_index,omitempty"`
	// The server that holds the episode. See "Routing" at the top.
	ServerId string `protobuf:"bytes,9,opt,name=server_id,json=serverId,proto3" json:"server_id,omitempty"`
	// The timeout that was in force for this step.
	Timeout *durationpb.Duration `protobuf:"bytes,10,opt,name=timeout,proto3" json:"timeout,omitempty"`
	// What the program said of itself. It shares its process with user code, so it is a claim: code that
	// wants to can forge it. It can only misstate that program's own result.
	Reported *Reported `protobuf:"bytes,11,opt,name=reported,proto3" json:"reported,omitempty"`
	// What the server saw from outside the interpreter: fact.
	Observed *Observed `protobuf:"bytes,12,opt,name=observed,proto3" json:"observed,omitempty"`
	// True when this is the kept reply of a step that had run before this call.
	Replayed bool `protobuf:"varint,13,opt,name=replayed,proto3" json:"replayed,omitempty"`
	// True when the kept reply's texts (stdout, stderr, result) and displays were dropped for space. They are empty then; all
	// else is as it was.
	OutputDropped bool `protobuf:"varint,14,opt,name=output_dropped,json=outputDropped,proto3" json:"output_dropped,omitempty"`
	// What to do about the error, in a sentence or two for people, at most 1 KiB. Of a ModuleNotFoundError: which packages
	// the episode's runtime has, and which runtimes have the module. Empty otherwise.
	Hint          string `protobuf:"bytes,15,opt,name=hint,proto3" json:"hint,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *StepResponse) Reset() {
	*x = StepResponse{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[3]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *StepResponse) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*StepResponse) ProtoMessage() {}

func (x *StepResponse) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[3]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use StepResponse.ProtoReflect.Descriptor instead.
func (*StepResponse) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{3}
}

func (x *StepResponse) GetObservation() *CodeObservation {
	if x != nil {
		return x.Observation
	}
	return nil
}

func (x *StepResponse) GetReward() float64 {
	if x != nil && x.Reward != nil {
		return *x.Reward
	}
	return 0
}

func (x *StepResponse) GetDone() bool {
	if x != nil {
		return x.Done
	}
	return false
}

func (x *StepResponse) GetOutcome() Outcome {
	if x != nil {
		return x.Outcome
	}
	return Outcome_OUTCOME_UNSPECIFIED
}

func (x *StepResponse) GetStateAfter() StateAfter {
	if x != nil {
		return x.StateAfter
	}
	return StateAfter_STATE_AFTER_UNSPECIFIED
}

func (x *StepResponse) GetState() *CodeState {
	if x != nil {
		return x.State
	}
	return nil
}

func (x *StepResponse) GetMetadata() map[string]string {
	if x != nil {
		return x.Metadata
	}
	return nil
}

func (x *StepResponse) GetStepIndex() uint32 {
	if x != nil {
		return x.StepIndex
	}
	return 0
}

func (x *StepResponse) GetServerId() string {
	if x != nil {
		return x.ServerId
	}
	return ""
}

func (x *StepResponse) GetTimeout() *durationpb.Duration {
	if x != nil {
		return x.Timeout
	}
	return nil
}

func (x *StepResponse) GetReported() *Reported {
	if x != nil {
		return x.Reported
	}
	return nil
}

func (x *StepResponse) GetObserved() *Observed {
	if x != nil {
		return x.Observed
	}
	return nil
}

func (x *StepResponse) GetReplayed() bool {
	if x != nil {
		return x.Replayed
	}
	return false
}

func (x *StepResponse) GetOutputDropped() bool {
	if x != nil {
		return x.OutputDropped
	}
	return false
}

func (x *StepResponse) GetHint() string {
	if x != nil {
		return x.Hint
	}
	return ""
}

// Asks for the state of an episode.
type GetStateRequest struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The episode. Required.
	EpisodeId     string `protobuf:"bytes,1,opt,name=episode_id,json=episodeId,proto3" json:"episode_id,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *GetStateRequest) Reset() {
	*x = GetStateRequest{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[4]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *GetStateRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*GetStateRequest) ProtoMessage() {}

func (x *GetStateRequest) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[4]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use GetStateRequest.ProtoReflect.Descriptor instead.
func (*GetStateRequest) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{4}
}

func (x *GetStateRequest) GetEpisodeId() string {
	if x != nil {
		return x.EpisodeId
	}
	return ""
}

// The state and life-cycle facts of an episode.
type GetStateResponse struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// Id, step count and last exit code.
	State *CodeState `protobuf:"bytes,1,opt,name=state,proto3" json:"state,omitempty"`
	// Where the episode is in its life.
	Status EpisodeStatus `protobuf:"varint,2,opt,name=status,proto3,enum=coding_env.v1.EpisodeStatus" json:"status,omitempty"`
	// Present when status is EPISODE_STATUS_LOST: what happened.
	Loss *Loss `protobuf:"bytes,3,opt,name=loss,proto3" json:"loss,omitempty"`
	// The server that holds the episode. See "Routing" at the top.
	ServerId string `protobuf:"bytes,4,opt,name=server_id,json=serverId,proto3" json:"server_id,omitempty"`
	// The runtime that it runs in.
	Runtime string `protobuf:"bytes,5,opt,name=runtime,proto3" json:"runtime,omitempty"`
	// The limits in force: every field is present, but for limits that this server can't hold.
	Limits *Limits `protobuf:"bytes,6,opt,name=limits,proto3" json:"limits,omitempty"`
	// The seed given to Reset, or to Fork for this child, if one was.
	Seed *uint64 `protobuf:"varint,7,opt,name=seed,proto3,oneof" json:"seed,omitempty"`
	// When Reset or Fork made it.
	CreateTime *timestamppb.Timestamp `protobuf:"bytes,8,opt,name=create_time,json=createTime,proto3" json:"create_time,omitempty"`
	// When it will expire if nothing steps it. Absent while a step runs or is queued, and while a call moves files.
	ExpireTime *timestamppb.Timestamp `protobuf:"bytes,9,opt,name=expire_time,json=expireTime,proto3" json:"expire_time,omitempty"`
	// Steps that wait behind the running one, without those whose callers have all gone: they will not run, and count for
	// ServerLimits.queued_steps until it would have been their turn. Range 0 to that.
	QueuedSteps uint32 `protobuf:"varint,10,opt,name=queued_steps,json=queuedSteps,proto3" json:"queued_steps,omitempty"`
	// The sums over all steps that have ended; `peak_memory_bytes` is the largest.
	Totals *Usage `protobuf:"bytes,11,opt,name=totals,proto3" json:"totals,omitempty"`
	// The sum of both streams' `*_total_bytes` over all steps that have ended.
	OutputTotalBytes uint64 `protobuf:"varint,12,opt,name=output_total_bytes,json=outputTotalBytes,proto3" json:"output_total_bytes,omitempty"`
	// The sums of `Observed.tree_usage` and of what was used between steps; `peak_memory_bytes` is the largest. Absent
	// where no control group measures it.
	TreeTotals *Usage `protobuf:"bytes,13,opt,name=tree_totals,json=treeTotals,proto3" json:"tree_totals,omitempty"`
	// Where it comes from, when Fork made it. Absent when Reset did.
	Fork          *ForkOrigin `protobuf:"bytes,14,opt,name=fork,proto3" json:"fork,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *GetStateResponse) Reset() {
	*x = GetStateResponse{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[5]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *GetStateResponse) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*GetStateResponse) ProtoMessage() {}

func (x *GetStateResponse) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[5]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use GetStateResponse.ProtoReflect.Descriptor instead.
func (*GetStateResponse) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{5}
}

func (x *GetStateResponse) GetState() *CodeState {
	if x != nil {
		return x.State
	}
	return nil
}

func (x *GetStateResponse) GetStatus() EpisodeStatus {
	if x != nil {
		return x.Status
	}
	return EpisodeStatus_EPISODE_STATUS_UNSPECIFIED
}

func (x *GetStateResponse) GetLoss() *Loss {
	if x != nil {
		return x.Loss
	}
	return nil
}

func (x *GetStateResponse) GetServerId() string {
	if x != nil {
		return x.ServerId
	}
	return ""
}

func (x *GetStateResponse) GetRuntime() string {
	if x != nil {
		return x.Runtime
	}
	return ""
}

func (x *GetStateResponse) GetLimits() *Limits {
	if x != nil {
		return x.Limits
	}
	return nil
}

func (x *GetStateResponse) GetSeed() uint64 {
	if x != nil && x.Seed != nil {
		return *x.Seed
	}
	return 0
}

func (x *GetStateResponse) GetCreateTime() *timestamppb.Timestamp {
	if x != nil {
		return x.CreateTime
	}
	return nil
}

func (x *GetStateResponse) GetExpireTime() *timestamppb.Timestamp {
	if x != nil {
		return x.ExpireTime
	}
	return nil
}

func (x *GetStateResponse) GetQueuedSteps() uint32 {
	if x != nil {
		return x.QueuedSteps
	}
	return 0
}

func (x *GetStateResponse) GetTotals() *Usage {
	if x != nil {
		return x.Totals
	}
	return nil
}

func (x *GetStateResponse) GetOutputTotalBytes() uint64 {
	if x != nil {
		return x.OutputTotalBytes
	}
	return 0
}

func (x *GetStateResponse) GetTreeTotals() *Usage {
	if x != nil {
		return x.TreeTotals
	}
	return nil
}

func (x *GetStateResponse) GetFork() *ForkOrigin {
	if x != nil {
		return x.Fork
	}
	return nil
}

// Asks to end an episode.
type CloseRequest struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The episode. Required; an unknown one is not an error.
	EpisodeId     string `protobuf:"bytes,1,opt,name=episode_id,json=episodeId,proto3" json:"episode_id,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *CloseRequest) Reset() {
	*x = CloseRequest{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[6]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *CloseRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*CloseRequest) ProtoMessage() {}

func (x *CloseRequest) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[6]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use CloseRequest.ProtoReflect.Descriptor instead.
func (*CloseRequest) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{6}
}

func (x *CloseRequest) GetEpisodeId() string {
	if x != nil {
		return x.EpisodeId
	}
	return ""
}

// The reply to Close.
type CloseResponse struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// True when this call ended the episode, false when there was nothing to end.
	Closed bool `protobuf:"varint,1,opt,name=closed,proto3" json:"closed,omitempty"`
	// The server that answered.
	ServerId      string `protobuf:"bytes,2,opt,name=server_id,json=serverId,proto3" json:"server_id,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *CloseResponse) Reset() {
	*x = CloseResponse{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[7]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *CloseResponse) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*CloseResponse) ProtoMessage() {}

func (x *CloseResponse) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[7]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use CloseResponse.ProtoReflect.Descriptor instead.
func (*CloseResponse) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{7}
}

func (x *CloseResponse) GetClosed() bool {
	if x != nil {
		return x.Closed
	}
	return false
}

func (x *CloseResponse) GetServerId() string {
	if x != nil {
		return x.ServerId
	}
	return ""
}

// Asks to interrupt the running step.
type InterruptRequest struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The episode. Required.
	EpisodeId string `protobuf:"bytes,1,opt,name=episode_id,json=episodeId,proto3" json:"episode_id,omitempty"`
	// Only interrupt the step with this index. Absent: whichever runs.
	StepIndex     *uint32 `protobuf:"varint,2,opt,name=step_index,json=stepIndex,proto3,oneof" json:"step_index,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *InterruptRequest) Reset() {
	*x = InterruptRequest{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[8]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *InterruptRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*InterruptRequest) ProtoMessage() {}

func (x *InterruptRequest) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[8]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use InterruptRequest.ProtoReflect.Descriptor instead.
func (*InterruptRequest) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{8}
}

func (x *InterruptRequest) GetEpisodeId() string {
	if x != nil {
		return x.EpisodeId
	}
	return ""
}

func (x *InterruptRequest) GetStepIndex() uint32 {
	if x != nil && x.StepIndex != nil {
		return *x.StepIndex
	}
	return 0
}

// The reply to Interrupt; it does not wait for the step to end.
type InterruptResponse struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// True when a running step was interrupted; false when none ran, or one with another index.
	Interrupted bool `protobuf:"varint,1,opt,name=interrupted,proto3" json:"interrupted,omitempty"`
	// The index of the step that was interrupted; absent when none was.
	StepIndex *uint32 `protobuf:"varint,2,opt,name=step_index,json=stepIndex,proto3,oneof" json:"step_index,omitempty"`
	// The server that answered.
	ServerId      string `protobuf:"bytes,3,opt,name=server_id,json=serverId,proto3" json:"server_id,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *InterruptResponse) Reset() {
	*x = InterruptResponse{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[9]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *InterruptResponse) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*InterruptResponse) ProtoMessage() {}

func (x *InterruptResponse) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[9]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use InterruptResponse.ProtoReflect.Descriptor instead.
func (*InterruptResponse) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{9}
}

func (x *InterruptResponse) GetInterrupted() bool {
	if x != nil {
		return x.Interrupted
	}
	return false
}

func (x *InterruptResponse) GetStepIndex() uint32 {
	if x != nil && x.StepIndex != nil {
		return *x.StepIndex
	}
	return 0
}

func (x *InterruptResponse) GetServerId() string {
	if x != nil {
		return x.ServerId
	}
	return ""
}

// Asks what the server is.
type GetServerInfoRequest struct {
	state         protoimpl.MessageState `protogen:"open.v1"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *GetServerInfoRequest) Reset() {
	*x = GetServerInfoRequest{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[10]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *GetServerInfoRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*GetServerInfoRequest) ProtoMessage() {}

func (x *GetServerInfoRequest) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[10]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use GetServerInfoRequest.ProtoReflect.Descriptor instead.
func (*GetServerInfoRequest) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{10}
}

// What the server is, what it allows, and what it is doing.
type GetServerInfoResponse struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The version of coding-env, as in its releases: "0.1.0".
	Version string `protobuf:"bytes,1,opt,name=version,proto3" json:"version,omitempty"`
	// See "Routing" at the top.
	ServerId string `protobuf:"bytes,2,opt,name=server_id,json=serverId,proto3" json:"server_id,omitempty"`
	// What an episode gets when Reset and Step ask for nothing: every field is present, but for limits that this server
	// can't hold (`isolation` tells why), and `cpu_percent` where CPU time per time is not bounded.
	DefaultLimits *Limits `protobuf:"bytes,3,opt,name=default_limits,json=defaultLimits,proto3" json:"default_limits,omitempty"`
	// The most that Reset and Step may ask for: every field is present, but for limits that this server can't hold.
	MaxLimits *Limits `protobuf:"bytes,4,opt,name=max_limits,json=maxLimits,proto3" json:"max_limits,omitempty"`
	// Limits of the server as a whole.
	ServerLimits *ServerLimits `protobuf:"bytes,5,opt,name=server_limits,json=serverLimits,proto3" json:"server_limits,omitempty"`
	// The interpreters that an episode can run in; the first is the default.
	Runtimes []*Runtime `protobuf:"bytes,6,rep,name=runtimes,proto3" json:"runtimes,omitempty"`
	// What separates episodes from the host and from one another.
	Isolation *Isolation `protobuf:"bytes,7,opt,name=isolation,proto3" json:"isolation,omitempty"`
	// What is in use now.
	Capacity *Capacity `protobuf:"bytes,8,opt,name=capacity,proto3" json:"capacity,omitempty"`
	// The names of the transforms, in the order in which they run.
	Transforms []string `protobuf:"bytes,9,rep,name=transforms,proto3" json:"transforms,omitempty"`
	// When the server started.
	StartTime *timestamppb.Timestamp `protobuf:"bytes,10,opt,name=start_time,json=startTime,proto3" json:"start_time,omitempty"`
	// Whether episodes can be copied here, and what keeps copies of one tree apart.
	Fork          *ForkFacts `protobuf:"bytes,11,opt,name=fork,proto3" json:"fork,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *GetServerInfoResponse) Reset() {
	*x = GetServerInfoResponse{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[11]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *GetServerInfoResponse) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*GetServerInfoResponse) ProtoMessage() {}

func (x *GetServerInfoResponse) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[11]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use GetServerInfoResponse.ProtoReflect.Descriptor instead.
func (*GetServerInfoResponse) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{11}
}

func (x *GetServerInfoResponse) GetVersion() string {
	if x != nil {
		return x.Version
	}
	return ""
}

func (x *GetServerInfoResponse) GetServerId() string {
	if x != nil {
		return x.ServerId
	}
	return ""
}

func (x *GetServerInfoResponse) GetDefaultLimits() *Limits {
	if x != nil {
		return x.DefaultLimits
	}
	return nil
}

func (x *GetServerInfoResponse) GetMaxLimits() *Limits {
	if x != nil {
		return x.MaxLimits
	}
	return nil
}

func (x *GetServerInfoResponse) GetServerLimits() *ServerLimits {
	if x != nil {
		return x.ServerLimits
	}
	return nil
}

func (x *GetServerInfoResponse) GetRuntimes() []*Runtime {
	if x != nil {
		return x.Runtimes
	}
	return nil
}

func (x *GetServerInfoResponse) GetIsolation() *Isolation {
	if x != nil {
		return x.Isolation
	}
	return nil
}

func (x *GetServerInfoResponse) GetCapacity() *Capacity {
	if x != nil {
		return x.Capacity
	}
	return nil
}

func (x *GetServerInfoResponse) GetTransforms() []string {
	if x != nil {
		return x.Transforms
	}
	return nil
}

func (x *GetServerInfoResponse) GetStartTime() *timestamppb.Timestamp {
	if x != nil {
		return x.StartTime
	}
	return nil
}

func (x *GetServerInfoResponse) GetFork() *ForkFacts {
	if x != nil {
		return x.Fork
	}
	return nil
}

// What to do in a step.
type CodeAction struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// Python source. UTF-8, at most Limits.source_bytes (16 MiB); past it INVALID_FIELD. One leading byte order mark
	// is dropped. An encoding declaration is ignored.
	Code          string `protobuf:"bytes,1,opt,name=code,proto3" json:"code,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *CodeAction) Reset() {
	*x = CodeAction{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[12]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *CodeAction) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*CodeAction) ProtoMessage() {}

func (x *CodeAction) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[12]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use CodeAction.ProtoReflect.Descriptor instead.
func (*CodeAction) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{12}
}

func (x *CodeAction) GetCode() string {
	if x != nil {
		return x.Code
	}
	return ""
}

// What a step showed.
type CodeObservation struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// What the program and its children wrote to standard output. Bytes that are not UTF-8 became U+FFFD. At
	// most Limits.output_bytes of text: past that the head and the tail are kept, with a marker line between.
	Stdout string `protobuf:"bytes,1,opt,name=stdout,proto3" json:"stdout,omitempty"`
	// The same for standard error; a traceback is at its end.
	Stderr string `protobuf:"bytes,2,opt,name=stderr,proto3" json:"stderr,omitempty"`
	// 0 when the code ran to its end; 1 after an uncaught exception; what `sys.exit` gave; 124 after a
	// timeout; 130 after an interrupt; 128 + n when signal n ended the process; n after `os._exit(n)`.
	ExitCode int32 `protobuf:"varint,3,opt,name=exit_code,json=exitCode,proto3" json:"exit_code,omitempty"`
	// `repr` of the last statement's value, when that statement is an expression whose value is not None. At most
	// Limits.result_bytes of text; Reported.result_truncated tells. Absent otherwise. A claim, as Reported is.
	Result *string `protobuf:"bytes,4,opt,name=result,proto3,oneof" json:"result,omitempty"`
	// What the step showed beside its text, in the order in which it was shown, as in a notebook: what the code gave to
	// `display`, figures of matplotlib that it showed or left open, and the last statement's value where that has more than a `repr`. At
	// most Limits.displays of them; Reported.displays_dropped tells. Claims, as Reported is.
	Displays      []*Display `protobuf:"bytes,5,rep,name=displays,proto3" json:"displays,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *CodeObservation) Reset() {
	*x = CodeObservation{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[13]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *CodeObservation) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*CodeObservation) ProtoMessage() {}

func (x *CodeObservation) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[13]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use CodeObservation.ProtoReflect.Descriptor instead.
func (*CodeObservation) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{13}
}

func (x *CodeObservation) GetStdout() string {
	if x != nil {
		return x.Stdout
	}
	return ""
}

func (x *CodeObservation) GetStderr() string {
	if x != nil {
		return x.Stderr
	}
	return ""
}

func (x *CodeObservation) GetExitCode() int32 {
	if x != nil {
		return x.ExitCode
	}
	return 0
}

func (x *CodeObservation) GetResult() string {
	if x != nil && x.Result != nil {
		return *x.Result
	}
	return ""
}

func (x *CodeObservation) GetDisplays() []*Display {
	if x != nil {
		return x.Displays
	}
	return nil
}

// One thing that a step showed, as the program says. HTML, SVG and scripts in it are the program's: whoever renders them gives them
// no more rights than to any stranger's page.
type Display struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The same thing in one or more ways, at most 16: the one to prefer is a client's choice. Each media type once.
	Representations []*Representation `protobuf:"bytes,1,rep,name=representations,proto3" json:"representations,omitempty"`
	// True of the last statement's value: its `repr` is `result`, so it has no text/plain of its own.
	IsResult      bool `protobuf:"varint,2,opt,name=is_result,json=isResult,proto3" json:"is_result,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Display) Reset() {
	*x = Display{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[14]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Display) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Display) ProtoMessage() {}

func (x *Display) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[14]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Display.ProtoReflect.Descriptor instead.
func (*Display) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{14}
}

func (x *Display) GetRepresentations() []*Representation {
	if x != nil {
		return x.Representations
	}
	return nil
}

func (x *Display) GetIsResult() bool {
	if x != nil {
		return x.IsResult
	}
	return false
}

// One way to show something.
type Representation struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// Its media type, at most 128 characters: "image/png", "text/html", "application/json".
	MimeType string `protobuf:"bytes,1,opt,name=mime_type,json=mimeType,proto3" json:"mime_type,omitempty"`
	// Its bytes: text is UTF-8. Empty when they are in a file, and when there was no room for them: in the reply
	// (StepRequest.max_reply_bytes), or in the workspace.
	Data []byte `protobuf:"bytes,2,opt,name=data,proto3" json:"data,omitempty"`
	// How many bytes it has, wherever they are.
	TotalBytes uint64 `protobuf:"varint,3,opt,name=total_bytes,json=totalBytes,proto3" json:"total_bytes,omitempty"`
	// Where the bytes are when they are more than ServerLimits.representation_bytes, or than what is left of Limits.display_bytes: a path in the
	// episode's workspace, ".displays/3-1.png" (the number of the step from 1, and a number that counts up). Empty otherwise.
	FilePath      string `protobuf:"bytes,4,opt,name=file_path,json=filePath,proto3" json:"file_path,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Representation) Reset() {
	*x = Representation{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[15]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Representation) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Representation) ProtoMessage() {}

func (x *Representation) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[15]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Representation.ProtoReflect.Descriptor instead.
func (*Representation) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{15}
}

func (x *Representation) GetMimeType() string {
	if x != nil {
		return x.MimeType
	}
	return ""
}

func (x *Representation) GetData() []byte {
	if x != nil {
		return x.Data
	}
	return nil
}

func (x *Representation) GetTotalBytes() uint64 {
	if x != nil {
		return x.TotalBytes
	}
	return 0
}

func (x *Representation) GetFilePath() string {
	if x != nil {
		return x.FilePath
	}
	return ""
}

// The state of an episode.
type CodeState struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The episode's id.
	EpisodeId string `protobuf:"bytes,1,opt,name=episode_id,json=episodeId,proto3" json:"episode_id,omitempty"`
	// How many steps have ended, whatever their outcome.
	StepCount uint32 `protobuf:"varint,2,opt,name=step_count,json=stepCount,proto3" json:"step_count,omitempty"`
	// The exit code of the last step that ended; 0 before the first.
	LastExitCode  int32 `protobuf:"varint,3,opt,name=last_exit_code,json=lastExitCode,proto3" json:"last_exit_code,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *CodeState) Reset() {
	*x = CodeState{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[16]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *CodeState) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*CodeState) ProtoMessage() {}

func (x *CodeState) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[16]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use CodeState.ProtoReflect.Descriptor instead.
func (*CodeState) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{16}
}

func (x *CodeState) GetEpisodeId() string {
	if x != nil {
		return x.EpisodeId
	}
	return ""
}

func (x *CodeState) GetStepCount() uint32 {
	if x != nil {
		return x.StepCount
	}
	return 0
}

func (x *CodeState) GetLastExitCode() int32 {
	if x != nil {
		return x.LastExitCode
	}
	return 0
}

// Limits of one episode. In a request an absent field keeps the default.
type Limits struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The largest `code` of a step. Default and maximum 16 MiB.
	SourceBytes *uint32 `protobuf:"varint,1,opt,name=source_bytes,json=sourceBytes,proto3,oneof" json:"source_bytes,omitempty"`
	// The most text kept of each of stdout and stderr in a step; at least 1 KiB. Default 1 MiB. More output is
	// read and counted, and its middle dropped.
	OutputBytes *uint32 `protobuf:"varint,2,opt,name=output_bytes,json=outputBytes,proto3,oneof" json:"output_bytes,omitempty"`
	// The most text kept of `result`; at least 1 KiB. Default 256 KiB.
	ResultBytes *uint32 `protobuf:"varint,3,opt,name=result_bytes,json=resultBytes,proto3,oneof" json:"result_bytes,omitempty"`
	// The longest that a step may run; at least 1 ms. StepRequest.timeout is clamped to it. Past it the step is interrupted,
	// then killed. Default 1 h.
	StepTimeout *durationpb.Duration `protobuf:"bytes,4,opt,name=step_timeout,json=stepTimeout,proto3" json:"step_timeout,omitempty"`
	// The CPU time that the episode's interpreter process may use in a step; at least 10 ms. Past it the step is
	// interrupted, then killed; the outcome is OUTCOME_LIMIT_EXCEEDED. Children are not counted.
	// Default 1 h.
	StepCpuTime *durationpb.Duration `protobuf:"bytes,5,opt,name=step_cpu_time,json=stepCpuTime,proto3" json:"step_cpu_time,omitempty"`
	// How long the episode may be idle (no step running or queued) before it expires; at least 1 s. Default 1 h.
	IdleTimeout *durationpb.Duration `protobuf:"bytes,6,opt,name=idle_timeout,json=idleTimeout,proto3" json:"idle_timeout,omitempty"`
	// The address space of each process of the episode (RLIMIT_AS, setrlimit(2)); at least 64 MiB. Past it Python
	// raises MemoryError. Default 4 GiB. It bounds each process, not their sum.
	MemoryBytes *uint64 `protobuf:"varint,7,opt,name=memory_bytes,json=memoryBytes,proto3,oneof" json:"memory_bytes,omitempty"`
	// Open descriptors of each process of the episode (RLIMIT_NOFILE, setrlimit(2)); at least 16. Past it Python raises
	// OSError EMFILE. Default 1024.
	OpenFiles *uint32 `protobuf:"varint,8,opt,name=open_files,json=openFiles,proto3,oneof" json:"open_files,omitempty"`
	// The largest file that a process of the episode may write (RLIMIT_FSIZE, setrlimit(2)); at least 1 MiB. Past it Python
	// raises OSError EFBIG. Default 1 GiB.
	FileBytes *uint64 `protobuf:"varint,9,opt,name=file_bytes,json=fileBytes,proto3,oneof" json:"file_bytes,omitempty"`
	// Memory of all processes of the episode together, with their files in memory (where /workspace, /tmp and /dev/shm are
	// the episode's own) and what the kernel holds for them (pipes, page tables); at least 64 MiB. Past it the kernel ends the
	// process that is largest (control groups v1) or all of them (v2): OUTCOME_LIMIT_EXCEEDED, LIMIT_KIND_MEMORY. Default
	// 4 GiB. Needs layer `cgroup`; absent without it.
	TotalMemoryBytes *uint64 `protobuf:"varint,10,opt,name=total_memory_bytes,json=totalMemoryBytes,proto3,oneof" json:"total_memory_bytes,omitempty"`
	// Processes and threads of the episode, the interpreter included; at least 2. Past it fork and thread creation
	// fail: Python raises BlockingIOError EAGAIN, or RuntimeError. Default 256. Needs layer `cgroup` or `uid`, or level `namespace` without
	// privilege; absent without them.
	Processes *uint32 `protobuf:"varint,11,opt,name=processes,proto3,oneof" json:"processes,omitempty"`
	// What the files of the episode in /workspace, /tmp and /dev/shm may fill together; at least 1 MiB. Past it Python
	// raises OSError ENOSPC. Default 512 MiB. Needs level `namespace`; absent without it.
	WorkspaceBytes *uint64 `protobuf:"varint,12,opt,name=workspace_bytes,json=workspaceBytes,proto3,oneof" json:"workspace_bytes,omitempty"`
	// How many files and directories the episode may have there; at least 64. Past it Python raises OSError ENOSPC. Default
	// 65536. Needs level `namespace`; absent without it.
	WorkspaceInodes *uint32 `protobuf:"varint,13,opt,name=workspace_inodes,json=workspaceInodes,proto3,oneof" json:"workspace_inodes,omitempty"`
	// CPU time per time of all processes of the episode together, in percent of one core; 1 to 100000. Past it they
	// wait. Default: absent, as much as there is. Needs layer `cgroup`; absent without it.
	CpuPercent *uint32 `protobuf:"varint,14,opt,name=cpu_percent,json=cpuPercent,proto3,oneof" json:"cpu_percent,omitempty"`
	// Displays of a step; at least 1. More are counted (Reported.displays_dropped) and dropped. Default 64.
	Displays *uint32 `protobuf:"varint,15,opt,name=displays,proto3,oneof" json:"displays,omitempty"`
	// The bytes of all representations of a step's displays together that travel in the reply; at least 1 KiB. What has more goes into
	// files of the workspace: Representation.file_path. Default 3 MiB.
	DisplayBytes  *uint32 `protobuf:"varint,16,opt,name=display_bytes,json=displayBytes,proto3,oneof" json:"display_bytes,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Limits) Reset() {
	*x = Limits{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[17]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Limits) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Limits) ProtoMessage() {}

func (x *Limits) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[17]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Limits.ProtoReflect.Descriptor instead.
func (*Limits) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{17}
}

func (x *Limits) GetSourceBytes() uint32 {
	if x != nil && x.SourceBytes != nil {
		return *x.SourceBytes
	}
	return 0
}

func (x *Limits) GetOutputBytes() uint32 {
	if x != nil && x.OutputBytes != nil {
		return *x.OutputBytes
	}
	return 0
}

func (x *Limits) GetResultBytes() uint32 {
	if x != nil && x.ResultBytes != nil {
		return *x.ResultBytes
	}
	return 0
}

func (x *Limits) GetStepTimeout() *durationpb.Duration {
	if x != nil {
		return x.StepTimeout
	}
	return nil
}

func (x *Limits) GetStepCpuTime() *durationpb.Duration {
	if x != nil {
		return x.StepCpuTime
	}
	return nil
}

func (x *Limits) GetIdleTimeout() *durationpb.Duration {
	if x != nil {
		return x.IdleTimeout
	}
	return nil
}

func (x *Limits) GetMemoryBytes() uint64 {
	if x != nil && x.MemoryBytes != nil {
		return *x.MemoryBytes
	}
	return 0
}

func (x *Limits) GetOpenFiles() uint32 {
	if x != nil && x.OpenFiles != nil {
		return *x.OpenFiles
	}
	return 0
}

func (x *Limits) GetFileBytes() uint64 {
	if x != nil && x.FileBytes != nil {
		return *x.FileBytes
	}
	return 0
}

func (x *Limits) GetTotalMemoryBytes() uint64 {
	if x != nil && x.TotalMemoryBytes != nil {
		return *x.TotalMemoryBytes
	}
	return 0
}

func (x *Limits) GetProcesses() uint32 {
	if x != nil && x.Processes != nil {
		return *x.Processes
	}
	return 0
}

func (x *Limits) GetWorkspaceBytes() uint64 {
	if x != nil && x.WorkspaceBytes != nil {
		return *x.WorkspaceBytes
	}
	return 0
}

func (x *Limits) GetWorkspaceInodes() uint32 {
	if x != nil && x.WorkspaceInodes != nil {
		return *x.WorkspaceInodes
	}
	return 0
}

func (x *Limits) GetCpuPercent() uint32 {
	if x != nil && x.CpuPercent != nil {
		return *x.CpuPercent
	}
	return 0
}

func (x *Limits) GetDisplays() uint32 {
	if x != nil && x.Displays != nil {
		return *x.Displays
	}
	return 0
}

func (x *Limits) GetDisplayBytes() uint32 {
	if x != nil && x.DisplayBytes != nil {
		return *x.DisplayBytes
	}
	return 0
}

// Limits that a step may lower for itself. An absent field keeps the episode's.
type StepLimits struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// As Limits.output_bytes.
	OutputBytes *uint32 `protobuf:"varint,1,opt,name=output_bytes,json=outputBytes,proto3,oneof" json:"output_bytes,omitempty"`
	// As Limits.step_cpu_time.
	CpuTime       *durationpb.Duration `protobuf:"bytes,2,opt,name=cpu_time,json=cpuTime,proto3" json:"cpu_time,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *StepLimits) Reset() {
	*x = StepLimits{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[18]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *StepLimits) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*StepLimits) ProtoMessage() {}

func (x *StepLimits) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[18]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use StepLimits.ProtoReflect.Descriptor instead.
func (*StepLimits) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{18}
}

func (x *StepLimits) GetOutputBytes() uint32 {
	if x != nil && x.OutputBytes != nil {
		return *x.OutputBytes
	}
	return 0
}

func (x *StepLimits) GetCpuTime() *durationpb.Duration {
	if x != nil {
		return x.CpuTime
	}
	return nil
}

// Limits of the server as a whole.
type ServerLimits struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// Live episodes, lost ones included. Past it Reset is EPISODE_LIMIT.
	Episodes uint32 `protobuf:"varint,1,opt,name=episodes,proto3" json:"episodes,omitempty"`
	// Steps that run at the same time. More wait their turn, one of each token's name after the other.
	RunningSteps uint32 `protobuf:"varint,2,opt,name=running_steps,json=runningSteps,proto3" json:"running_steps,omitempty"`
	// Steps that wait for a turn to run. Past it Step is STEP_LIMIT.
	WaitingSteps uint32 `protobuf:"varint,3,opt,name=waiting_steps,json=waitingSteps,proto3" json:"waiting_steps,omitempty"`
	// Steps queued behind the running one in one episode. Past it Step is STEP_QUEUE_FULL.
	QueuedSteps uint32 `protobuf:"varint,4,opt,name=queued_steps,json=queuedSteps,proto3" json:"queued_steps,omitempty"`
	// The largest request that is decoded: source maximum + 1 MiB. Past it the gRPC library itself answers.
	RequestBytes uint32 `protobuf:"varint,5,opt,name=request_bytes,json=requestBytes,proto3" json:"request_bytes,omitempty"`
	// The largest reply when the request does not say: 3.5 MiB, because gRPC clients decode 4 MiB by default.
	ReplyBytes uint32 `protobuf:"varint,6,opt,name=reply_bytes,json=replyBytes,proto3" json:"reply_bytes,omitempty"`
	// The sum of names and values in ResetRequest.environment.
	EnvironmentBytes uint32 `protobuf:"varint,7,opt,name=environment_bytes,json=environmentBytes,proto3" json:"environment_bytes,omitempty"`
	// The step timeout when neither Step nor the call's deadline says one.
	DefaultStepTimeout *durationpb.Duration `protobuf:"bytes,8,opt,name=default_step_timeout,json=defaultStepTimeout,proto3" json:"default_step_timeout,omitempty"`
	// What an interrupted step gets to end by itself before the kill.
	InterruptGrace *durationpb.Duration `protobuf:"bytes,9,opt,name=interrupt_grace,json=interruptGrace,proto3" json:"interrupt_grace,omitempty"`
	// The CPU time that threads and children of an idle episode may use before it is frozen until its
	// next step. Without a control group only the interpreter process is measured.
	BackgroundCpuTime *durationpb.Duration `protobuf:"bytes,10,opt,name=background_cpu_time,json=backgroundCpuTime,proto3" json:"background_cpu_time,omitempty"`
	// How long Reset waits for an interpreter before it is NO_WORKER.
	WorkerWait *durationpb.Duration `protobuf:"bytes,11,opt,name=worker_wait,json=workerWait,proto3" json:"worker_wait,omitempty"`
	// Replies kept beyond each episode's last one, over all episodes.
	KeptReplyBytes uint64 `protobuf:"varint,12,opt,name=kept_reply_bytes,json=keptReplyBytes,proto3" json:"kept_reply_bytes,omitempty"`
	// Sessions, those whose stream is broken included. Past it opening one is SESSION_LIMIT.
	Sessions uint32 `protobuf:"varint,13,opt,name=sessions,proto3" json:"sessions,omitempty"`
	// Requests of one session that have no response which the client has taken. Past it no more are read. As many responses that were not
	// acknowledged are kept for a new stream; past it the oldest are forgotten.
	SessionRequests uint32 `protobuf:"varint,14,opt,name=session_requests,json=sessionRequests,proto3" json:"session_requests,omitempty"`
	// How long a session whose stream is broken is kept.
	SessionGrace *durationpb.Duration `protobuf:"bytes,15,opt,name=session_grace,json=sessionGrace,proto3" json:"session_grace,omitempty"`
	// The largest Representation.data: 1 MiB. What is larger goes into a file of the workspace.
	RepresentationBytes uint32 `protobuf:"varint,16,opt,name=representation_bytes,json=representationBytes,proto3" json:"representation_bytes,omitempty"`
	// Limits of the calls that move files.
	Files *FileLimits `protobuf:"bytes,20,opt,name=files,proto3" json:"files,omitempty"`
	// Limits of Fork, Checkpoint and Evaluate.
	Forks         *ForkLimits `protobuf:"bytes,21,opt,name=forks,proto3" json:"forks,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ServerLimits) Reset() {
	*x = ServerLimits{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[19]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ServerLimits) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ServerLimits) ProtoMessage() {}

func (x *ServerLimits) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[19]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ServerLimits.ProtoReflect.Descriptor instead.
func (*ServerLimits) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{19}
}

func (x *ServerLimits) GetEpisodes() uint32 {
	if x != nil {
		return x.Episodes
	}
	return 0
}

func (x *ServerLimits) GetRunningSteps() uint32 {
	if x != nil {
		return x.RunningSteps
	}
	return 0
}

func (x *ServerLimits) GetWaitingSteps() uint32 {
	if x != nil {
		return x.WaitingSteps
	}
	return 0
}

func (x *ServerLimits) GetQueuedSteps() uint32 {
	if x != nil {
		return x.QueuedSteps
	}
	return 0
}

func (x *ServerLimits) GetRequestBytes() uint32 {
	if x != nil {
		return x.RequestBytes
	}
	return 0
}

func (x *ServerLimits) GetReplyBytes() uint32 {
	if x != nil {
		return x.ReplyBytes
	}
	return 0
}

func (x *ServerLimits) GetEnvironmentBytes() uint32 {
	if x != nil {
		return x.EnvironmentBytes
	}
	return 0
}

func (x *ServerLimits) GetDefaultStepTimeout() *durationpb.Duration {
	if x != nil {
		return x.DefaultStepTimeout
	}
	return nil
}

func (x *ServerLimits) GetInterruptGrace() *durationpb.Duration {
	if x != nil {
		return x.InterruptGrace
	}
	return nil
}

func (x *ServerLimits) GetBackgroundCpuTime() *durationpb.Duration {
	if x != nil {
		return x.BackgroundCpuTime
	}
	return nil
}

func (x *ServerLimits) GetWorkerWait() *durationpb.Duration {
	if x != nil {
		return x.WorkerWait
	}
	return nil
}

func (x *ServerLimits) GetKeptReplyBytes() uint64 {
	if x != nil {
		return x.KeptReplyBytes
	}
	return 0
}

func (x *ServerLimits) GetSessions() uint32 {
	if x != nil {
		return x.Sessions
	}
	return 0
}

func (x *ServerLimits) GetSessionRequests() uint32 {
	if x != nil {
		return x.SessionRequests
	}
	return 0
}

func (x *ServerLimits) GetSessionGrace() *durationpb.Duration {
	if x != nil {
		return x.SessionGrace
	}
	return nil
}

func (x *ServerLimits) GetRepresentationBytes() uint32 {
	if x != nil {
		return x.RepresentationBytes
	}
	return 0
}

func (x *ServerLimits) GetFiles() *FileLimits {
	if x != nil {
		return x.Files
	}
	return nil
}

func (x *ServerLimits) GetForks() *ForkLimits {
	if x != nil {
		return x.Forks
	}
	return nil
}

// An interpreter with its preloads.
type Runtime struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// Its name: "default", or what the server's operator called it.
	Name string `protobuf:"bytes,1,opt,name=name,proto3" json:"name,omitempty"`
	// The version of its CPython: "3.13.0".
	PythonVersion string `protobuf:"bytes,2,opt,name=python_version,json=pythonVersion,proto3" json:"python_version,omitempty"`
	// The modules that are imported before an episode starts.
	Preloads []string `protobuf:"bytes,3,rep,name=preloads,proto3" json:"preloads,omitempty"`
	// PYTHONHASHSEED of its interpreters: the same for every episode.
	HashSeed uint32 `protobuf:"varint,4,opt,name=hash_seed,json=hashSeed,proto3" json:"hash_seed,omitempty"`
	// Interpreters that are ready to be handed to a Reset.
	WarmWorkers uint32 `protobuf:"varint,5,opt,name=warm_workers,json=warmWorkers,proto3" json:"warm_workers,omitempty"`
	// The packages that its interpreter imports from, beside the standard library, by their names in order: what `pip list` tells. At most
	// 2048.
	Packages      []*Package `protobuf:"bytes,6,rep,name=packages,proto3" json:"packages,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Runtime) Reset() {
	*x = Runtime{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[20]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Runtime) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Runtime) ProtoMessage() {}

func (x *Runtime) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[20]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Runtime.ProtoReflect.Descriptor instead.
func (*Runtime) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{20}
}

func (x *Runtime) GetName() string {
	if x != nil {
		return x.Name
	}
	return ""
}

func (x *Runtime) GetPythonVersion() string {
	if x != nil {
		return x.PythonVersion
	}
	return ""
}

func (x *Runtime) GetPreloads() []string {
	if x != nil {
		return x.Preloads
	}
	return nil
}

func (x *Runtime) GetHashSeed() uint32 {
	if x != nil {
		return x.HashSeed
	}
	return 0
}

func (x *Runtime) GetWarmWorkers() uint32 {
	if x != nil {
		return x.WarmWorkers
	}
	return 0
}

func (x *Runtime) GetPackages() []*Package {
	if x != nil {
		return x.Packages
	}
	return nil
}

// An installed Python distribution.
type Package struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// Its name, as it was installed: "scikit-learn".
	Name string `protobuf:"bytes,1,opt,name=name,proto3" json:"name,omitempty"`
	// Its version: "1.9.1".
	Version       string `protobuf:"bytes,2,opt,name=version,proto3" json:"version,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Package) Reset() {
	*x = Package{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[21]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Package) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Package) ProtoMessage() {}

func (x *Package) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[21]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Package.ProtoReflect.Descriptor instead.
func (*Package) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{21}
}

func (x *Package) GetName() string {
	if x != nil {
		return x.Name
	}
	return ""
}

func (x *Package) GetVersion() string {
	if x != nil {
		return x.Version
	}
	return ""
}

// What separates episodes from the host and from one another.
type Isolation struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The level in force.
	Level IsolationLevel `protobuf:"varint,1,opt,name=level,proto3,enum=coding_env.v1.IsolationLevel" json:"level,omitempty"`
	// Each layer by itself: the same layers, in the same order, at every level.
	Layers        []*IsolationLayer `protobuf:"bytes,2,rep,name=layers,proto3" json:"layers,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Isolation) Reset() {
	*x = Isolation{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[22]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Isolation) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Isolation) ProtoMessage() {}

func (x *Isolation) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[22]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Isolation.ProtoReflect.Descriptor instead.
func (*Isolation) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{22}
}

func (x *Isolation) GetLevel() IsolationLevel {
	if x != nil {
		return x.Level
	}
	return IsolationLevel_ISOLATION_LEVEL_UNSPECIFIED
}

func (x *Isolation) GetLayers() []*IsolationLayer {
	if x != nil {
		return x.Layers
	}
	return nil
}

// One layer of isolation.
type IsolationLayer struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// Its name: namespaces, filesystem, landlock, signals, seccomp, no_new_privs, capabilities, network, loopback, uid, cgroup,
	// rlimit or process. May grow.
	Name string `protobuf:"bytes,1,opt,name=name,proto3" json:"name,omitempty"`
	// Whether it is in force.
	State IsolationLayerState `protobuf:"varint,2,opt,name=state,proto3,enum=coding_env.v1.IsolationLayerState" json:"state,omitempty"`
	// What it bounds, or why it is missing and what that means.
	Detail        string `protobuf:"bytes,3,opt,name=detail,proto3" json:"detail,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *IsolationLayer) Reset() {
	*x = IsolationLayer{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[23]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *IsolationLayer) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*IsolationLayer) ProtoMessage() {}

func (x *IsolationLayer) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[23]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use IsolationLayer.ProtoReflect.Descriptor instead.
func (*IsolationLayer) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{23}
}

func (x *IsolationLayer) GetName() string {
	if x != nil {
		return x.Name
	}
	return ""
}

func (x *IsolationLayer) GetState() IsolationLayerState {
	if x != nil {
		return x.State
	}
	return IsolationLayerState_ISOLATION_LAYER_STATE_UNSPECIFIED
}

func (x *IsolationLayer) GetDetail() string {
	if x != nil {
		return x.Detail
	}
	return ""
}

// What is in use at the moment of the call.
type Capacity struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// Live episodes, lost ones included.
	Episodes uint32 `protobuf:"varint,1,opt,name=episodes,proto3" json:"episodes,omitempty"`
	// Steps that run.
	RunningSteps uint32 `protobuf:"varint,2,opt,name=running_steps,json=runningSteps,proto3" json:"running_steps,omitempty"`
	// Steps that wait for a turn to run.
	WaitingSteps uint32 `protobuf:"varint,3,opt,name=waiting_steps,json=waitingSteps,proto3" json:"waiting_steps,omitempty"`
	// True once the server has begun to shut down.
	Draining bool `protobuf:"varint,4,opt,name=draining,proto3" json:"draining,omitempty"`
	// Checkpoints of all episodes.
	Checkpoints uint32 `protobuf:"varint,5,opt,name=checkpoints,proto3" json:"checkpoints,omitempty"`
	// Evaluations that run or wait for a turn.
	Evaluations   uint32 `protobuf:"varint,6,opt,name=evaluations,proto3" json:"evaluations,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Capacity) Reset() {
	*x = Capacity{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[24]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Capacity) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Capacity) ProtoMessage() {}

func (x *Capacity) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[24]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Capacity.ProtoReflect.Descriptor instead.
func (*Capacity) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{24}
}

func (x *Capacity) GetEpisodes() uint32 {
	if x != nil {
		return x.Episodes
	}
	return 0
}

func (x *Capacity) GetRunningSteps() uint32 {
	if x != nil {
		return x.RunningSteps
	}
	return 0
}

func (x *Capacity) GetWaitingSteps() uint32 {
	if x != nil {
		return x.WaitingSteps
	}
	return 0
}

func (x *Capacity) GetDraining() bool {
	if x != nil {
		return x.Draining
	}
	return false
}

func (x *Capacity) GetCheckpoints() uint32 {
	if x != nil {
		return x.Checkpoints
	}
	return 0
}

func (x *Capacity) GetEvaluations() uint32 {
	if x != nil {
		return x.Evaluations
	}
	return 0
}

// Claims of the program about its own step.
type Reported struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The exception that ended the step: OUTCOME_RAISED and, where it was honoured, OUTCOME_INTERRUPTED,
	// OUTCOME_TIMED_OUT and OUTCOME_LIMIT_EXCEEDED. Absent otherwise.
	Exception *PythonException `protobuf:"bytes,1,opt,name=exception,proto3" json:"exception,omitempty"`
	// True when `result` was cut at Limits.result_bytes.
	ResultTruncated bool `protobuf:"varint,2,opt,name=result_truncated,json=resultTruncated,proto3" json:"result_truncated,omitempty"`
	// Displays past Limits.displays, which are not in the observation.
	DisplaysDropped uint32 `protobuf:"varint,3,opt,name=displays_dropped,json=displaysDropped,proto3" json:"displays_dropped,omitempty"`
	unknownFields   protoimpl.UnknownFields
	sizeCache       protoimpl.SizeCache
}

func (x *Reported) Reset() {
	*x = Reported{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[25]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Reported) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Reported) ProtoMessage() {}

func (x *Reported) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[25]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Reported.ProtoReflect.Descriptor instead.
func (*Reported) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{25}
}

func (x *Reported) GetException() *PythonException {
	if x != nil {
		return x.Exception
	}
	return nil
}

func (x *Reported) GetResultTruncated() bool {
	if x != nil {
		return x.ResultTruncated
	}
	return false
}

func (x *Reported) GetDisplaysDropped() uint32 {
	if x != nil {
		return x.DisplaysDropped
	}
	return 0
}

// An uncaught Python exception.
type PythonException struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// Its class, with the module unless that is builtins or __main__: "ZeroDivisionError", "json.decoder.JSONDecodeError".
	Type string `protobuf:"bytes,1,opt,name=type,proto3" json:"type,omitempty"`
	// `str()` of it, at most 4 KiB.
	Message       string `protobuf:"bytes,2,opt,name=message,proto3" json:"message,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *PythonException) Reset() {
	*x = PythonException{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[26]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *PythonException) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*PythonException) ProtoMessage() {}

func (x *PythonException) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[26]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use PythonException.ProtoReflect.Descriptor instead.
func (*PythonException) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{26}
}

func (x *PythonException) GetType() string {
	if x != nil {
		return x.Type
	}
	return ""
}

func (x *PythonException) GetMessage() string {
	if x != nil {
		return x.Message
	}
	return ""
}

// Facts that the server measured.
type Observed struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// What the step used.
	Usage *Usage `protobuf:"bytes,1,opt,name=usage,proto3" json:"usage,omitempty"`
	// What threads of the episode used between the previous step and this one; with USAGE_SCOPE_TREE its other processes
	// too. Absent when they used nothing.
	Background *Usage `protobuf:"bytes,2,opt,name=background,proto3" json:"background,omitempty"`
	// Bytes of stdout that were written.
	StdoutTotalBytes uint64 `protobuf:"varint,3,opt,name=stdout_total_bytes,json=stdoutTotalBytes,proto3" json:"stdout_total_bytes,omitempty"`
	// Bytes of stderr that were written.
	StderrTotalBytes uint64 `protobuf:"varint,4,opt,name=stderr_total_bytes,json=stderrTotalBytes,proto3" json:"stderr_total_bytes,omitempty"`
	// Bytes of text in `observation.stdout`, without the marker.
	StdoutKeptBytes uint32 `protobuf:"varint,5,opt,name=stdout_kept_bytes,json=stdoutKeptBytes,proto3" json:"stdout_kept_bytes,omitempty"`
	// Bytes of text in `observation.stderr`, without the marker.
	StderrKeptBytes uint32 `protobuf:"varint,6,opt,name=stderr_kept_bytes,json=stderrKeptBytes,proto3" json:"stderr_kept_bytes,omitempty"`
	// True when the middle of stdout was dropped.
	StdoutTruncated bool `protobuf:"varint,7,opt,name=stdout_truncated,json=stdoutTruncated,proto3" json:"stdout_truncated,omitempty"`
	// True when the middle of stderr was dropped.
	StderrTruncated bool `protobuf:"varint,8,opt,name=stderr_truncated,json=stderrTruncated,proto3" json:"stderr_truncated,omitempty"`
	// The limit that ended the step, or one of its processes: OUTCOME_LIMIT_EXCEEDED and OUTCOME_TIMED_OUT.
	Limit LimitKind `protobuf:"varint,9,opt,name=limit,proto3,enum=coding_env.v1.LimitKind" json:"limit,omitempty"`
	// The signal that ended the interpreter process: signal(7). Absent when none did.
	Signal *uint32 `protobuf:"varint,10,opt,name=signal,proto3,oneof" json:"signal,omitempty"`
	// The status with which the interpreter process left by itself. Absent when it lives on or a signal ended it.
	ProcessExitCode *int32 `protobuf:"varint,11,opt,name=process_exit_code,json=processExitCode,proto3,oneof" json:"process_exit_code,omitempty"`
	// What was wrong with the program's report: OUTCOME_PROTOCOL_VIOLATION. Empty otherwise.
	Violation string `protobuf:"bytes,12,opt,name=violation,proto3" json:"violation,omitempty"`
	// The limits that the step ran into, each once, in the order of their numbers: `limit`, and those that only made calls
	// of the program fail (LIMIT_KIND_PROCESSES) or ended one of its children. Only what can be seen from outside: not
	// what Python raised by itself.
	LimitsHit []LimitKind `protobuf:"varint,13,rep,packed,name=limits_hit,json=limitsHit,proto3,enum=coding_env.v1.LimitKind" json:"limits_hit,omitempty"`
	// What the whole process tree of the episode used in the step: scope USAGE_SCOPE_TREE. Absent where no control
	// group measures it, or the step was too short to ask.
	TreeUsage     *Usage `protobuf:"bytes,14,opt,name=tree_usage,json=treeUsage,proto3" json:"tree_usage,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Observed) Reset() {
	*x = Observed{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[27]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Observed) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Observed) ProtoMessage() {}

func (x *Observed) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[27]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Observed.ProtoReflect.Descriptor instead.
func (*Observed) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{27}
}

func (x *Observed) GetUsage() *Usage {
	if x != nil {
		return x.Usage
	}
	return nil
}

func (x *Observed) GetBackground() *Usage {
	if x != nil {
		return x.Background
	}
	return nil
}

func (x *Observed) GetStdoutTotalBytes() uint64 {
	if x != nil {
		return x.StdoutTotalBytes
	}
	return 0
}

func (x *Observed) GetStderrTotalBytes() uint64 {
	if x != nil {
		return x.StderrTotalBytes
	}
	return 0
}

func (x *Observed) GetStdoutKeptBytes() uint32 {
	if x != nil {
		return x.StdoutKeptBytes
	}
	return 0
}

func (x *Observed) GetStderrKeptBytes() uint32 {
	if x != nil {
		return x.StderrKeptBytes
	}
	return 0
}

func (x *Observed) GetStdoutTruncated() bool {
	if x != nil {
		return x.StdoutTruncated
	}
	return false
}

func (x *Observed) GetStderrTruncated() bool {
	if x != nil {
		return x.StderrTruncated
	}
	return false
}

func (x *Observed) GetLimit() LimitKind {
	if x != nil {
		return x.Limit
	}
	return LimitKind_LIMIT_KIND_UNSPECIFIED
}

func (x *Observed) GetSignal() uint32 {
	if x != nil && x.Signal != nil {
		return *x.Signal
	}
	return 0
}

func (x *Observed) GetProcessExitCode() int32 {
	if x != nil && x.ProcessExitCode != nil {
		return *x.ProcessExitCode
	}
	return 0
}

func (x *Observed) GetViolation() string {
	if x != nil {
		return x.Violation
	}
	return ""
}

func (x *Observed) GetLimitsHit() []LimitKind {
	if x != nil {
		return x.LimitsHit
	}
	return nil
}

func (x *Observed) GetTreeUsage() *Usage {
	if x != nil {
		return x.TreeUsage
	}
	return nil
}

// What a step, or all of them, used. A field is absent where it could not be measured.
type Usage struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// Whose usage this is.
	Scope UsageScope `protobuf:"varint,1,opt,name=scope,proto3,enum=coding_env.v1.UsageScope" json:"scope,omitempty"`
	// From when the code started to when its end was known.
	WallTime *durationpb.Duration `protobuf:"bytes,2,opt,name=wall_time,json=wallTime,proto3" json:"wall_time,omitempty"`
	// From when the step was admitted to when the code started.
	QueuedTime *durationpb.Duration `protobuf:"bytes,3,opt,name=queued_time,json=queuedTime,proto3" json:"queued_time,omitempty"`
	// CPU time in user mode. With cpu_system_time it adds up to the exact total; the split is the kernel's, by
	// samples (getrusage(2) does the same), and an estimate where a step is shorter than its ticks.
	CpuUserTime *durationpb.Duration `protobuf:"bytes,4,opt,name=cpu_user_time,json=cpuUserTime,proto3" json:"cpu_user_time,omitempty"`
	// CPU time in the kernel.
	CpuSystemTime *durationpb.Duration `protobuf:"bytes,5,opt,name=cpu_system_time,json=cpuSystemTime,proto3" json:"cpu_system_time,omitempty"`
	// The most memory that was resident at once (VmHWM, proc(5)), to within 1 MiB for a step that did not raise
	// it. With USAGE_SCOPE_TREE: the most that was charged to the episode's control group at once since its Reset.
	PeakMemoryBytes *uint64 `protobuf:"varint,6,opt,name=peak_memory_bytes,json=peakMemoryBytes,proto3,oneof" json:"peak_memory_bytes,omitempty"`
	// Page faults that needed no input or output.
	MinorPageFaults *uint64 `protobuf:"varint,7,opt,name=minor_page_faults,json=minorPageFaults,proto3,oneof" json:"minor_page_faults,omitempty"`
	// Page faults that did.
	MajorPageFaults *uint64 `protobuf:"varint,8,opt,name=major_page_faults,json=majorPageFaults,proto3,oneof" json:"major_page_faults,omitempty"`
	unknownFields   protoimpl.UnknownFields
	sizeCache       protoimpl.SizeCache
}

func (x *Usage) Reset() {
	*x = Usage{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[28]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Usage) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Usage) ProtoMessage() {}

func (x *Usage) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[28]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Usage.ProtoReflect.Descriptor instead.
func (*Usage) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{28}
}

func (x *Usage) GetScope() UsageScope {
	if x != nil {
		return x.Scope
	}
	return UsageScope_USAGE_SCOPE_UNSPECIFIED
}

func (x *Usage) GetWallTime() *durationpb.Duration {
	if x != nil {
		return x.WallTime
	}
	return nil
}

func (x *Usage) GetQueuedTime() *durationpb.Duration {
	if x != nil {
		return x.QueuedTime
	}
	return nil
}

func (x *Usage) GetCpuUserTime() *durationpb.Duration {
	if x != nil {
		return x.CpuUserTime
	}
	return nil
}

func (x *Usage) GetCpuSystemTime() *durationpb.Duration {
	if x != nil {
		return x.CpuSystemTime
	}
	return nil
}

func (x *Usage) GetPeakMemoryBytes() uint64 {
	if x != nil && x.PeakMemoryBytes != nil {
		return *x.PeakMemoryBytes
	}
	return 0
}

func (x *Usage) GetMinorPageFaults() uint64 {
	if x != nil && x.MinorPageFaults != nil {
		return *x.MinorPageFaults
	}
	return 0
}

func (x *Usage) GetMajorPageFaults() uint64 {
	if x != nil && x.MajorPageFaults != nil {
		return *x.MajorPageFaults
	}
	return 0
}

// What happened to a lost episode.
type Loss struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The step that told, or that would have been next.
	StepIndex uint32 `protobuf:"varint,1,opt,name=step_index,json=stepIndex,proto3" json:"step_index,omitempty"`
	// How that step ended; OUTCOME_UNSPECIFIED when the interpreter ended between steps.
	Outcome Outcome `protobuf:"varint,2,opt,name=outcome,proto3,enum=coding_env.v1.Outcome" json:"outcome,omitempty"`
	// One sentence for people.
	Description   string `protobuf:"bytes,3,opt,name=description,proto3" json:"description,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Loss) Reset() {
	*x = Loss{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[29]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Loss) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Loss) ProtoMessage() {}

func (x *Loss) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[29]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Loss.ProtoReflect.Descriptor instead.
func (*Loss) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{29}
}

func (x *Loss) GetStepIndex() uint32 {
	if x != nil {
		return x.StepIndex
	}
	return 0
}

func (x *Loss) GetOutcome() Outcome {
	if x != nil {
		return x.Outcome
	}
	return Outcome_OUTCOME_UNSPECIFIED
}

func (x *Loss) GetDescription() string {
	if x != nil {
		return x.Description
	}
	return ""
}

// Limits of the calls that move files: WriteFiles, ReadFiles, ListFiles, DeleteFiles, and ResetRequest.files. A file's size is bounded by
// Limits.file_bytes, all files of an episode by Limits.workspace_bytes and Limits.workspace_inodes where the server holds those. What clients
// write does not count against Limits.total_memory_bytes.
type FileLimits struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// Calls that move files at the same time, over all episodes. More wait their turn, one of each token's name after the other.
	Calls uint32 `protobuf:"varint,1,opt,name=calls,proto3" json:"calls,omitempty"`
	// Calls that wait for a turn. Past it a call is FILES_LIMIT.
	WaitingCalls uint32 `protobuf:"varint,2,opt,name=waiting_calls,json=waitingCalls,proto3" json:"waiting_calls,omitempty"`
	// Files and directories that a call moves, lists or deletes. A WriteFiles with more is INVALID_FIELD; the others stop there and
	// say so (`truncated`).
	FilesPerCall uint32 `protobuf:"varint,3,opt,name=files_per_call,json=filesPerCall,proto3" json:"files_per_call,omitempty"`
	// Bytes of data that a call moves. A WriteFiles with more is INVALID_FIELD; a ReadFiles stops there and says so.
	BytesPerCall uint64 `protobuf:"varint,4,opt,name=bytes_per_call,json=bytesPerCall,proto3" json:"bytes_per_call,omitempty"`
	// The data of one FileChunk of a WriteFiles. More is INVALID_FIELD. ServerLimits.request_bytes bounds a whole message.
	ChunkBytes uint32 `protobuf:"varint,5,opt,name=chunk_bytes,json=chunkBytes,proto3" json:"chunk_bytes,omitempty"`
	// The longest path. Past it INVALID_FIELD; what lies deeper in the workspace is not reached.
	PathBytes uint32 `protobuf:"varint,6,opt,name=path_bytes,json=pathBytes,proto3" json:"path_bytes,omitempty"`
	// The most components of a path. Past it as for `path_bytes`.
	Depth uint32 `protobuf:"varint,7,opt,name=depth,proto3" json:"depth,omitempty"`
	// The most entries of the field `files` of a ReadFiles, ListFiles or DeleteFiles. Past it INVALID_FIELD.
	Selectors uint32 `protobuf:"varint,8,opt,name=selectors,proto3" json:"selectors,omitempty"`
	// How many files a Reset may bring.
	ResetFiles uint32 `protobuf:"varint,9,opt,name=reset_files,json=resetFiles,proto3" json:"reset_files,omitempty"`
	// The sum of their data.
	ResetBytes uint32 `protobuf:"varint,10,opt,name=reset_bytes,json=resetBytes,proto3" json:"reset_bytes,omitempty"`
	// How long a call waits for the client to send or to take something. Past it the call is FILES_STALLED.
	StallTimeout  *durationpb.Duration `protobuf:"bytes,11,opt,name=stall_timeout,json=stallTimeout,proto3" json:"stall_timeout,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *FileLimits) Reset() {
	*x = FileLimits{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[30]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *FileLimits) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*FileLimits) ProtoMessage() {}

func (x *FileLimits) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[30]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use FileLimits.ProtoReflect.Descriptor instead.
func (*FileLimits) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{30}
}

func (x *FileLimits) GetCalls() uint32 {
	if x != nil {
		return x.Calls
	}
	return 0
}

func (x *FileLimits) GetWaitingCalls() uint32 {
	if x != nil {
		return x.WaitingCalls
	}
	return 0
}

func (x *FileLimits) GetFilesPerCall() uint32 {
	if x != nil {
		return x.FilesPerCall
	}
	return 0
}

func (x *FileLimits) GetBytesPerCall() uint64 {
	if x != nil {
		return x.BytesPerCall
	}
	return 0
}

func (x *FileLimits) GetChunkBytes() uint32 {
	if x != nil {
		return x.ChunkBytes
	}
	return 0
}

func (x *FileLimits) GetPathBytes() uint32 {
	if x != nil {
		return x.PathBytes
	}
	return 0
}

func (x *FileLimits) GetDepth() uint32 {
	if x != nil {
		return x.Depth
	}
	return 0
}

func (x *FileLimits) GetSelectors() uint32 {
	if x != nil {
		return x.Selectors
	}
	return 0
}

func (x *FileLimits) GetResetFiles() uint32 {
	if x != nil {
		return x.ResetFiles
	}
	return 0
}

func (x *FileLimits) GetResetBytes() uint32 {
	if x != nil {
		return x.ResetBytes
	}
	return 0
}

func (x *FileLimits) GetStallTimeout() *durationpb.Duration {
	if x != nil {
		return x.StallTimeout
	}
	return nil
}

// A file that a workspace has from the start.
type ResetFile struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// Its path, where that is UTF-8. See "Files" at the top.
	Path string `protobuf:"bytes,1,opt,name=path,proto3" json:"path,omitempty"`
	// Its path, where it is not.
	RawPath []byte `protobuf:"bytes,2,opt,name=raw_path,json=rawPath,proto3" json:"raw_path,omitempty"`
	// Its permission bits: 0 to 0777 (octal). Default 0644.
	Mode *uint32 `protobuf:"varint,3,opt,name=mode,proto3,oneof" json:"mode,omitempty"`
	// When it was last modified. Default: the time of the Reset.
	ModifyTime *timestamppb.Timestamp `protobuf:"bytes,4,opt,name=modify_time,json=modifyTime,proto3" json:"modify_time,omitempty"`
	// What is in it.
	Data          []byte `protobuf:"bytes,5,opt,name=data,proto3" json:"data,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ResetFile) Reset() {
	*x = ResetFile{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[31]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ResetFile) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ResetFile) ProtoMessage() {}

func (x *ResetFile) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[31]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ResetFile.ProtoReflect.Descriptor instead.
func (*ResetFile) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{31}
}

func (x *ResetFile) GetPath() string {
	if x != nil {
		return x.Path
	}
	return ""
}

func (x *ResetFile) GetRawPath() []byte {
	if x != nil {
		return x.RawPath
	}
	return nil
}

func (x *ResetFile) GetMode() uint32 {
	if x != nil && x.Mode != nil {
		return *x.Mode
	}
	return 0
}

func (x *ResetFile) GetModifyTime() *timestamppb.Timestamp {
	if x != nil {
		return x.ModifyTime
	}
	return nil
}

func (x *ResetFile) GetData() []byte {
	if x != nil {
		return x.Data
	}
	return nil
}

// What a file is. A WriteFiles says so of files that are to be, the other calls of those that are.
type FileInfo struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// Its path, where that is UTF-8. See "Files" at the top.
	Path string `protobuf:"bytes,1,opt,name=path,proto3" json:"path,omitempty"`
	// Its path, where it is not.
	RawPath []byte `protobuf:"bytes,2,opt,name=raw_path,json=rawPath,proto3" json:"raw_path,omitempty"`
	// What it is. WriteFiles: FILE_KIND_FILE, which is the default, or FILE_KIND_DIRECTORY, which has no data.
	Kind FileKind `protobuf:"varint,3,opt,name=kind,proto3,enum=coding_env.v1.FileKind" json:"kind,omitempty"`
	// Its permission bits: 0 to 0777 (octal). WriteFiles: default 0644, of a directory 0755; one that is there already keeps its own when this is
	// absent.
	Mode *uint32 `protobuf:"varint,4,opt,name=mode,proto3,oneof" json:"mode,omitempty"`
	// Its size in bytes, as the file system tells it; how many bytes come is another matter. WriteFiles: how many bytes come, if it is
	// known; when as many don't come the file is FILE_ERROR_KIND_MISMATCH.
	Size *uint64 `protobuf:"varint,5,opt,name=size,proto3,oneof" json:"size,omitempty"`
	// When it was last modified. WriteFiles: default the time of its `end`.
	ModifyTime *timestamppb.Timestamp `protobuf:"bytes,6,opt,name=modify_time,json=modifyTime,proto3" json:"modify_time,omitempty"`
	// SHA-256 of its content: ListFiles of a regular file, where asked for. Empty otherwise.
	Sha256        []byte `protobuf:"bytes,7,opt,name=sha256,proto3" json:"sha256,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *FileInfo) Reset() {
	*x = FileInfo{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[32]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *FileInfo) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*FileInfo) ProtoMessage() {}

func (x *FileInfo) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[32]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use FileInfo.ProtoReflect.Descriptor instead.
func (*FileInfo) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{32}
}

func (x *FileInfo) GetPath() string {
	if x != nil {
		return x.Path
	}
	return ""
}

func (x *FileInfo) GetRawPath() []byte {
	if x != nil {
		return x.RawPath
	}
	return nil
}

func (x *FileInfo) GetKind() FileKind {
	if x != nil {
		return x.Kind
	}
	return FileKind_FILE_KIND_UNSPECIFIED
}

func (x *FileInfo) GetMode() uint32 {
	if x != nil && x.Mode != nil {
		return *x.Mode
	}
	return 0
}

func (x *FileInfo) GetSize() uint64 {
	if x != nil && x.Size != nil {
		return *x.Size
	}
	return 0
}

func (x *FileInfo) GetModifyTime() *timestamppb.Timestamp {
	if x != nil {
		return x.ModifyTime
	}
	return nil
}

func (x *FileInfo) GetSha256() []byte {
	if x != nil {
		return x.Sha256
	}
	return nil
}

// A piece of a file. Pieces come in order; one file is over before the next begins.
type FileChunk struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// Begins a file. Absent in the pieces that follow.
	File *FileInfo `protobuf:"bytes,1,opt,name=file,proto3" json:"file,omitempty"`
	// What comes next of its content.
	Data []byte `protobuf:"bytes,2,opt,name=data,proto3" json:"data,omitempty"`
	// Ends the file. A small file is one chunk: `file`, `data` and `end` together.
	End           *FileEnd `protobuf:"bytes,3,opt,name=end,proto3" json:"end,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *FileChunk) Reset() {
	*x = FileChunk{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[33]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *FileChunk) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*FileChunk) ProtoMessage() {}

func (x *FileChunk) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[33]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use FileChunk.ProtoReflect.Descriptor instead.
func (*FileChunk) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{33}
}

func (x *FileChunk) GetFile() *FileInfo {
	if x != nil {
		return x.File
	}
	return nil
}

func (x *FileChunk) GetData() []byte {
	if x != nil {
		return x.Data
	}
	return nil
}

func (x *FileChunk) GetEnd() *FileEnd {
	if x != nil {
		return x.End
	}
	return nil
}

// The end of a file.
type FileEnd struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// SHA-256 of the content, where the request says so (`sha256`). Empty otherwise.
	Sha256 []byte `protobuf:"bytes,1,opt,name=sha256,proto3" json:"sha256,omitempty"`
	// Why what came is not the whole file. WriteFiles: set by a client that can't go on; the file is not written. Absent when it is whole.
	Error         *FileError `protobuf:"bytes,2,opt,name=error,proto3" json:"error,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *FileEnd) Reset() {
	*x = FileEnd{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[34]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *FileEnd) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*FileEnd) ProtoMessage() {}

func (x *FileEnd) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[34]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use FileEnd.ProtoReflect.Descriptor instead.
func (*FileEnd) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{34}
}

func (x *FileEnd) GetSha256() []byte {
	if x != nil {
		return x.Sha256
	}
	return nil
}

func (x *FileEnd) GetError() *FileError {
	if x != nil {
		return x.Error
	}
	return nil
}

// What went wrong with one file.
type FileError struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// What it is, for programs.
	Kind FileErrorKind `protobuf:"varint,1,opt,name=kind,proto3,enum=coding_env.v1.FileErrorKind" json:"kind,omitempty"`
	// The same for people, with what would be right.
	Message       string `protobuf:"bytes,2,opt,name=message,proto3" json:"message,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *FileError) Reset() {
	*x = FileError{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[35]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *FileError) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*FileError) ProtoMessage() {}

func (x *FileError) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[35]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use FileError.ProtoReflect.Descriptor instead.
func (*FileError) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{35}
}

func (x *FileError) GetKind() FileErrorKind {
	if x != nil {
		return x.Kind
	}
	return FileErrorKind_FILE_ERROR_KIND_UNSPECIFIED
}

func (x *FileError) GetMessage() string {
	if x != nil {
		return x.Message
	}
	return ""
}

// A path with which something went wrong.
type FileFailure struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The path, where it is UTF-8.
	Path string `protobuf:"bytes,1,opt,name=path,proto3" json:"path,omitempty"`
	// The path, where it is not.
	RawPath []byte `protobuf:"bytes,2,opt,name=raw_path,json=rawPath,proto3" json:"raw_path,omitempty"`
	// What went wrong.
	Error         *FileError `protobuf:"bytes,3,opt,name=error,proto3" json:"error,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *FileFailure) Reset() {
	*x = FileFailure{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[36]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *FileFailure) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*FileFailure) ProtoMessage() {}

func (x *FileFailure) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[36]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use FileFailure.ProtoReflect.Descriptor instead.
func (*FileFailure) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{36}
}

func (x *FileFailure) GetPath() string {
	if x != nil {
		return x.Path
	}
	return ""
}

func (x *FileFailure) GetRawPath() []byte {
	if x != nil {
		return x.RawPath
	}
	return nil
}

func (x *FileFailure) GetError() *FileError {
	if x != nil {
		return x.Error
	}
	return nil
}

// Which files are meant.
type FileSelector struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// One of these is set.
	//
	// Types that are valid to be assigned to Selector:
	//
	//	*FileSelector_Path
	//	*FileSelector_RawPath
	//	*FileSelector_Glob
	Selector      isFileSelector_Selector `protobuf_oneof:"selector"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *FileSelector) Reset() {
	*x = FileSelector{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[37]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *FileSelector) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*FileSelector) ProtoMessage() {}

func (x *FileSelector) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[37]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use FileSelector.ProtoReflect.Descriptor instead.
func (*FileSelector) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{37}
}

func (x *FileSelector) GetSelector() isFileSelector_Selector {
	if x != nil {
		return x.Selector
	}
	return nil
}

func (x *FileSelector) GetPath() string {
	if x != nil {
		if x, ok := x.Selector.(*FileSelector_Path); ok {
			return x.Path
		}
	}
	return ""
}

func (x *FileSelector) GetRawPath() []byte {
	if x != nil {
		if x, ok := x.Selector.(*FileSelector_RawPath); ok {
			return x.RawPath
		}
	}
	return nil
}

func (x *FileSelector) GetGlob() string {
	if x != nil {
		if x, ok := x.Selector.(*FileSelector_Glob); ok {
			return x.Glob
		}
	}
	return ""
}

type isFileSelector_Selector interface {
	isFileSelector_Selector()
}

type FileSelector_Path struct {
	// The file with this path.
	Path string `protobuf:"bytes,1,opt,name=path,proto3,oneof"`
}

type FileSelector_RawPath struct {
	// The file with this path, which is not UTF-8.
	RawPath []byte `protobuf:"bytes,2,opt,name=raw_path,json=rawPath,proto3,oneof"`
}

type FileSelector_Glob struct {
	// All that match: "*" is any bytes but "/", "?" one of them, "[a-c]" one of these and "[!a-c]" one that is none of these, "{a,b}" one or the other,
	// "**" as a whole component any number of components; a backslash takes the meaning of the next. Names that begin with a dot match as others do.
	// At most FileLimits.path_bytes.
	Glob string `protobuf:"bytes,3,opt,name=glob,proto3,oneof"`
}

func (*FileSelector_Path) isFileSelector_Selector() {}

func (*FileSelector_RawPath) isFileSelector_Selector() {}

func (*FileSelector_Glob) isFileSelector_Selector() {}

// What a call found, in its last message.
type FilesSummary struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// Files (and, where they were asked for, directories) that were read to their end, or listed.
	Files uint32 `protobuf:"varint,1,opt,name=files,proto3" json:"files,omitempty"`
	// Bytes of data that were sent.
	Bytes uint64 `protobuf:"varint,2,opt,name=bytes,proto3" json:"bytes,omitempty"`
	// What could not be read or looked at.
	Failed uint32 `protobuf:"varint,3,opt,name=failed,proto3" json:"failed,omitempty"`
	// The first of those: at most 1,000, and 256 KiB of paths and messages.
	Failures []*FileFailure `protobuf:"bytes,4,rep,name=failures,proto3" json:"failures,omitempty"`
	// True when a limit ended the call before all was found: FileLimits, or the bounds of a walk (a million entries, and 4 MiB of paths of directories to
	// look into).
	Truncated     bool `protobuf:"varint,5,opt,name=truncated,proto3" json:"truncated,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *FilesSummary) Reset() {
	*x = FilesSummary{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[38]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *FilesSummary) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*FilesSummary) ProtoMessage() {}

func (x *FilesSummary) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[38]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use FilesSummary.ProtoReflect.Descriptor instead.
func (*FilesSummary) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{38}
}

func (x *FilesSummary) GetFiles() uint32 {
	if x != nil {
		return x.Files
	}
	return 0
}

func (x *FilesSummary) GetBytes() uint64 {
	if x != nil {
		return x.Bytes
	}
	return 0
}

func (x *FilesSummary) GetFailed() uint32 {
	if x != nil {
		return x.Failed
	}
	return 0
}

func (x *FilesSummary) GetFailures() []*FileFailure {
	if x != nil {
		return x.Failures
	}
	return nil
}

func (x *FilesSummary) GetTruncated() bool {
	if x != nil {
		return x.Truncated
	}
	return false
}

// A part of a WriteFiles.
type WriteFilesRequest struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The episode. Required in the first message; the same or empty in others.
	EpisodeId string `protobuf:"bytes,1,opt,name=episode_id,json=episodeId,proto3" json:"episode_id,omitempty"`
	// The next pieces of files. A message is best kept below 1 MiB; small files are best sent many in one.
	Chunks []*FileChunk `protobuf:"bytes,2,rep,name=chunks,proto3" json:"chunks,omitempty"`
	// In the first message: each file's `end` has its SHA-256; one that differs is FILE_ERROR_KIND_MISMATCH, and the file is not written.
	Sha256        bool `protobuf:"varint,3,opt,name=sha256,proto3" json:"sha256,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *WriteFilesRequest) Reset() {
	*x = WriteFilesRequest{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[39]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *WriteFilesRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*WriteFilesRequest) ProtoMessage() {}

func (x *WriteFilesRequest) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[39]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use WriteFilesRequest.ProtoReflect.Descriptor instead.
func (*WriteFilesRequest) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{39}
}

func (x *WriteFilesRequest) GetEpisodeId() string {
	if x != nil {
		return x.EpisodeId
	}
	return ""
}

func (x *WriteFilesRequest) GetChunks() []*FileChunk {
	if x != nil {
		return x.Chunks
	}
	return nil
}

func (x *WriteFilesRequest) GetSha256() bool {
	if x != nil {
		return x.Sha256
	}
	return false
}

// The reply to WriteFiles.
type WriteFilesResponse struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// Files and directories that are there now.
	Written uint32 `protobuf:"varint,1,opt,name=written,proto3" json:"written,omitempty"`
	// Bytes of data in them.
	Bytes uint64 `protobuf:"varint,2,opt,name=bytes,proto3" json:"bytes,omitempty"`
	// Files that were not written. What had their names is as it was.
	Failed uint32 `protobuf:"varint,3,opt,name=failed,proto3" json:"failed,omitempty"`
	// The first of those: at most 1,000, and 256 KiB of paths and messages.
	Failures []*FileFailure `protobuf:"bytes,4,rep,name=failures,proto3" json:"failures,omitempty"`
	// The server that holds the episode.
	ServerId      string `protobuf:"bytes,5,opt,name=server_id,json=serverId,proto3" json:"server_id,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *WriteFilesResponse) Reset() {
	*x = WriteFilesResponse{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[40]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *WriteFilesResponse) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*WriteFilesResponse) ProtoMessage() {}

func (x *WriteFilesResponse) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[40]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use WriteFilesResponse.ProtoReflect.Descriptor instead.
func (*WriteFilesResponse) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{40}
}

func (x *WriteFilesResponse) GetWritten() uint32 {
	if x != nil {
		return x.Written
	}
	return 0
}

func (x *WriteFilesResponse) GetBytes() uint64 {
	if x != nil {
		return x.Bytes
	}
	return 0
}

func (x *WriteFilesResponse) GetFailed() uint32 {
	if x != nil {
		return x.Failed
	}
	return 0
}

func (x *WriteFilesResponse) GetFailures() []*FileFailure {
	if x != nil {
		return x.Failures
	}
	return nil
}

func (x *WriteFilesResponse) GetServerId() string {
	if x != nil {
		return x.ServerId
	}
	return ""
}

// Asks for files.
type ReadFilesRequest struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The episode. Required.
	EpisodeId string `protobuf:"bytes,1,opt,name=episode_id,json=episodeId,proto3" json:"episode_id,omitempty"`
	// Which files. Required: at least one, at most FileLimits.selectors. What a `glob` finds that is no regular file is left out; a `path` that leads
	// to none is a failure.
	Files []*FileSelector `protobuf:"bytes,2,rep,name=files,proto3" json:"files,omitempty"`
	// Whether each file's `end` is to have its SHA-256.
	Sha256 bool `protobuf:"varint,3,opt,name=sha256,proto3" json:"sha256,omitempty"`
	// The most bytes to read of a file. A longer one ends there with FILE_ERROR_KIND_TOO_LARGE. Absent: what is left of FileLimits.bytes_per_call.
	MaxFileBytes *uint64 `protobuf:"varint,4,opt,name=max_file_bytes,json=maxFileBytes,proto3,oneof" json:"max_file_bytes,omitempty"`
	// Whether directories that a `glob` finds come too, as `file` and `end` without data.
	Directories   bool `protobuf:"varint,5,opt,name=directories,proto3" json:"directories,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ReadFilesRequest) Reset() {
	*x = ReadFilesRequest{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[41]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ReadFilesRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ReadFilesRequest) ProtoMessage() {}

func (x *ReadFilesRequest) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[41]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ReadFilesRequest.ProtoReflect.Descriptor instead.
func (*ReadFilesRequest) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{41}
}

func (x *ReadFilesRequest) GetEpisodeId() string {
	if x != nil {
		return x.EpisodeId
	}
	return ""
}

func (x *ReadFilesRequest) GetFiles() []*FileSelector {
	if x != nil {
		return x.Files
	}
	return nil
}

func (x *ReadFilesRequest) GetSha256() bool {
	if x != nil {
		return x.Sha256
	}
	return false
}

func (x *ReadFilesRequest) GetMaxFileBytes() uint64 {
	if x != nil && x.MaxFileBytes != nil {
		return *x.MaxFileBytes
	}
	return 0
}

func (x *ReadFilesRequest) GetDirectories() bool {
	if x != nil {
		return x.Directories
	}
	return false
}

// A part of the reply to ReadFiles.
type ReadFilesResponse struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The next pieces of files.
	Chunks []*FileChunk `protobuf:"bytes,1,rep,name=chunks,proto3" json:"chunks,omitempty"`
	// In the last message alone.
	Summary       *FilesSummary `protobuf:"bytes,2,opt,name=summary,proto3" json:"summary,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ReadFilesResponse) Reset() {
	*x = ReadFilesResponse{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[42]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ReadFilesResponse) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ReadFilesResponse) ProtoMessage() {}

func (x *ReadFilesResponse) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[42]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ReadFilesResponse.ProtoReflect.Descriptor instead.
func (*ReadFilesResponse) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{42}
}

func (x *ReadFilesResponse) GetChunks() []*FileChunk {
	if x != nil {
		return x.Chunks
	}
	return nil
}

func (x *ReadFilesResponse) GetSummary() *FilesSummary {
	if x != nil {
		return x.Summary
	}
	return nil
}

// Asks what files there are.
type ListFilesRequest struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The episode. Required.
	EpisodeId string `protobuf:"bytes,1,opt,name=episode_id,json=episodeId,proto3" json:"episode_id,omitempty"`
	// Which files; at most FileLimits.selectors. Empty: all, as the glob "**".
	Files []*FileSelector `protobuf:"bytes,2,rep,name=files,proto3" json:"files,omitempty"`
	// Whether to read regular files and tell their SHA-256. FileLimits.bytes_per_call bounds what is read; files past it come without.
	Sha256        bool `protobuf:"varint,3,opt,name=sha256,proto3" json:"sha256,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ListFilesRequest) Reset() {
	*x = ListFilesRequest{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[43]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ListFilesRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ListFilesRequest) ProtoMessage() {}

func (x *ListFilesRequest) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[43]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ListFilesRequest.ProtoReflect.Descriptor instead.
func (*ListFilesRequest) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{43}
}

func (x *ListFilesRequest) GetEpisodeId() string {
	if x != nil {
		return x.EpisodeId
	}
	return ""
}

func (x *ListFilesRequest) GetFiles() []*FileSelector {
	if x != nil {
		return x.Files
	}
	return nil
}

func (x *ListFilesRequest) GetSha256() bool {
	if x != nil {
		return x.Sha256
	}
	return false
}

// A part of the reply to ListFiles.
type ListFilesResponse struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// What there is.
	Files []*FileInfo `protobuf:"bytes,1,rep,name=files,proto3" json:"files,omitempty"`
	// In the last message alone.
	Summary       *FilesSummary `protobuf:"bytes,2,opt,name=summary,proto3" json:"summary,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ListFilesResponse) Reset() {
	*x = ListFilesResponse{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[44]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ListFilesResponse) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ListFilesResponse) ProtoMessage() {}

func (x *ListFilesResponse) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[44]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ListFilesResponse.ProtoReflect.Descriptor instead.
func (*ListFilesResponse) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{44}
}

func (x *ListFilesResponse) GetFiles() []*FileInfo {
	if x != nil {
		return x.Files
	}
	return nil
}

func (x *ListFilesResponse) GetSummary() *FilesSummary {
	if x != nil {
		return x.Summary
	}
	return nil
}

// Asks to delete files.
type DeleteFilesRequest struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The episode. Required.
	EpisodeId string `protobuf:"bytes,1,opt,name=episode_id,json=episodeId,proto3" json:"episode_id,omitempty"`
	// Which files. Required: at least one, at most FileLimits.selectors.
	Files []*FileSelector `protobuf:"bytes,2,rep,name=files,proto3" json:"files,omitempty"`
	// Whether directories go with all that is in them. Without it one that is not empty is FILE_ERROR_KIND_NOT_EMPTY.
	Recursive     bool `protobuf:"varint,3,opt,name=recursive,proto3" json:"recursive,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *DeleteFilesRequest) Reset() {
	*x = DeleteFilesRequest{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[45]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *DeleteFilesRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*DeleteFilesRequest) ProtoMessage() {}

func (x *DeleteFilesRequest) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[45]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use DeleteFilesRequest.ProtoReflect.Descriptor instead.
func (*DeleteFilesRequest) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{45}
}

func (x *DeleteFilesRequest) GetEpisodeId() string {
	if x != nil {
		return x.EpisodeId
	}
	return ""
}

func (x *DeleteFilesRequest) GetFiles() []*FileSelector {
	if x != nil {
		return x.Files
	}
	return nil
}

func (x *DeleteFilesRequest) GetRecursive() bool {
	if x != nil {
		return x.Recursive
	}
	return false
}

// The reply to DeleteFiles.
type DeleteFilesResponse struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// Files, links and directories that were deleted, each one counted.
	Deleted uint32 `protobuf:"varint,1,opt,name=deleted,proto3" json:"deleted,omitempty"`
	// What could not be deleted.
	Failed uint32 `protobuf:"varint,2,opt,name=failed,proto3" json:"failed,omitempty"`
	// The first of those: at most 1,000, and 256 KiB of paths and messages.
	Failures []*FileFailure `protobuf:"bytes,3,rep,name=failures,proto3" json:"failures,omitempty"`
	// True when FileLimits.files_per_call, or the bounds of a walk (see FilesSummary), ended the call before all was deleted: repeat it.
	Truncated bool `protobuf:"varint,4,opt,name=truncated,proto3" json:"truncated,omitempty"`
	// The server that holds the episode.
	ServerId      string `protobuf:"bytes,5,opt,name=server_id,json=serverId,proto3" json:"server_id,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *DeleteFilesResponse) Reset() {
	*x = DeleteFilesResponse{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[46]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *DeleteFilesResponse) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*DeleteFilesResponse) ProtoMessage() {}

func (x *DeleteFilesResponse) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[46]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use DeleteFilesResponse.ProtoReflect.Descriptor instead.
func (*DeleteFilesResponse) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{46}
}

func (x *DeleteFilesResponse) GetDeleted() uint32 {
	if x != nil {
		return x.Deleted
	}
	return 0
}

func (x *DeleteFilesResponse) GetFailed() uint32 {
	if x != nil {
		return x.Failed
	}
	return 0
}

func (x *DeleteFilesResponse) GetFailures() []*FileFailure {
	if x != nil {
		return x.Failures
	}
	return nil
}

func (x *DeleteFilesResponse) GetTruncated() bool {
	if x != nil {
		return x.Truncated
	}
	return false
}

func (x *DeleteFilesResponse) GetServerId() string {
	if x != nil {
		return x.ServerId
	}
	return ""
}

// Asks for one step, and for its output while it runs.
type StepStreamRequest struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The step, as for Step.
	Step *StepRequest `protobuf:"bytes,1,opt,name=step,proto3" json:"step,omitempty"`
	// After how long without a response a heartbeat is sent. Default 10 s; range 100 ms to 1 h; other values are
	// INVALID_FIELD.
	Heartbeat *durationpb.Duration `protobuf:"bytes,2,opt,name=heartbeat,proto3" json:"heartbeat,omitempty"`
	// Only what was written to standard output from this offset on is told: for a retry, which has the bytes before. Default 0.
	StdoutOffset uint64 `protobuf:"varint,3,opt,name=stdout_offset,json=stdoutOffset,proto3" json:"stdout_offset,omitempty"`
	// The same for standard error.
	StderrOffset  uint64 `protobuf:"varint,4,opt,name=stderr_offset,json=stderrOffset,proto3" json:"stderr_offset,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *StepStreamRequest) Reset() {
	*x = StepStreamRequest{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[47]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *StepStreamRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*StepStreamRequest) ProtoMessage() {}

func (x *StepStreamRequest) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[47]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use StepStreamRequest.ProtoReflect.Descriptor instead.
func (*StepStreamRequest) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{47}
}

func (x *StepStreamRequest) GetStep() *StepRequest {
	if x != nil {
		return x.Step
	}
	return nil
}

func (x *StepStreamRequest) GetHeartbeat() *durationpb.Duration {
	if x != nil {
		return x.Heartbeat
	}
	return nil
}

func (x *StepStreamRequest) GetStdoutOffset() uint64 {
	if x != nil {
		return x.StdoutOffset
	}
	return 0
}

func (x *StepStreamRequest) GetStderrOffset() uint64 {
	if x != nil {
		return x.StderrOffset
	}
	return 0
}

// A part of what StepStream tells.
type StepStreamResponse struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// What it is. Clients MUST ignore one that they do not know.
	//
	// Types that are valid to be assigned to Event:
	//
	//	*StepStreamResponse_Piece
	//	*StepStreamResponse_Heartbeat
	//	*StepStreamResponse_Reply
	Event         isStepStreamResponse_Event `protobuf_oneof:"event"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *StepStreamResponse) Reset() {
	*x = StepStreamResponse{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[48]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *StepStreamResponse) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*StepStreamResponse) ProtoMessage() {}

func (x *StepStreamResponse) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[48]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use StepStreamResponse.ProtoReflect.Descriptor instead.
func (*StepStreamResponse) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{48}
}

func (x *StepStreamResponse) GetEvent() isStepStreamResponse_Event {
	if x != nil {
		return x.Event
	}
	return nil
}

func (x *StepStreamResponse) GetPiece() *OutputPiece {
	if x != nil {
		if x, ok := x.Event.(*StepStreamResponse_Piece); ok {
			return x.Piece
		}
	}
	return nil
}

func (x *StepStreamResponse) GetHeartbeat() *Heartbeat {
	if x != nil {
		if x, ok := x.Event.(*StepStreamResponse_Heartbeat); ok {
			return x.Heartbeat
		}
	}
	return nil
}

func (x *StepStreamResponse) GetReply() *StepResponse {
	if x != nil {
		if x, ok := x.Event.(*StepStreamResponse_Reply); ok {
			return x.Reply
		}
	}
	return nil
}

type isStepStreamResponse_Event interface {
	isStepStreamResponse_Event()
}

type StepStreamResponse_Piece struct {
	// Something was printed.
	Piece *OutputPiece `protobuf:"bytes,1,opt,name=piece,proto3,oneof"`
}

type StepStreamResponse_Heartbeat struct {
	// Nothing was told for as long as StepStreamRequest.heartbeat.
	Heartbeat *Heartbeat `protobuf:"bytes,2,opt,name=heartbeat,proto3,oneof"`
}

type StepStreamResponse_Reply struct {
	// The step has ended: what Step would have replied, texts included. Always the last.
	Reply *StepResponse `protobuf:"bytes,3,opt,name=reply,proto3,oneof"`
}

func (*StepStreamResponse_Piece) isStepStreamResponse_Event() {}

func (*StepStreamResponse_Heartbeat) isStepStreamResponse_Event() {}

func (*StepStreamResponse_Reply) isStepStreamResponse_Event() {}

// A part of what a step printed.
type OutputPiece struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// Where it was written to.
	Stream OutputStream `protobuf:"varint,1,opt,name=stream,proto3,enum=coding_env.v1.OutputStream" json:"stream,omitempty"`
	// Where it begins, in bytes from the step's start on this stream.
	Offset uint64 `protobuf:"varint,2,opt,name=offset,proto3" json:"offset,omitempty"`
	// What was written, as it was: at least 1 byte, at most 64 KiB.
	Data []byte `protobuf:"bytes,3,opt,name=data,proto3" json:"data,omitempty"`
	// Bytes of this stream right before `offset` that are not told: they were dropped, because the reader was too slow, or the kept output
	// has only head and tail.
	DroppedBytes  uint64 `protobuf:"varint,4,opt,name=dropped_bytes,json=droppedBytes,proto3" json:"dropped_bytes,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *OutputPiece) Reset() {
	*x = OutputPiece{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[49]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *OutputPiece) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*OutputPiece) ProtoMessage() {}

func (x *OutputPiece) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[49]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use OutputPiece.ProtoReflect.Descriptor instead.
func (*OutputPiece) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{49}
}

func (x *OutputPiece) GetStream() OutputStream {
	if x != nil {
		return x.Stream
	}
	return OutputStream_OUTPUT_STREAM_UNSPECIFIED
}

func (x *OutputPiece) GetOffset() uint64 {
	if x != nil {
		return x.Offset
	}
	return 0
}

func (x *OutputPiece) GetData() []byte {
	if x != nil {
		return x.Data
	}
	return nil
}

func (x *OutputPiece) GetDroppedBytes() uint64 {
	if x != nil {
		return x.DroppedBytes
	}
	return 0
}

// Says that the stream lives, although there is nothing to tell.
type Heartbeat struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// True while the step waits for its turn; false once it runs.
	Queued        bool `protobuf:"varint,1,opt,name=queued,proto3" json:"queued,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Heartbeat) Reset() {
	*x = Heartbeat{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[50]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Heartbeat) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Heartbeat) ProtoMessage() {}

func (x *Heartbeat) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[50]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Heartbeat.ProtoReflect.Descriptor instead.
func (*Heartbeat) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{50}
}

func (x *Heartbeat) GetQueued() bool {
	if x != nil {
		return x.Queued
	}
	return false
}

// A request on a session's stream.
type SessionRequest struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// What the client calls this request: not 0, and unique in the session. The id of a request that has no acknowledged
	// response means that request, sent again: it is not carried out twice. Ignored when there is no `request`.
	Id uint64 `protobuf:"varint,1,opt,name=id,proto3" json:"id,omitempty"`
	// The client has got all responses with a `number` up to this one, so that the server need not keep them. 0: none. A request without
	// `request` says only this, and gets no response. A client SHOULD send it at least every ServerLimits.session_requests / 2 responses.
	Received uint64 `protobuf:"varint,2,opt,name=received,proto3" json:"received,omitempty"`
	// What is asked for.
	//
	// Types that are valid to be assigned to Request:
	//
	//	*SessionRequest_Open
	//	*SessionRequest_Reset_
	//	*SessionRequest_Step
	//	*SessionRequest_StepStream
	//	*SessionRequest_GetState
	//	*SessionRequest_Interrupt
	//	*SessionRequest_Close
	//	*SessionRequest_Detach
	//	*SessionRequest_Fork
	//	*SessionRequest_Checkpoint
	//	*SessionRequest_Rollback
	//	*SessionRequest_Evaluate
	//	*SessionRequest_DropCheckpoint
	//	*SessionRequest_ListCheckpoints
	Request       isSessionRequest_Request `protobuf_oneof:"request"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *SessionRequest) Reset() {
	*x = SessionRequest{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[51]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *SessionRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*SessionRequest) ProtoMessage() {}

func (x *SessionRequest) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[51]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use SessionRequest.ProtoReflect.Descriptor instead.
func (*SessionRequest) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{51}
}

func (x *SessionRequest) GetId() uint64 {
	if x != nil {
		return x.Id
	}
	return 0
}

func (x *SessionRequest) GetReceived() uint64 {
	if x != nil {
		return x.Received
	}
	return 0
}

func (x *SessionRequest) GetRequest() isSessionRequest_Request {
	if x != nil {
		return x.Request
	}
	return nil
}

func (x *SessionRequest) GetOpen() *SessionOpen {
	if x != nil {
		if x, ok := x.Request.(*SessionRequest_Open); ok {
			return x.Open
		}
	}
	return nil
}

func (x *SessionRequest) GetReset_() *ResetRequest {
	if x != nil {
		if x, ok := x.Request.(*SessionRequest_Reset_); ok {
			return x.Reset_
		}
	}
	return nil
}

func (x *SessionRequest) GetStep() *StepRequest {
	if x != nil {
		if x, ok := x.Request.(*SessionRequest_Step); ok {
			return x.Step
		}
	}
	return nil
}

func (x *SessionRequest) GetStepStream() *StepStreamRequest {
	if x != nil {
		if x, ok := x.Request.(*SessionRequest_StepStream); ok {
			return x.StepStream
		}
	}
	return nil
}

func (x *SessionRequest) GetGetState() *GetStateRequest {
	if x != nil {
		if x, ok := x.Request.(*SessionRequest_GetState); ok {
			return x.GetState
		}
	}
	return nil
}

func (x *SessionRequest) GetInterrupt() *InterruptRequest {
	if x != nil {
		if x, ok := x.Request.(*SessionRequest_Interrupt); ok {
			return x.Interrupt
		}
	}
	return nil
}

func (x *SessionRequest) GetClose() *CloseRequest {
	if x != nil {
		if x, ok := x.Request.(*SessionRequest_Close); ok {
			return x.Close
		}
	}
	return nil
}

func (x *SessionRequest) GetDetach() *SessionDetach {
	if x != nil {
		if x, ok := x.Request.(*SessionRequest_Detach); ok {
			return x.Detach
		}
	}
	return nil
}

func (x *SessionRequest) GetFork() *ForkRequest {
	if x != nil {
		if x, ok := x.Request.(*SessionRequest_Fork); ok {
			return x.Fork
		}
	}
	return nil
}

func (x *SessionRequest) GetCheckpoint() *CheckpointRequest {
	if x != nil {
		if x, ok := x.Request.(*SessionRequest_Checkpoint); ok {
			return x.Checkpoint
		}
	}
	return nil
}

func (x *SessionRequest) GetRollback() *RollbackRequest {
	if x != nil {
		if x, ok := x.Request.(*SessionRequest_Rollback); ok {
			return x.Rollback
		}
	}
	return nil
}

func (x *SessionRequest) GetEvaluate() *EvaluateRequest {
	if x != nil {
		if x, ok := x.Request.(*SessionRequest_Evaluate); ok {
			return x.Evaluate
		}
	}
	return nil
}

func (x *SessionRequest) GetDropCheckpoint() *DropCheckpointRequest {
	if x != nil {
		if x, ok := x.Request.(*SessionRequest_DropCheckpoint); ok {
			return x.DropCheckpoint
		}
	}
	return nil
}

func (x *SessionRequest) GetListCheckpoints() *ListCheckpointsRequest {
	if x != nil {
		if x, ok := x.Request.(*SessionRequest_ListCheckpoints); ok {
			return x.ListCheckpoints
		}
	}
	return nil
}

type isSessionRequest_Request interface {
	isSessionRequest_Request()
}

type SessionRequest_Open struct {
	// Opens the session: the first request of a stream, and only that.
	Open *SessionOpen `protobuf:"bytes,3,opt,name=open,proto3,oneof"`
}

type SessionRequest_Reset_ struct {
	// As Reset. The episode is the session's.
	Reset_ *ResetRequest `protobuf:"bytes,4,opt,name=reset,proto3,oneof"`
}

type SessionRequest_Step struct {
	// As Step.
	Step *StepRequest `protobuf:"bytes,5,opt,name=step,proto3,oneof"`
}

type SessionRequest_StepStream struct {
	// As StepStream: several responses with this `id`, the last of which has the reply.
	StepStream *StepStreamRequest `protobuf:"bytes,6,opt,name=step_stream,json=stepStream,proto3,oneof"`
}

type SessionRequest_GetState struct {
	// As GetState.
	GetState *GetStateRequest `protobuf:"bytes,7,opt,name=get_state,json=getState,proto3,oneof"`
}

type SessionRequest_Interrupt struct {
	// As Interrupt, and at once, whatever was asked for before.
	Interrupt *InterruptRequest `protobuf:"bytes,8,opt,name=interrupt,proto3,oneof"`
}

type SessionRequest_Close struct {
	// As Close.
	Close *CloseRequest `protobuf:"bytes,9,opt,name=close,proto3,oneof"`
}

type SessionRequest_Detach struct {
	// Makes episodes independent of the session.
	Detach *SessionDetach `protobuf:"bytes,10,opt,name=detach,proto3,oneof"`
}

type SessionRequest_Fork struct {
	// As Fork. The children are the session's.
	Fork *ForkRequest `protobuf:"bytes,11,opt,name=fork,proto3,oneof"`
}

type SessionRequest_Checkpoint struct {
	// As Checkpoint.
	Checkpoint *CheckpointRequest `protobuf:"bytes,12,opt,name=checkpoint,proto3,oneof"`
}

type SessionRequest_Rollback struct {
	// As Rollback.
	Rollback *RollbackRequest `protobuf:"bytes,13,opt,name=rollback,proto3,oneof"`
}

type SessionRequest_Evaluate struct {
	// As Evaluate.
	Evaluate *EvaluateRequest `protobuf:"bytes,14,opt,name=evaluate,proto3,oneof"`
}

type SessionRequest_DropCheckpoint struct {
	// As DropCheckpoint.
	DropCheckpoint *DropCheckpointRequest `protobuf:"bytes,15,opt,name=drop_checkpoint,json=dropCheckpoint,proto3,oneof"`
}

type SessionRequest_ListCheckpoints struct {
	// As ListCheckpoints.
	ListCheckpoints *ListCheckpointsRequest `protobuf:"bytes,17,opt,name=list_checkpoints,json=listCheckpoints,proto3,oneof"`
}

func (*SessionRequest_Open) isSessionRequest_Request() {}

func (*SessionRequest_Reset_) isSessionRequest_Request() {}

func (*SessionRequest_Step) isSessionRequest_Request() {}

func (*SessionRequest_StepStream) isSessionRequest_Request() {}

func (*SessionRequest_GetState) isSessionRequest_Request() {}

func (*SessionRequest_Interrupt) isSessionRequest_Request() {}

func (*SessionRequest_Close) isSessionRequest_Request() {}

func (*SessionRequest_Detach) isSessionRequest_Request() {}

func (*SessionRequest_Fork) isSessionRequest_Request() {}

func (*SessionRequest_Checkpoint) isSessionRequest_Request() {}

func (*SessionRequest_Rollback) isSessionRequest_Request() {}

func (*SessionRequest_Evaluate) isSessionRequest_Request() {}

func (*SessionRequest_DropCheckpoint) isSessionRequest_Request() {}

func (*SessionRequest_ListCheckpoints) isSessionRequest_Request() {}

// A response on a session's stream.
type SessionResponse struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The id of the request that it answers.
	Id uint64 `protobuf:"varint,1,opt,name=id,proto3" json:"id,omitempty"`
	// 1, 2, … for the responses that answer a request: they come in this order, on a new stream again from the first that was not acknowledged.
	// 0 for a response to `open`, and for output and heartbeats of `step_stream`, which a new stream begins anew from the request's offsets.
	Number uint64 `protobuf:"varint,2,opt,name=number,proto3" json:"number,omitempty"`
	// The answer.
	//
	// Types that are valid to be assigned to Response:
	//
	//	*SessionResponse_Open
	//	*SessionResponse_Reset_
	//	*SessionResponse_Step
	//	*SessionResponse_StepStream
	//	*SessionResponse_GetState
	//	*SessionResponse_Interrupt
	//	*SessionResponse_Close
	//	*SessionResponse_Detach
	//	*SessionResponse_Fork
	//	*SessionResponse_Checkpoint
	//	*SessionResponse_Rollback
	//	*SessionResponse_Evaluate
	//	*SessionResponse_DropCheckpoint
	//	*SessionResponse_ListCheckpoints
	//	*SessionResponse_Error
	Response      isSessionResponse_Response `protobuf_oneof:"response"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *SessionResponse) Reset() {
	*x = SessionResponse{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[52]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *SessionResponse) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*SessionResponse) ProtoMessage() {}

func (x *SessionResponse) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[52]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use SessionResponse.ProtoReflect.Descriptor instead.
func (*SessionResponse) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{52}
}

func (x *SessionResponse) GetId() uint64 {
	if x != nil {
		return x.Id
	}
	return 0
}

func (x *SessionResponse) GetNumber() uint64 {
	if x != nil {
		return x.Number
	}
	return 0
}

func (x *SessionResponse) GetResponse() isSessionResponse_Response {
	if x != nil {
		return x.Response
	}
	return nil
}

func (x *SessionResponse) GetOpen() *SessionOpened {
	if x != nil {
		if x, ok := x.Response.(*SessionResponse_Open); ok {
			return x.Open
		}
	}
	return nil
}

func (x *SessionResponse) GetReset_() *ResetResponse {
	if x != nil {
		if x, ok := x.Response.(*SessionResponse_Reset_); ok {
			return x.Reset_
		}
	}
	return nil
}

func (x *SessionResponse) GetStep() *StepResponse {
	if x != nil {
		if x, ok := x.Response.(*SessionResponse_Step); ok {
			return x.Step
		}
	}
	return nil
}

func (x *SessionResponse) GetStepStream() *StepStreamResponse {
	if x != nil {
		if x, ok := x.Response.(*SessionResponse_StepStream); ok {
			return x.StepStream
		}
	}
	return nil
}

func (x *SessionResponse) GetGetState() *GetStateResponse {
	if x != nil {
		if x, ok := x.Response.(*SessionResponse_GetState); ok {
			return x.GetState
		}
	}
	return nil
}

func (x *SessionResponse) GetInterrupt() *InterruptResponse {
	if x != nil {
		if x, ok := x.Response.(*SessionResponse_Interrupt); ok {
			return x.Interrupt
		}
	}
	return nil
}

func (x *SessionResponse) GetClose() *CloseResponse {
	if x != nil {
		if x, ok := x.Response.(*SessionResponse_Close); ok {
			return x.Close
		}
	}
	return nil
}

func (x *SessionResponse) GetDetach() *SessionDetached {
	if x != nil {
		if x, ok := x.Response.(*SessionResponse_Detach); ok {
			return x.Detach
		}
	}
	return nil
}

func (x *SessionResponse) GetFork() *ForkResponse {
	if x != nil {
		if x, ok := x.Response.(*SessionResponse_Fork); ok {
			return x.Fork
		}
	}
	return nil
}

func (x *SessionResponse) GetCheckpoint() *CheckpointResponse {
	if x != nil {
		if x, ok := x.Response.(*SessionResponse_Checkpoint); ok {
			return x.Checkpoint
		}
	}
	return nil
}

func (x *SessionResponse) GetRollback() *RollbackResponse {
	if x != nil {
		if x, ok := x.Response.(*SessionResponse_Rollback); ok {
			return x.Rollback
		}
	}
	return nil
}

func (x *SessionResponse) GetEvaluate() *EvaluateResponse {
	if x != nil {
		if x, ok := x.Response.(*SessionResponse_Evaluate); ok {
			return x.Evaluate
		}
	}
	return nil
}

func (x *SessionResponse) GetDropCheckpoint() *DropCheckpointResponse {
	if x != nil {
		if x, ok := x.Response.(*SessionResponse_DropCheckpoint); ok {
			return x.DropCheckpoint
		}
	}
	return nil
}

func (x *SessionResponse) GetListCheckpoints() *ListCheckpointsResponse {
	if x != nil {
		if x, ok := x.Response.(*SessionResponse_ListCheckpoints); ok {
			return x.ListCheckpoints
		}
	}
	return nil
}

func (x *SessionResponse) GetError() *status.Status {
	if x != nil {
		if x, ok := x.Response.(*SessionResponse_Error); ok {
			return x.Error
		}
	}
	return nil
}

type isSessionResponse_Response interface {
	isSessionResponse_Response()
}

type SessionResponse_Open struct {
	// The session is open.
	Open *SessionOpened `protobuf:"bytes,3,opt,name=open,proto3,oneof"`
}

type SessionResponse_Reset_ struct {
	// The reply to `reset`.
	Reset_ *ResetResponse `protobuf:"bytes,4,opt,name=reset,proto3,oneof"`
}

type SessionResponse_Step struct {
	// The reply to `step`.
	Step *StepResponse `protobuf:"bytes,5,opt,name=step,proto3,oneof"`
}

type SessionResponse_StepStream struct {
	// Output, a heartbeat, or the reply to `step_stream`.
	StepStream *StepStreamResponse `protobuf:"bytes,6,opt,name=step_stream,json=stepStream,proto3,oneof"`
}

type SessionResponse_GetState struct {
	// The reply to `get_state`.
	GetState *GetStateResponse `protobuf:"bytes,7,opt,name=get_state,json=getState,proto3,oneof"`
}

type SessionResponse_Interrupt struct {
	// The reply to `interrupt`.
	Interrupt *InterruptResponse `protobuf:"bytes,8,opt,name=interrupt,proto3,oneof"`
}

type SessionResponse_Close struct {
	// The reply to `close`.
	Close *CloseResponse `protobuf:"bytes,9,opt,name=close,proto3,oneof"`
}

type SessionResponse_Detach struct {
	// The reply to `detach`.
	Detach *SessionDetached `protobuf:"bytes,10,opt,name=detach,proto3,oneof"`
}

type SessionResponse_Fork struct {
	// The reply to `fork`.
	Fork *ForkResponse `protobuf:"bytes,11,opt,name=fork,proto3,oneof"`
}

type SessionResponse_Checkpoint struct {
	// The reply to `checkpoint`.
	Checkpoint *CheckpointResponse `protobuf:"bytes,12,opt,name=checkpoint,proto3,oneof"`
}

type SessionResponse_Rollback struct {
	// The reply to `rollback`.
	Rollback *RollbackResponse `protobuf:"bytes,13,opt,name=rollback,proto3,oneof"`
}

type SessionResponse_Evaluate struct {
	// The reply to `evaluate`.
	Evaluate *EvaluateResponse `protobuf:"bytes,14,opt,name=evaluate,proto3,oneof"`
}

type SessionResponse_DropCheckpoint struct {
	// The reply to `drop_checkpoint`.
	DropCheckpoint *DropCheckpointResponse `protobuf:"bytes,15,opt,name=drop_checkpoint,json=dropCheckpoint,proto3,oneof"`
}

type SessionResponse_ListCheckpoints struct {
	// The reply to `list_checkpoints`.
	ListCheckpoints *ListCheckpointsResponse `protobuf:"bytes,17,opt,name=list_checkpoints,json=listCheckpoints,proto3,oneof"`
}

type SessionResponse_Error struct {
	// The request was refused, or failed: what the RPC's status would be, with its details.
	Error *status.Status `protobuf:"bytes,16,opt,name=error,proto3,oneof"`
}

func (*SessionResponse_Open) isSessionResponse_Response() {}

func (*SessionResponse_Reset_) isSessionResponse_Response() {}

func (*SessionResponse_Step) isSessionResponse_Response() {}

func (*SessionResponse_StepStream) isSessionResponse_Response() {}

func (*SessionResponse_GetState) isSessionResponse_Response() {}

func (*SessionResponse_Interrupt) isSessionResponse_Response() {}

func (*SessionResponse_Close) isSessionResponse_Response() {}

func (*SessionResponse_Detach) isSessionResponse_Response() {}

func (*SessionResponse_Fork) isSessionResponse_Response() {}

func (*SessionResponse_Checkpoint) isSessionResponse_Response() {}

func (*SessionResponse_Rollback) isSessionResponse_Response() {}

func (*SessionResponse_Evaluate) isSessionResponse_Response() {}

func (*SessionResponse_DropCheckpoint) isSessionResponse_Response() {}

func (*SessionResponse_ListCheckpoints) isSessionResponse_Response() {}

func (*SessionResponse_Error) isSessionResponse_Response() {}

// Opens a session, or takes over one whose stream is broken.
type SessionOpen struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// Which: 1 to 128 of [A-Za-z0-9_-]. Clients SHOULD make one (a UUIDv7). Empty: the server makes one.
	SessionId     string `protobuf:"bytes,1,opt,name=session_id,json=sessionId,proto3" json:"session_id,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *SessionOpen) Reset() {
	*x = SessionOpen{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[53]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *SessionOpen) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*SessionOpen) ProtoMessage() {}

func (x *SessionOpen) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[53]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use SessionOpen.ProtoReflect.Descriptor instead.
func (*SessionOpen) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{53}
}

func (x *SessionOpen) GetSessionId() string {
	if x != nil {
		return x.SessionId
	}
	return ""
}

// A session is open.
type SessionOpened struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// Its id.
	SessionId string `protobuf:"bytes,1,opt,name=session_id,json=sessionId,proto3" json:"session_id,omitempty"`
	// The server that holds it.
	ServerId string `protobuf:"bytes,2,opt,name=server_id,json=serverId,proto3" json:"server_id,omitempty"`
	// True when it was there before, with its episodes and what it owes. False: it is a new one, whose numbers begin at 1.
	Resumed       bool `protobuf:"varint,3,opt,name=resumed,proto3" json:"resumed,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *SessionOpened) Reset() {
	*x = SessionOpened{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[54]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *SessionOpened) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*SessionOpened) ProtoMessage() {}

func (x *SessionOpened) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[54]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use SessionOpened.ProtoReflect.Descriptor instead.
func (*SessionOpened) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{54}
}

func (x *SessionOpened) GetSessionId() string {
	if x != nil {
		return x.SessionId
	}
	return ""
}

func (x *SessionOpened) GetServerId() string {
	if x != nil {
		return x.ServerId
	}
	return ""
}

func (x *SessionOpened) GetResumed() bool {
	if x != nil {
		return x.Resumed
	}
	return false
}

// Asks that episodes live on when the session ends.
type SessionDetach struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// Which of the session's episodes. Empty: all.
	EpisodeIds    []string `protobuf:"bytes,1,rep,name=episode_ids,json=episodeIds,proto3" json:"episode_ids,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *SessionDetach) Reset() {
	*x = SessionDetach{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[55]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *SessionDetach) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*SessionDetach) ProtoMessage() {}

func (x *SessionDetach) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[55]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use SessionDetach.ProtoReflect.Descriptor instead.
func (*SessionDetach) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{55}
}

func (x *SessionDetach) GetEpisodeIds() []string {
	if x != nil {
		return x.EpisodeIds
	}
	return nil
}

// Episodes are independent of the session.
type SessionDetached struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// Those that were the session's until now.
	EpisodeIds    []string `protobuf:"bytes,1,rep,name=episode_ids,json=episodeIds,proto3" json:"episode_ids,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *SessionDetached) Reset() {
	*x = SessionDetached{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[56]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *SessionDetached) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*SessionDetached) ProtoMessage() {}

func (x *SessionDetached) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[56]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use SessionDetached.ProtoReflect.Descriptor instead.
func (*SessionDetached) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{56}
}

func (x *SessionDetached) GetEpisodeIds() []string {
	if x != nil {
		return x.EpisodeIds
	}
	return nil
}

// Asks for copies of an episode.
type ForkRequest struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The episode to copy. Required.
	EpisodeId string `protobuf:"bytes,1,opt,name=episode_id,json=episodeId,proto3" json:"episode_id,omitempty"`
	// How many children, when `child_ids` is empty: 1 to ForkLimits.children; the server makes their ids. 0 with `child_ids`.
	Count uint32 `protobuf:"varint,2,opt,name=count,proto3" json:"count,omitempty"`
	// The ids of the children, by the rules for ids of episodes, each once: at most ForkLimits.children. Clients SHOULD make them (UUIDv7), so
	// that a retry makes no more.
	ChildIds []string `protobuf:"bytes,3,rep,name=child_ids,json=childIds,proto3" json:"child_ids,omitempty"`
	// What the children's random state is. Default: each child's own. Not with `seeds`.
	Random RandomState `protobuf:"varint,4,opt,name=random,proto3,enum=coding_env.v1.RandomState" json:"random,omitempty"`
	// A seed for each child, in the order of `child_ids`, as ResetRequest.seed: as many as there are children, or none.
	Seeds []uint64 `protobuf:"varint,5,rep,packed,name=seeds,proto3" json:"seeds,omitempty"`
	// Lowers limits for the children: absent fields keep the parent's. total_memory_bytes, processes, workspace_bytes, workspace_inodes and
	// cpu_percent stay the parent's: asking for other values is INVALID_FIELD.
	Limits *Limits `protobuf:"bytes,6,opt,name=limits,proto3" json:"limits,omitempty"`
	// Makes what there is room for (EPISODE_LIMIT, EPISODE_EXISTS), and tells of each of the others why it was not made.
	AllowPartial bool `protobuf:"varint,7,opt,name=allow_partial,json=allowPartial,proto3" json:"allow_partial,omitempty"`
	// How many steps the client believes have run or are queued; other than that is STEP_OUT_OF_ORDER. Absent: no such check.
	StepIndex     *uint32 `protobuf:"varint,8,opt,name=step_index,json=stepIndex,proto3,oneof" json:"step_index,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ForkRequest) Reset() {
	*x = ForkRequest{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[57]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ForkRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ForkRequest) ProtoMessage() {}

func (x *ForkRequest) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[57]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ForkRequest.ProtoReflect.Descriptor instead.
func (*ForkRequest) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{57}
}

func (x *ForkRequest) GetEpisodeId() string {
	if x != nil {
		return x.EpisodeId
	}
	return ""
}

func (x *ForkRequest) GetCount() uint32 {
	if x != nil {
		return x.Count
	}
	return 0
}

func (x *ForkRequest) GetChildIds() []string {
	if x != nil {
		return x.ChildIds
	}
	return nil
}

func (x *ForkRequest) GetRandom() RandomState {
	if x != nil {
		return x.Random
	}
	return RandomState_RANDOM_STATE_UNSPECIFIED
}

func (x *ForkRequest) GetSeeds() []uint64 {
	if x != nil {
		return x.Seeds
	}
	return nil
}

func (x *ForkRequest) GetLimits() *Limits {
	if x != nil {
		return x.Limits
	}
	return nil
}

func (x *ForkRequest) GetAllowPartial() bool {
	if x != nil {
		return x.AllowPartial
	}
	return false
}

func (x *ForkRequest) GetStepIndex() uint32 {
	if x != nil && x.StepIndex != nil {
		return *x.StepIndex
	}
	return 0
}

// The reply to Fork.
type ForkResponse struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The children, in the order of `child_ids`.
	Children []*ForkedChild `protobuf:"bytes,1,rep,name=children,proto3" json:"children,omitempty"`
	// The state that they go on from, with the parent's id.
	Parent *CodeState `protobuf:"bytes,2,opt,name=parent,proto3" json:"parent,omitempty"`
	// The server that holds parent and children.
	ServerId      string `protobuf:"bytes,3,opt,name=server_id,json=serverId,proto3" json:"server_id,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ForkResponse) Reset() {
	*x = ForkResponse{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[58]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ForkResponse) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ForkResponse) ProtoMessage() {}

func (x *ForkResponse) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[58]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ForkResponse.ProtoReflect.Descriptor instead.
func (*ForkResponse) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{58}
}

func (x *ForkResponse) GetChildren() []*ForkedChild {
	if x != nil {
		return x.Children
	}
	return nil
}

func (x *ForkResponse) GetParent() *CodeState {
	if x != nil {
		return x.Parent
	}
	return nil
}

func (x *ForkResponse) GetServerId() string {
	if x != nil {
		return x.ServerId
	}
	return ""
}

// A child of a Fork, or why it was not made.
type ForkedChild struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// Its id.
	EpisodeId string `protobuf:"bytes,1,opt,name=episode_id,json=episodeId,proto3" json:"episode_id,omitempty"`
	// Its state when it was made: `step_count` and `last_exit_code` are the parent's. Absent when it was not made.
	State *CodeState `protobuf:"bytes,2,opt,name=state,proto3" json:"state,omitempty"`
	// Its limits. Absent when it was not made.
	Limits *Limits `protobuf:"bytes,3,opt,name=limits,proto3" json:"limits,omitempty"`
	// Why it was not made: only with `allow_partial`.
	Error         *status.Status `protobuf:"bytes,4,opt,name=error,proto3" json:"error,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ForkedChild) Reset() {
	*x = ForkedChild{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[59]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ForkedChild) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ForkedChild) ProtoMessage() {}

func (x *ForkedChild) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[59]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ForkedChild.ProtoReflect.Descriptor instead.
func (*ForkedChild) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{59}
}

func (x *ForkedChild) GetEpisodeId() string {
	if x != nil {
		return x.EpisodeId
	}
	return ""
}

func (x *ForkedChild) GetState() *CodeState {
	if x != nil {
		return x.State
	}
	return nil
}

func (x *ForkedChild) GetLimits() *Limits {
	if x != nil {
		return x.Limits
	}
	return nil
}

func (x *ForkedChild) GetError() *status.Status {
	if x != nil {
		return x.Error
	}
	return nil
}

// Where a child comes from.
type ForkOrigin struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The episode that it was copied from, which may have ended.
	ParentEpisodeId string `protobuf:"bytes,1,opt,name=parent_episode_id,json=parentEpisodeId,proto3" json:"parent_episode_id,omitempty"`
	// The parent's `step_count` at that moment: how many of the child's steps ran in the parent, or before.
	StepCount uint32 `protobuf:"varint,2,opt,name=step_count,json=stepCount,proto3" json:"step_count,omitempty"`
	// How many forks lie between it and an episode that Reset made; 1 for a child of such a one.
	Depth         uint32 `protobuf:"varint,3,opt,name=depth,proto3" json:"depth,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ForkOrigin) Reset() {
	*x = ForkOrigin{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[60]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ForkOrigin) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ForkOrigin) ProtoMessage() {}

func (x *ForkOrigin) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[60]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ForkOrigin.ProtoReflect.Descriptor instead.
func (*ForkOrigin) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{60}
}

func (x *ForkOrigin) GetParentEpisodeId() string {
	if x != nil {
		return x.ParentEpisodeId
	}
	return ""
}

func (x *ForkOrigin) GetStepCount() uint32 {
	if x != nil {
		return x.StepCount
	}
	return 0
}

func (x *ForkOrigin) GetDepth() uint32 {
	if x != nil {
		return x.Depth
	}
	return 0
}

// Asks to keep a copy.
type CheckpointRequest struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The episode. Required.
	EpisodeId string `protobuf:"bytes,1,opt,name=episode_id,json=episodeId,proto3" json:"episode_id,omitempty"`
	// Its name in the episode: 1 to 128 of [A-Za-z0-9_-]. Empty: the server makes one.
	Name string `protobuf:"bytes,2,opt,name=name,proto3" json:"name,omitempty"`
	// What to do when a budget of ForkLimits is spent.
	OnFull OnFull `protobuf:"varint,3,opt,name=on_full,json=onFull,proto3,enum=coding_env.v1.OnFull" json:"on_full,omitempty"`
	// As ForkRequest.step_index.
	StepIndex     *uint32 `protobuf:"varint,4,opt,name=step_index,json=stepIndex,proto3,oneof" json:"step_index,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *CheckpointRequest) Reset() {
	*x = CheckpointRequest{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[61]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *CheckpointRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*CheckpointRequest) ProtoMessage() {}

func (x *CheckpointRequest) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[61]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use CheckpointRequest.ProtoReflect.Descriptor instead.
func (*CheckpointRequest) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{61}
}

func (x *CheckpointRequest) GetEpisodeId() string {
	if x != nil {
		return x.EpisodeId
	}
	return ""
}

func (x *CheckpointRequest) GetName() string {
	if x != nil {
		return x.Name
	}
	return ""
}

func (x *CheckpointRequest) GetOnFull() OnFull {
	if x != nil {
		return x.OnFull
	}
	return OnFull_ON_FULL_UNSPECIFIED
}

func (x *CheckpointRequest) GetStepIndex() uint32 {
	if x != nil && x.StepIndex != nil {
		return *x.StepIndex
	}
	return 0
}

// The reply to Checkpoint.
type CheckpointResponse struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The checkpoint.
	Checkpoint *CheckpointInfo `protobuf:"bytes,1,opt,name=checkpoint,proto3" json:"checkpoint,omitempty"`
	// False when it was there already: see Checkpoint.
	Created bool `protobuf:"varint,2,opt,name=created,proto3" json:"created,omitempty"`
	// The names of those that were dropped for it, the oldest first.
	Dropped []string `protobuf:"bytes,3,rep,name=dropped,proto3" json:"dropped,omitempty"`
	// The state of the episode.
	State *CodeState `protobuf:"bytes,4,opt,name=state,proto3" json:"state,omitempty"`
	// The server that holds the episode.
	ServerId      string `protobuf:"bytes,5,opt,name=server_id,json=serverId,proto3" json:"server_id,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *CheckpointResponse) Reset() {
	*x = CheckpointResponse{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[62]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *CheckpointResponse) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*CheckpointResponse) ProtoMessage() {}

func (x *CheckpointResponse) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[62]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use CheckpointResponse.ProtoReflect.Descriptor instead.
func (*CheckpointResponse) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{62}
}

func (x *CheckpointResponse) GetCheckpoint() *CheckpointInfo {
	if x != nil {
		return x.Checkpoint
	}
	return nil
}

func (x *CheckpointResponse) GetCreated() bool {
	if x != nil {
		return x.Created
	}
	return false
}

func (x *CheckpointResponse) GetDropped() []string {
	if x != nil {
		return x.Dropped
	}
	return nil
}

func (x *CheckpointResponse) GetState() *CodeState {
	if x != nil {
		return x.State
	}
	return nil
}

func (x *CheckpointResponse) GetServerId() string {
	if x != nil {
		return x.ServerId
	}
	return ""
}

// A checkpoint.
type CheckpointInfo struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// Its name.
	Name string `protobuf:"bytes,1,opt,name=name,proto3" json:"name,omitempty"`
	// The episode's `step_count` when it was made.
	StepCount uint32 `protobuf:"varint,2,opt,name=step_count,json=stepCount,proto3" json:"step_count,omitempty"`
	// When it was made.
	CreateTime *timestamppb.Timestamp `protobuf:"bytes,3,opt,name=create_time,json=createTime,proto3" json:"create_time,omitempty"`
	// The memory that it has for itself, and its share of what it has in common with other copies (Pss of smaps_rollup, proc(5)), when it was last
	// measured: at Checkpoint and ListCheckpoints. Absent where the host does not tell.
	PrivateBytes  *uint64 `protobuf:"varint,4,opt,name=private_bytes,json=privateBytes,proto3,oneof" json:"private_bytes,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *CheckpointInfo) Reset() {
	*x = CheckpointInfo{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[63]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *CheckpointInfo) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*CheckpointInfo) ProtoMessage() {}

func (x *CheckpointInfo) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[63]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use CheckpointInfo.ProtoReflect.Descriptor instead.
func (*CheckpointInfo) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{63}
}

func (x *CheckpointInfo) GetName() string {
	if x != nil {
		return x.Name
	}
	return ""
}

func (x *CheckpointInfo) GetStepCount() uint32 {
	if x != nil {
		return x.StepCount
	}
	return 0
}

func (x *CheckpointInfo) GetCreateTime() *timestamppb.Timestamp {
	if x != nil {
		return x.CreateTime
	}
	return nil
}

func (x *CheckpointInfo) GetPrivateBytes() uint64 {
	if x != nil && x.PrivateBytes != nil {
		return *x.PrivateBytes
	}
	return 0
}

// Asks to put an episode back.
type RollbackRequest struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The episode. Required.
	EpisodeId string `protobuf:"bytes,1,opt,name=episode_id,json=episodeId,proto3" json:"episode_id,omitempty"`
	// The checkpoint's name. Required.
	Name string `protobuf:"bytes,2,opt,name=name,proto3" json:"name,omitempty"`
	// As ForkRequest.step_index.
	StepIndex *uint32 `protobuf:"varint,3,opt,name=step_index,json=stepIndex,proto3,oneof" json:"step_index,omitempty"`
	// What the random state is afterwards. Default RANDOM_STATE_INHERIT: as in the checkpoint, so that the same steps give the same numbers.
	Random        RandomState `protobuf:"varint,4,opt,name=random,proto3,enum=coding_env.v1.RandomState" json:"random,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *RollbackRequest) Reset() {
	*x = RollbackRequest{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[64]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *RollbackRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*RollbackRequest) ProtoMessage() {}

func (x *RollbackRequest) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[64]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use RollbackRequest.ProtoReflect.Descriptor instead.
func (*RollbackRequest) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{64}
}

func (x *RollbackRequest) GetEpisodeId() string {
	if x != nil {
		return x.EpisodeId
	}
	return ""
}

func (x *RollbackRequest) GetName() string {
	if x != nil {
		return x.Name
	}
	return ""
}

func (x *RollbackRequest) GetStepIndex() uint32 {
	if x != nil && x.StepIndex != nil {
		return *x.StepIndex
	}
	return 0
}

func (x *RollbackRequest) GetRandom() RandomState {
	if x != nil {
		return x.Random
	}
	return RandomState_RANDOM_STATE_UNSPECIFIED
}

// The reply to Rollback.
type RollbackResponse struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The checkpoint.
	Checkpoint *CheckpointInfo `protobuf:"bytes,1,opt,name=checkpoint,proto3" json:"checkpoint,omitempty"`
	// The state of the episode: `step_count` goes on.
	State *CodeState `protobuf:"bytes,2,opt,name=state,proto3" json:"state,omitempty"`
	// The server that holds the episode.
	ServerId      string `protobuf:"bytes,3,opt,name=server_id,json=serverId,proto3" json:"server_id,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *RollbackResponse) Reset() {
	*x = RollbackResponse{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[65]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *RollbackResponse) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*RollbackResponse) ProtoMessage() {}

func (x *RollbackResponse) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[65]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use RollbackResponse.ProtoReflect.Descriptor instead.
func (*RollbackResponse) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{65}
}

func (x *RollbackResponse) GetCheckpoint() *CheckpointInfo {
	if x != nil {
		return x.Checkpoint
	}
	return nil
}

func (x *RollbackResponse) GetState() *CodeState {
	if x != nil {
		return x.State
	}
	return nil
}

func (x *RollbackResponse) GetServerId() string {
	if x != nil {
		return x.ServerId
	}
	return ""
}

// Asks for an episode's checkpoints.
type ListCheckpointsRequest struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The episode. Required.
	EpisodeId     string `protobuf:"bytes,1,opt,name=episode_id,json=episodeId,proto3" json:"episode_id,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ListCheckpointsRequest) Reset() {
	*x = ListCheckpointsRequest{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[66]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ListCheckpointsRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ListCheckpointsRequest) ProtoMessage() {}

func (x *ListCheckpointsRequest) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[66]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ListCheckpointsRequest.ProtoReflect.Descriptor instead.
func (*ListCheckpointsRequest) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{66}
}

func (x *ListCheckpointsRequest) GetEpisodeId() string {
	if x != nil {
		return x.EpisodeId
	}
	return ""
}

// The reply to ListCheckpoints.
type ListCheckpointsResponse struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The checkpoints, the oldest first.
	Checkpoints []*CheckpointInfo `protobuf:"bytes,1,rep,name=checkpoints,proto3" json:"checkpoints,omitempty"`
	// The server that holds the episode.
	ServerId      string `protobuf:"bytes,2,opt,name=server_id,json=serverId,proto3" json:"server_id,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ListCheckpointsResponse) Reset() {
	*x = ListCheckpointsResponse{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[67]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ListCheckpointsResponse) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ListCheckpointsResponse) ProtoMessage() {}

func (x *ListCheckpointsResponse) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[67]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ListCheckpointsResponse.ProtoReflect.Descriptor instead.
func (*ListCheckpointsResponse) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{67}
}

func (x *ListCheckpointsResponse) GetCheckpoints() []*CheckpointInfo {
	if x != nil {
		return x.Checkpoints
	}
	return nil
}

func (x *ListCheckpointsResponse) GetServerId() string {
	if x != nil {
		return x.ServerId
	}
	return ""
}

// Asks to drop a checkpoint.
type DropCheckpointRequest struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The episode. Required.
	EpisodeId string `protobuf:"bytes,1,opt,name=episode_id,json=episodeId,proto3" json:"episode_id,omitempty"`
	// The checkpoint's name. Required.
	Name          string `protobuf:"bytes,2,opt,name=name,proto3" json:"name,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *DropCheckpointRequest) Reset() {
	*x = DropCheckpointRequest{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[68]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *DropCheckpointRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*DropCheckpointRequest) ProtoMessage() {}

func (x *DropCheckpointRequest) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[68]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use DropCheckpointRequest.ProtoReflect.Descriptor instead.
func (*DropCheckpointRequest) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{68}
}

func (x *DropCheckpointRequest) GetEpisodeId() string {
	if x != nil {
		return x.EpisodeId
	}
	return ""
}

func (x *DropCheckpointRequest) GetName() string {
	if x != nil {
		return x.Name
	}
	return ""
}

// The reply to DropCheckpoint.
type DropCheckpointResponse struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// False when there was none of this name.
	Dropped bool `protobuf:"varint,1,opt,name=dropped,proto3" json:"dropped,omitempty"`
	// The server that answered.
	ServerId      string `protobuf:"bytes,2,opt,name=server_id,json=serverId,proto3" json:"server_id,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *DropCheckpointResponse) Reset() {
	*x = DropCheckpointResponse{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[69]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *DropCheckpointResponse) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*DropCheckpointResponse) ProtoMessage() {}

func (x *DropCheckpointResponse) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[69]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use DropCheckpointResponse.ProtoReflect.Descriptor instead.
func (*DropCheckpointResponse) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{69}
}

func (x *DropCheckpointResponse) GetDropped() bool {
	if x != nil {
		return x.Dropped
	}
	return false
}

func (x *DropCheckpointResponse) GetServerId() string {
	if x != nil {
		return x.ServerId
	}
	return ""
}

// Asks for evaluations.
type EvaluateRequest struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The episode. Required.
	EpisodeId string `protobuf:"bytes,1,opt,name=episode_id,json=episodeId,proto3" json:"episode_id,omitempty"`
	// What to run: 1 to ForkLimits.evaluations, each in a copy of its own.
	Evaluations []*Evaluation `protobuf:"bytes,2,rep,name=evaluations,proto3" json:"evaluations,omitempty"`
	// What the random state of the copies is. Default RANDOM_STATE_INHERIT.
	Random RandomState `protobuf:"varint,3,opt,name=random,proto3,enum=coding_env.v1.RandomState" json:"random,omitempty"`
	// As ForkRequest.step_index.
	StepIndex *uint32 `protobuf:"varint,4,opt,name=step_index,json=stepIndex,proto3,oneof" json:"step_index,omitempty"`
	// As StepRequest.max_reply_bytes, for all results together: each gets an equal part of it, which has to be 24 KiB at least.
	MaxReplyBytes *uint32 `protobuf:"varint,5,opt,name=max_reply_bytes,json=maxReplyBytes,proto3,oneof" json:"max_reply_bytes,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *EvaluateRequest) Reset() {
	*x = EvaluateRequest{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[70]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *EvaluateRequest) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*EvaluateRequest) ProtoMessage() {}

func (x *EvaluateRequest) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[70]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use EvaluateRequest.ProtoReflect.Descriptor instead.
func (*EvaluateRequest) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{70}
}

func (x *EvaluateRequest) GetEpisodeId() string {
	if x != nil {
		return x.EpisodeId
	}
	return ""
}

func (x *EvaluateRequest) GetEvaluations() []*Evaluation {
	if x != nil {
		return x.Evaluations
	}
	return nil
}

func (x *EvaluateRequest) GetRandom() RandomState {
	if x != nil {
		return x.Random
	}
	return RandomState_RANDOM_STATE_UNSPECIFIED
}

func (x *EvaluateRequest) GetStepIndex() uint32 {
	if x != nil && x.StepIndex != nil {
		return *x.StepIndex
	}
	return 0
}

func (x *EvaluateRequest) GetMaxReplyBytes() uint32 {
	if x != nil && x.MaxReplyBytes != nil {
		return *x.MaxReplyBytes
	}
	return 0
}

// Code to run in a throw-away copy, and what to look at afterwards.
type Evaluation struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// What to run before the checks, as a step. Empty code is valid. At most Limits.source_bytes.
	Action *CodeAction `protobuf:"bytes,1,opt,name=action,proto3" json:"action,omitempty"`
	// How long it may run. Default and range as StepRequest.timeout.
	Timeout *durationpb.Duration `protobuf:"bytes,2,opt,name=timeout,proto3" json:"timeout,omitempty"`
	// Lowers limits for it, and for each call of its checks.
	Limits *StepLimits `protobuf:"bytes,3,opt,name=limits,proto3" json:"limits,omitempty"`
	// What to look at, at most ForkLimits.checks. They are made one after the other, in the same copy.
	Checks []*Check `protobuf:"bytes,4,rep,name=checks,proto3" json:"checks,omitempty"`
	// How long each call of a CallCheck or TestCheck may run. Default 10 s, at most Limits.step_timeout; a larger value is clamped to it; zero or negative is INVALID_FIELD.
	CallTimeout   *durationpb.Duration `protobuf:"bytes,5,opt,name=call_timeout,json=callTimeout,proto3" json:"call_timeout,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Evaluation) Reset() {
	*x = Evaluation{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[71]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Evaluation) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Evaluation) ProtoMessage() {}

func (x *Evaluation) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[71]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Evaluation.ProtoReflect.Descriptor instead.
func (*Evaluation) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{71}
}

func (x *Evaluation) GetAction() *CodeAction {
	if x != nil {
		return x.Action
	}
	return nil
}

func (x *Evaluation) GetTimeout() *durationpb.Duration {
	if x != nil {
		return x.Timeout
	}
	return nil
}

func (x *Evaluation) GetLimits() *StepLimits {
	if x != nil {
		return x.Limits
	}
	return nil
}

func (x *Evaluation) GetChecks() []*Check {
	if x != nil {
		return x.Checks
	}
	return nil
}

func (x *Evaluation) GetCallTimeout() *durationpb.Duration {
	if x != nil {
		return x.CallTimeout
	}
	return nil
}

// Something to look at.
type Check struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// What it is. One is required.
	//
	// Types that are valid to be assigned to Check:
	//
	//	*Check_Stdout
	//	*Check_Calls
	//	*Check_Tests
	Check isCheck_Check `protobuf_oneof:"check"`
	// How much it counts in EvaluationResult.score: 1 to 1000. Default 1.
	Weight        *uint32 `protobuf:"varint,4,opt,name=weight,proto3,oneof" json:"weight,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *Check) Reset() {
	*x = Check{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[72]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Check) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Check) ProtoMessage() {}

func (x *Check) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[72]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Check.ProtoReflect.Descriptor instead.
func (*Check) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{72}
}

func (x *Check) GetCheck() isCheck_Check {
	if x != nil {
		return x.Check
	}
	return nil
}

func (x *Check) GetStdout() *StdoutCheck {
	if x != nil {
		if x, ok := x.Check.(*Check_Stdout); ok {
			return x.Stdout
		}
	}
	return nil
}

func (x *Check) GetCalls() *CallCheck {
	if x != nil {
		if x, ok := x.Check.(*Check_Calls); ok {
			return x.Calls
		}
	}
	return nil
}

func (x *Check) GetTests() *TestCheck {
	if x != nil {
		if x, ok := x.Check.(*Check_Tests); ok {
			return x.Tests
		}
	}
	return nil
}

func (x *Check) GetWeight() uint32 {
	if x != nil && x.Weight != nil {
		return *x.Weight
	}
	return 0
}

type isCheck_Check interface {
	isCheck_Check()
}

type Check_Stdout struct {
	// What the code printed.
	Stdout *StdoutCheck `protobuf:"bytes,1,opt,name=stdout,proto3,oneof"`
}

type Check_Calls struct {
	// What a function returns.
	Calls *CallCheck `protobuf:"bytes,2,opt,name=calls,proto3,oneof"`
}

type Check_Tests struct {
	// Whether tests pass, as the program says.
	Tests *TestCheck `protobuf:"bytes,3,opt,name=tests,proto3,oneof"`
}

func (*Check_Stdout) isCheck_Check() {}

func (*Check_Calls) isCheck_Check() {}

func (*Check_Tests) isCheck_Check() {}

// Compares what the code (not the calls of other checks) wrote to standard output with what is expected. Passes only when the outcome is OUTCOME_COMPLETED and nothing
// of the output was cut.
type StdoutCheck struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// What is expected: at most 1 MiB. It never gets into the interpreter.
	Expected string `protobuf:"bytes,1,opt,name=expected,proto3" json:"expected,omitempty"`
	// How it is compared.
	Comparison TextComparison `protobuf:"varint,2,opt,name=comparison,proto3,enum=coding_env.v1.TextComparison" json:"comparison,omitempty"`
	// TEXT_COMPARISON_NUMERIC: how far a number may be from the expected one. Finite, not negative; default 0.
	AbsoluteTolerance float64 `protobuf:"fixed64,3,opt,name=absolute_tolerance,json=absoluteTolerance,proto3" json:"absolute_tolerance,omitempty"`
	// The same, as a part of the expected number. Finite, 0 to 1; default 0. The larger of the two holds.
	RelativeTolerance float64 `protobuf:"fixed64,4,opt,name=relative_tolerance,json=relativeTolerance,proto3" json:"relative_tolerance,omitempty"`
	unknownFields     protoimpl.UnknownFields
	sizeCache         protoimpl.SizeCache
}

func (x *StdoutCheck) Reset() {
	*x = StdoutCheck{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[73]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *StdoutCheck) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*StdoutCheck) ProtoMessage() {}

func (x *StdoutCheck) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[73]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use StdoutCheck.ProtoReflect.Descriptor instead.
func (*StdoutCheck) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{73}
}

func (x *StdoutCheck) GetExpected() string {
	if x != nil {
		return x.Expected
	}
	return ""
}

func (x *StdoutCheck) GetComparison() TextComparison {
	if x != nil {
		return x.Comparison
	}
	return TextComparison_TEXT_COMPARISON_UNSPECIFIED
}

func (x *StdoutCheck) GetAbsoluteTolerance() float64 {
	if x != nil {
		return x.AbsoluteTolerance
	}
	return 0
}

func (x *StdoutCheck) GetRelativeTolerance() float64 {
	if x != nil {
		return x.RelativeTolerance
	}
	return 0
}

// Calls a function and compares what it returns, each call a step of its own, one after the other. The comparison is the server's, on JSON. That the value is
// what the function returned is a claim of the program; the expected ones are never in the interpreter, the arguments of a call not before it, so a program can
// give the right answer by computing it, or by having known it.
type CallCheck struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The function: a name, or names with dots between, of ASCII letters, digits and "_"; at most 256 bytes.
	Function string `protobuf:"bytes,1,opt,name=function,proto3" json:"function,omitempty"`
	// The calls: 1 to ForkLimits.calls.
	Calls         []*Call `protobuf:"bytes,2,rep,name=calls,proto3" json:"calls,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *CallCheck) Reset() {
	*x = CallCheck{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[74]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *CallCheck) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*CallCheck) ProtoMessage() {}

func (x *CallCheck) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[74]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use CallCheck.ProtoReflect.Descriptor instead.
func (*CallCheck) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{74}
}

func (x *CallCheck) GetFunction() string {
	if x != nil {
		return x.Function
	}
	return ""
}

func (x *CallCheck) GetCalls() []*Call {
	if x != nil {
		return x.Calls
	}
	return nil
}

// A call and what it is to return. JSON texts are at most 1 MiB, at most 64 levels deep; numbers have at most 4096 characters.
type Call struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The arguments, as a JSON array. Empty: none.
	ArgsJson string `protobuf:"bytes,1,opt,name=args_json,json=argsJson,proto3" json:"args_json,omitempty"`
	// The named arguments, as a JSON object, whose names are identifiers. Empty: none.
	KwargsJson string `protobuf:"bytes,2,opt,name=kwargs_json,json=kwargsJson,proto3" json:"kwargs_json,omitempty"`
	// What it is to return, as JSON. Required. Tuples are arrays; what `json.dumps` does not take is told by its `repr`. Numbers are compared exactly, however large, unless there is a tolerance; 1 and 1.0
	// are equal, true and 1 are not.
	ExpectedJson string `protobuf:"bytes,3,opt,name=expected_json,json=expectedJson,proto3" json:"expected_json,omitempty"`
	// How far a number may be from the expected one. Finite, not negative; default 0.
	AbsoluteTolerance float64 `protobuf:"fixed64,4,opt,name=absolute_tolerance,json=absoluteTolerance,proto3" json:"absolute_tolerance,omitempty"`
	// The same, as a part of the expected number. Finite, 0 to 1; default 0. The larger of the two holds.
	RelativeTolerance float64 `protobuf:"fixed64,5,opt,name=relative_tolerance,json=relativeTolerance,proto3" json:"relative_tolerance,omitempty"`
	unknownFields     protoimpl.UnknownFields
	sizeCache         protoimpl.SizeCache
}

func (x *Call) Reset() {
	*x = Call{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[75]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *Call) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*Call) ProtoMessage() {}

func (x *Call) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[75]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use Call.ProtoReflect.Descriptor instead.
func (*Call) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{75}
}

func (x *Call) GetArgsJson() string {
	if x != nil {
		return x.ArgsJson
	}
	return ""
}

func (x *Call) GetKwargsJson() string {
	if x != nil {
		return x.KwargsJson
	}
	return ""
}

func (x *Call) GetExpectedJson() string {
	if x != nil {
		return x.ExpectedJson
	}
	return ""
}

func (x *Call) GetAbsoluteTolerance() float64 {
	if x != nil {
		return x.AbsoluteTolerance
	}
	return 0
}

func (x *Call) GetRelativeTolerance() float64 {
	if x != nil {
		return x.RelativeTolerance
	}
	return 0
}

// Runs a file of tests as pytest's are: functions `test…` and methods `test…` of classes `Test…` without arguments, each a step of its own, after the file; names, and those of classes, of less than 128 characters. Fixtures
// and marks mean nothing. All of it is in the interpreter, with what it tests: the result is a claim of the program.
type TestCheck struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The file: at most Limits.source_bytes, with 1 to ForkLimits.calls tests.
	Source        string `protobuf:"bytes,1,opt,name=source,proto3" json:"source,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *TestCheck) Reset() {
	*x = TestCheck{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[76]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *TestCheck) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*TestCheck) ProtoMessage() {}

func (x *TestCheck) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[76]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use TestCheck.ProtoReflect.Descriptor instead.
func (*TestCheck) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{76}
}

func (x *TestCheck) GetSource() string {
	if x != nil {
		return x.Source
	}
	return ""
}

// The reply to Evaluate.
type EvaluateResponse struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// The results, in the order of `evaluations`.
	Results []*EvaluationResult `protobuf:"bytes,1,rep,name=results,proto3" json:"results,omitempty"`
	// The state of the episode that was copied; it has not changed.
	State *CodeState `protobuf:"bytes,2,opt,name=state,proto3" json:"state,omitempty"`
	// The server that holds the episode.
	ServerId      string `protobuf:"bytes,3,opt,name=server_id,json=serverId,proto3" json:"server_id,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *EvaluateResponse) Reset() {
	*x = EvaluateResponse{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[77]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *EvaluateResponse) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*EvaluateResponse) ProtoMessage() {}

func (x *EvaluateResponse) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[77]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use EvaluateResponse.ProtoReflect.Descriptor instead.
func (*EvaluateResponse) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{77}
}

func (x *EvaluateResponse) GetResults() []*EvaluationResult {
	if x != nil {
		return x.Results
	}
	return nil
}

func (x *EvaluateResponse) GetState() *CodeState {
	if x != nil {
		return x.State
	}
	return nil
}

func (x *EvaluateResponse) GetServerId() string {
	if x != nil {
		return x.ServerId
	}
	return ""
}

// What became of an evaluation.
type EvaluationResult struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// What the code showed.
	Observation *CodeObservation `protobuf:"bytes,1,opt,name=observation,proto3" json:"observation,omitempty"`
	// How the code ended.
	Outcome Outcome `protobuf:"varint,2,opt,name=outcome,proto3,enum=coding_env.v1.Outcome" json:"outcome,omitempty"`
	// Claims of the program.
	Reported *Reported `protobuf:"bytes,3,opt,name=reported,proto3" json:"reported,omitempty"`
	// What the server saw of the code from outside.
	Observed *Observed `protobuf:"bytes,4,opt,name=observed,proto3" json:"observed,omitempty"`
	// The timeout that was in force for the code.
	Timeout *durationpb.Duration `protobuf:"bytes,5,opt,name=timeout,proto3" json:"timeout,omitempty"`
	// The results of the checks, in their order.
	Checks []*CheckResult `protobuf:"bytes,6,rep,name=checks,proto3" json:"checks,omitempty"`
	// The mean of the scores of the checks that are no claims (CheckResult.claimed), by weight: 0 to 1. Absent when there are none.
	Score *float64 `protobuf:"fixed64,7,opt,name=score,proto3,oneof" json:"score,omitempty"`
	// The same of those that are claims. Absent when there are none.
	ClaimedScore  *float64 `protobuf:"fixed64,8,opt,name=claimed_score,json=claimedScore,proto3,oneof" json:"claimed_score,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *EvaluationResult) Reset() {
	*x = EvaluationResult{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[78]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *EvaluationResult) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*EvaluationResult) ProtoMessage() {}

func (x *EvaluationResult) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[78]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use EvaluationResult.ProtoReflect.Descriptor instead.
func (*EvaluationResult) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{78}
}

func (x *EvaluationResult) GetObservation() *CodeObservation {
	if x != nil {
		return x.Observation
	}
	return nil
}

func (x *EvaluationResult) GetOutcome() Outcome {
	if x != nil {
		return x.Outcome
	}
	return Outcome_OUTCOME_UNSPECIFIED
}

func (x *EvaluationResult) GetReported() *Reported {
	if x != nil {
		return x.Reported
	}
	return nil
}

func (x *EvaluationResult) GetObserved() *Observed {
	if x != nil {
		return x.Observed
	}
	return nil
}

func (x *EvaluationResult) GetTimeout() *durationpb.Duration {
	if x != nil {
		return x.Timeout
	}
	return nil
}

func (x *EvaluationResult) GetChecks() []*CheckResult {
	if x != nil {
		return x.Checks
	}
	return nil
}

func (x *EvaluationResult) GetScore() float64 {
	if x != nil && x.Score != nil {
		return *x.Score
	}
	return 0
}

func (x *EvaluationResult) GetClaimedScore() float64 {
	if x != nil && x.ClaimedScore != nil {
		return *x.ClaimedScore
	}
	return 0
}

// What became of a check.
type CheckResult struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// What passed, of how many: 1 for a StdoutCheck, the calls or tests of the others.
	Passed uint32 `protobuf:"varint,1,opt,name=passed,proto3" json:"passed,omitempty"`
	// Of how many. Never 0.
	Total uint32 `protobuf:"varint,2,opt,name=total,proto3" json:"total,omitempty"`
	// passed / total: 0 to 1.
	Score float64 `protobuf:"fixed64,3,opt,name=score,proto3" json:"score,omitempty"`
	// True of a TestCheck: the program itself says what passed, and code that wants to can forge it. False of the others, whose verdict is the server's.
	Claimed bool `protobuf:"varint,4,opt,name=claimed,proto3" json:"claimed,omitempty"`
	// The first that did not pass: at most 16, and what the reply has room for.
	Failures      []*CheckFailure `protobuf:"bytes,5,rep,name=failures,proto3" json:"failures,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *CheckResult) Reset() {
	*x = CheckResult{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[79]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *CheckResult) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*CheckResult) ProtoMessage() {}

func (x *CheckResult) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[79]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use CheckResult.ProtoReflect.Descriptor instead.
func (*CheckResult) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{79}
}

func (x *CheckResult) GetPassed() uint32 {
	if x != nil {
		return x.Passed
	}
	return 0
}

func (x *CheckResult) GetTotal() uint32 {
	if x != nil {
		return x.Total
	}
	return 0
}

func (x *CheckResult) GetScore() float64 {
	if x != nil {
		return x.Score
	}
	return 0
}

func (x *CheckResult) GetClaimed() bool {
	if x != nil {
		return x.Claimed
	}
	return false
}

func (x *CheckResult) GetFailures() []*CheckFailure {
	if x != nil {
		return x.Failures
	}
	return nil
}

// Why something did not pass.
type CheckFailure struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// Which call or test, from 0.
	Index uint32 `protobuf:"varint,1,opt,name=index,proto3" json:"index,omitempty"`
	// Its name: the test's, empty for others.
	Name string `protobuf:"bytes,2,opt,name=name,proto3" json:"name,omitempty"`
	// How its step ended. The step of the code for a StdoutCheck.
	Outcome Outcome `protobuf:"varint,3,opt,name=outcome,proto3,enum=coding_env.v1.Outcome" json:"outcome,omitempty"`
	// What is wrong, for people: at most 1 KiB. It does not repeat what was expected.
	Description   string `protobuf:"bytes,4,opt,name=description,proto3" json:"description,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *CheckFailure) Reset() {
	*x = CheckFailure{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[80]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *CheckFailure) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*CheckFailure) ProtoMessage() {}

func (x *CheckFailure) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[80]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use CheckFailure.ProtoReflect.Descriptor instead.
func (*CheckFailure) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{80}
}

func (x *CheckFailure) GetIndex() uint32 {
	if x != nil {
		return x.Index
	}
	return 0
}

func (x *CheckFailure) GetName() string {
	if x != nil {
		return x.Name
	}
	return ""
}

func (x *CheckFailure) GetOutcome() Outcome {
	if x != nil {
		return x.Outcome
	}
	return Outcome_OUTCOME_UNSPECIFIED
}

func (x *CheckFailure) GetDescription() string {
	if x != nil {
		return x.Description
	}
	return ""
}

// Whether episodes can be copied on this server, and what keeps copies of one tree apart. Between trees it is what Isolation says.
type ForkFacts struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// Whether Fork, Checkpoint, Rollback, Evaluate and ON_FAILURE_ROLL_BACK work.
	Available bool `protobuf:"varint,1,opt,name=available,proto3" json:"available,omitempty"`
	// Why not, or what is not kept apart here and why. Empty: everything is.
	Detail string `protobuf:"bytes,2,opt,name=detail,proto3" json:"detail,omitempty"`
	// A copy's variables are its own: what it changes its relatives don't see. Who can trace it can reach them all the same.
	MemorySeparated bool `protobuf:"varint,3,opt,name=memory_separated,json=memorySeparated,proto3" json:"memory_separated,omitempty"`
	// A copy can't reach its relatives' files. It has files of its own in any case.
	FilesSeparated bool `protobuf:"varint,4,opt,name=files_separated,json=filesSeparated,proto3" json:"files_separated,omitempty"`
	// A copy can't send signals to its relatives.
	SignalsSeparated bool `protobuf:"varint,5,opt,name=signals_separated,json=signalsSeparated,proto3" json:"signals_separated,omitempty"`
	// A copy can't trace its relatives.
	TracingSeparated bool `protobuf:"varint,6,opt,name=tracing_separated,json=tracingSeparated,proto3" json:"tracing_separated,omitempty"`
	// What a copy tells the server can't be read or forged by its relatives.
	ChannelPrivate bool `protobuf:"varint,7,opt,name=channel_private,json=channelPrivate,proto3" json:"channel_private,omitempty"`
	// A copy's files are at the same paths as its parent's. Where not, its working directory and HOME are the new ones.
	SamePaths bool `protobuf:"varint,8,opt,name=same_paths,json=samePaths,proto3" json:"same_paths,omitempty"`
	// How many forks may lie between an episode and the one that Reset made. Absent: no limit. Past it FORK_DEPTH_LIMIT.
	DepthMax      *uint32 `protobuf:"varint,9,opt,name=depth_max,json=depthMax,proto3,oneof" json:"depth_max,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ForkFacts) Reset() {
	*x = ForkFacts{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[81]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ForkFacts) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ForkFacts) ProtoMessage() {}

func (x *ForkFacts) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[81]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ForkFacts.ProtoReflect.Descriptor instead.
func (*ForkFacts) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{81}
}

func (x *ForkFacts) GetAvailable() bool {
	if x != nil {
		return x.Available
	}
	return false
}

func (x *ForkFacts) GetDetail() string {
	if x != nil {
		return x.Detail
	}
	return ""
}

func (x *ForkFacts) GetMemorySeparated() bool {
	if x != nil {
		return x.MemorySeparated
	}
	return false
}

func (x *ForkFacts) GetFilesSeparated() bool {
	if x != nil {
		return x.FilesSeparated
	}
	return false
}

func (x *ForkFacts) GetSignalsSeparated() bool {
	if x != nil {
		return x.SignalsSeparated
	}
	return false
}

func (x *ForkFacts) GetTracingSeparated() bool {
	if x != nil {
		return x.TracingSeparated
	}
	return false
}

func (x *ForkFacts) GetChannelPrivate() bool {
	if x != nil {
		return x.ChannelPrivate
	}
	return false
}

func (x *ForkFacts) GetSamePaths() bool {
	if x != nil {
		return x.SamePaths
	}
	return false
}

func (x *ForkFacts) GetDepthMax() uint32 {
	if x != nil && x.DepthMax != nil {
		return *x.DepthMax
	}
	return 0
}

// Limits of Fork, Checkpoint and Evaluate.
type ForkLimits struct {
	state protoimpl.MessageState `protogen:"open.v1"`
	// Children of a Fork. Past it INVALID_FIELD.
	Children uint32 `protobuf:"varint,1,opt,name=children,proto3" json:"children,omitempty"`
	// Checkpoints of an episode. Past it CHECKPOINT_LIMIT.
	Checkpoints uint32 `protobuf:"varint,2,opt,name=checkpoints,proto3" json:"checkpoints,omitempty"`
	// The sum of their CheckpointInfo.private_bytes. Past it the next Checkpoint is CHECKPOINT_LIMIT.
	CheckpointBytes uint64 `protobuf:"varint,3,opt,name=checkpoint_bytes,json=checkpointBytes,proto3" json:"checkpoint_bytes,omitempty"`
	// Checkpoints of all episodes. Past it CHECKPOINT_LIMIT. Each takes one of the ServerLimits.episodes places.
	ServerCheckpoints uint32 `protobuf:"varint,4,opt,name=server_checkpoints,json=serverCheckpoints,proto3" json:"server_checkpoints,omitempty"`
	// The sum of their CheckpointInfo.private_bytes. Past it the next Checkpoint is CHECKPOINT_LIMIT.
	ServerCheckpointBytes uint64 `protobuf:"varint,5,opt,name=server_checkpoint_bytes,json=serverCheckpointBytes,proto3" json:"server_checkpoint_bytes,omitempty"`
	// Evaluations of an Evaluate. Past it INVALID_FIELD.
	Evaluations uint32 `protobuf:"varint,6,opt,name=evaluations,proto3" json:"evaluations,omitempty"`
	// Checks of an Evaluation. Past it INVALID_FIELD.
	Checks uint32 `protobuf:"varint,7,opt,name=checks,proto3" json:"checks,omitempty"`
	// Calls of a CallCheck, and tests of a TestCheck. Past it INVALID_FIELD.
	Calls uint32 `protobuf:"varint,8,opt,name=calls,proto3" json:"calls,omitempty"`
	// What StepRequest.on_failure is when it is not set.
	OnFailure     OnFailure `protobuf:"varint,9,opt,name=on_failure,json=onFailure,proto3,enum=coding_env.v1.OnFailure" json:"on_failure,omitempty"`
	unknownFields protoimpl.UnknownFields
	sizeCache     protoimpl.SizeCache
}

func (x *ForkLimits) Reset() {
	*x = ForkLimits{}
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[82]
	ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
	ms.StoreMessageInfo(mi)
}

func (x *ForkLimits) String() string {
	return protoimpl.X.MessageStringOf(x)
}

func (*ForkLimits) ProtoMessage() {}

func (x *ForkLimits) ProtoReflect() protoreflect.Message {
	mi := &file_coding_env_v1_coding_env_proto_msgTypes[82]
	if x != nil {
		ms := protoimpl.X.MessageStateOf(protoimpl.Pointer(x))
		if ms.LoadMessageInfo() == nil {
			ms.StoreMessageInfo(mi)
		}
		return ms
	}
	return mi.MessageOf(x)
}

// Deprecated: Use ForkLimits.ProtoReflect.Descriptor instead.
func (*ForkLimits) Descriptor() ([]byte, []int) {
	return file_coding_env_v1_coding_env_proto_rawDescGZIP(), []int{82}
}

func (x *ForkLimits) GetChildren() uint32 {
	if x != nil {
		return x.Children
	}
	return 0
}

func (x *ForkLimits) GetCheckpoints() uint32 {
	if x != nil {
		return x.Checkpoints
	}
	return 0
}

func (x *ForkLimits) GetCheckpointBytes() uint64 {
	if x != nil {
		return x.CheckpointBytes
	}
	return 0
}

func (x *ForkLimits) GetServerCheckpoints() uint32 {
	if x != nil {
		return x.ServerCheckpoints
	}
	return 0
}

func (x *ForkLimits) GetServerCheckpointBytes() uint64 {
	if x != nil {
		return x.ServerCheckpointBytes
	}
	return 0
}

func (x *ForkLimits) GetEvaluations() uint32 {
	if x != nil {
		return x.Evaluations
	}
	return 0
}

func (x *ForkLimits) GetChecks() uint32 {
	if x != nil {
		return x.Checks
	}
	return 0
}

func (x *ForkLimits) GetCalls() uint32 {
	if x != nil {
		return x.Calls
	}
	return 0
}

func (x *ForkLimits) GetOnFailure() OnFailure {
	if x != nil {
		return x.OnFailure
	}
	return OnFailure_ON_FAILURE_UNSPECIFIED
}

var File_coding_env_v1_coding_env_proto protoreflect.FileDescriptor

const file_coding_env_v1_coding_env_proto_rawDesc = "" +
	"\n" +
	"\x1ecoding_env/v1/coding_env.proto\x12\rcoding_env.v1\x1a\x1egoogle/protobuf/duration.proto\x1a\x1fgoogle/protobuf/timestamp.proto\x1a\x17google/rpc/status.proto\"\xd9\x03\n" +
	"\fResetRequest\x12\x1d\n" +
	"\n" +
	"episode_id\x18\x01 \x01(\tR\tepisodeId\x12\x1d\n" +
	"\n" +
	"request_id\x18\x02 \x01(\tR\trequestId\x12.\n" +
	"\x13previous_episode_id\x18\x03 \x01(\tR\x11previousEpisodeId\x12\x17\n" +
	"\x04seed\x18\x04 \x01(\x04H\x00R\x04seed\x88\x01\x01\x12\x18\n" +
	"\aruntime\x18\x05 \x01(\tR\aruntime\x12-\n" +
	"\x06limits\x18\x06 \x01(\v2\x15.coding_env.v1.LimitsR\x06limits\x12N\n" +
	"\venvironment\x18\a \x03(\v2,.coding_env.v1.ResetRequest.EnvironmentEntryR\venvironment\x120\n" +
	"\anetwork\x18\b \x01(\x0e2\x16.coding_env.v1.NetworkR\anetwork\x12.\n" +
	"\x05files\x18\t \x03(\v2\x18.coding_env.v1.ResetFileR\x05files\x1a>\n" +
	"\x10EnvironmentEntry\x12\x10\n" +
	"\x03key\x18\x01 \x01(\tR\x03key\x12\x14\n" +
	"\x05value\x18\x02 \x01(\tR\x05value:\x028\x01B\a\n" +
	"\x05_seed\"\xa8\x03\n" +
	"\rResetResponse\x12@\n" +
	"\vobservation\x18\x01 \x01(\v2\x1e.coding_env.v1.CodeObservationR\vobservation\x12\x1b\n" +
	"\x06reward\x18\x02 \x01(\x01H\x00R\x06reward\x88\x01\x01\x12\x12\n" +
	"\x04done\x18\x03 \x01(\bR\x04done\x12.\n" +
	"\x05state\x18\x04 \x01(\v2\x18.coding_env.v1.CodeStateR\x05state\x12F\n" +
	"\bmetadata\x18\x05 \x03(\v2*.coding_env.v1.ResetResponse.MetadataEntryR\bmetadata\x12\x1b\n" +
	"\tserver_id\x18\x06 \x01(\tR\bserverId\x12-\n" +
	"\x06limits\x18\a \x01(\v2\x15.coding_env.v1.LimitsR\x06limits\x12\x18\n" +
	"\aruntime\x18\b \x01(\tR\aruntime\x1a;\n" +
	"\rMetadataEntry\x12\x10\n" +
	"\x03key\x18\x01 \x01(\tR\x03key\x12\x14\n" +
	"\x05value\x18\x02 \x01(\tR\x05value:\x028\x01B\t\n" +
	"\a_reward\"\xe8\x03\n" +
	"\vStepRequest\x12\x1d\n" +
	"\n" +
	"episode_id\x18\x01 \x01(\tR\tepisodeId\x121\n" +
	"\x06action\x18\x02 \x01(\v2\x19.coding_env.v1.CodeActionR\x06action\x12\"\n" +
	"\n" +
	"step_index\x18\x03 \x01(\rH\x00R\tstepIndex\x88\x01\x01\x123\n" +
	"\atimeout\x18\x04 \x01(\v2\x19.google.protobuf.DurationR\atimeout\x121\n" +
	"\x06limits\x18\x05 \x01(\v2\x19.coding_env.v1.StepLimitsR\x06limits\x12+\n" +
	"\x0fmax_reply_bytes\x18\x06 \x01(\rH\x01R\rmaxReplyBytes\x88\x01\x01\x12,\n" +
	"\x12display_mime_types\x18\a \x03(\tR\x10displayMimeTypes\x127\n" +
	"\n" +
	"on_failure\x18\b \x01(\x0e2\x18.coding_env.v1.OnFailureR\tonFailure\x12D\n" +
	"\x12roll_back_outcomes\x18\t \x03(\x0e2\x16.coding_env.v1.OutcomeR\x10rollBackOutcomesB\r\n" +
	"\v_step_indexB\x12\n" +
	"\x10_max_reply_bytes\"\xe0\x05\n" +
	"\fStepResponse\x12@\n" +
	"\vobservation\x18\x01 \x01(\v2\x1e.coding_env.v1.CodeObservationR\vobservation\x12\x1b\n" +
	"\x06reward\x18\x02 \x01(\x01H\x00R\x06reward\x88\x01\x01\x12\x12\n" +
	"\x04done\x18\x03 \x01(\bR\x04done\x120\n" +
	"\aoutcome\x18\x04 \x01(\x0e2\x16.coding_env.v1.OutcomeR\aoutcome\x12:\n" +
	"\vstate_after\x18\x05 \x01(\x0e2\x19.coding_env.v1.StateAfterR\n" +
	"stateAfter\x12.\n" +
	"\x05state\x18\x06 \x01(\v2\x18.coding_env.v1.CodeStateR\x05state\x12E\n" +
	"\bmetadata\x18\a \x03(\v2).coding_env.v1.StepResponse.MetadataEntryR\bmetadata\x12\x1d\n" +
	"\n" +
	"step_index\x18\b \x01(\rR\tstepIndex\x12\x1b\n" +
	"\tserver_id\x18\t \x01(\tR\bserverId\x123\n" +
	"\atimeout\x18\n" +
	" \x01(\v2\x19.google.protobuf.DurationR\atimeout\x123\n" +
	"\breported\x18\v \x01(\v2\x17.coding_env.v1.ReportedR\breported\x123\n" +
	"\bobserved\x18\f \x01(\v2\x17.coding_env.v1.ObservedR\bobserved\x12\x1a\n" +
	"\breplayed\x18\r \x01(\bR\breplayed\x12%\n" +
	"\x0eoutput_dropped\x18\x0e \x01(\bR\routputDropped\x12\x12\n" +
	"\x04hint\x18\x0f \x01(\tR\x04hint\x1a;\n" +
	"\rMetadataEntry\x12\x10\n" +
	"\x03key\x18\x01 \x01(\tR\x03key\x12\x14\n" +
	"\x05value\x18\x02 \x01(\tR\x05value:\x028\x01B\t\n" +
	"\a_reward\"0\n" +
	"\x0fGetStateRequest\x12\x1d\n" +
	"\n" +
	"episode_id\x18\x01 \x01(\tR\tepisodeId\"\x88\x05\n" +
	"\x10GetStateResponse\x12.\n" +
	"\x05state\x18\x01 \x01(\v2\x18.coding_env.v1.CodeStateR\x05state\x124\n" +
	"\x06status\x18\x02 \x01(\x0e2\x1c.coding_env.v1.EpisodeStatusR\x06status\x12'\n" +
	"\x04loss\x18\x03 \x01(\v2\x13.coding_env.v1.LossR\x04loss\x12\x1b\n" +
	"\tserver_id\x18\x04 \x01(\tR\bserverId\x12\x18\n" +
	"\aruntime\x18\x05 \x01(\tR\aruntime\x12-\n" +
	"\x06limits\x18\x06 \x01(\v2\x15.coding_env.v1.LimitsR\x06limits\x12\x17\n" +
	"\x04seed\x18\a \x01(\x04H\x00R\x04seed\x88\x01\x01\x12;\n" +
	"\vcreate_time\x18\b \x01(\v2\x1a.google.protobuf.TimestampR\n" +
	"createTime\x12;\n" +
	"\vexpire_time\x18\t \x01(\v2\x1a.google.protobuf.TimestampR\n" +
	"expireTime\x12!\n" +
	"\fqueued_steps\x18\n" +
	" \x01(\rR\vqueuedSteps\x12,\n" +
	"\x06totals\x18\v \x01(\v2\x14.coding_env.v1.UsageR\x06totals\x12,\n" +
	"\x12output_total_bytes\x18\f \x01(\x04R\x10outputTotalBytes\x125\n" +
	"\vtree_totals\x18\r \x01(\v2\x14.coding_env.v1.UsageR\n" +
	"treeTotals\x12-\n" +
	"\x04fork\x18\x0e \x01(\v2\x19.coding_env.v1.ForkOriginR\x04forkB\a\n" +
	"\x05_seed\"-\n" +
	"\fCloseRequest\x12\x1d\n" +
	"\n" +
	"episode_id\x18\x01 \x01(\tR\tepisodeId\"D\n" +
	"\rCloseResponse\x12\x16\n" +
	"\x06closed\x18\x01 \x01(\bR\x06closed\x12\x1b\n" +
	"\tserver_id\x18\x02 \x01(\tR\bserverId\"d\n" +
	"\x10InterruptRequest\x12\x1d\n" +
	"\n" +
	"episode_id\x18\x01 \x01(\tR\tepisodeId\x12\"\n" +
	"\n" +
	"step_index\x18\x02 \x01(\rH\x00R\tstepIndex\x88\x01\x01B\r\n" +
	"\v_step_index\"\x85\x01\n" +
	"\x11InterruptResponse\x12 \n" +
	"\vinterrupted\x18\x01 \x01(\bR\vinterrupted\x12\"\n" +
	"\n" +
	"step_index\x18\x02 \x01(\rH\x00R\tstepIndex\x88\x01\x01\x12\x1b\n" +
	"\tserver_id\x18\x03 \x01(\tR\bserverIdB\r\n" +
	"\v_step_index\"\x16\n" +
	"\x14GetServerInfoRequest\"\xae\x04\n" +
	"\x15GetServerInfoResponse\x12\x18\n" +
	"\aversion\x18\x01 \x01(\tR\aversion\x12\x1b\n" +
	"\tserver_id\x18\x02 \x01(\tR\bserverId\x12<\n" +
	"\x0edefault_limits\x18\x03 \x01(\v2\x15.coding_env.v1.LimitsR\rdefaultLimits\x124\n" +
	"\n" +
	"max_limits\x18\x04 \x01(\v2\x15.coding_env.v1.LimitsR\tmaxLimits\x12@\n" +
	"\rserver_limits\x18\x05 \x01(\v2\x1b.coding_env.v1.ServerLimitsR\fserverLimits\x122\n" +
	"\bruntimes\x18\x06 \x03(\v2\x16.coding_env.v1.RuntimeR\bruntimes\x126\n" +
	"\tisolation\x18\a \x01(\v2\x18.coding_env.v1.IsolationR\tisolation\x123\n" +
	"\bcapacity\x18\b \x01(\v2\x17.coding_env.v1.CapacityR\bcapacity\x12\x1e\n" +
	"\n" +
	"transforms\x18\t \x03(\tR\n" +
	"transforms\x129\n" +
	"\n" +
	"start_time\x18\n" +
	" \x01(\v2\x1a.google.protobuf.TimestampR\tstartTime\x12,\n" +
	"\x04fork\x18\v \x01(\v2\x18.coding_env.v1.ForkFactsR\x04fork\" \n" +
	"\n" +
	"CodeAction\x12\x12\n" +
	"\x04code\x18\x01 \x01(\tR\x04code\"\xba\x01\n" +
	"\x0fCodeObservation\x12\x16\n" +
	"\x06stdout\x18\x01 \x01(\tR\x06stdout\x12\x16\n" +
	"\x06stderr\x18\x02 \x01(\tR\x06stderr\x12\x1b\n" +
	"\texit_code\x18\x03 \x01(\x05R\bexitCode\x12\x1b\n" +
	"\x06result\x18\x04 \x01(\tH\x00R\x06result\x88\x01\x01\x122\n" +
	"\bdisplays\x18\x05 \x03(\v2\x16.coding_env.v1.DisplayR\bdisplaysB\t\n" +
	"\a_result\"o\n" +
	"\aDisplay\x12G\n" +
	"\x0frepresentations\x18\x01 \x03(\v2\x1d.coding_env.v1.RepresentationR\x0frepresentations\x12\x1b\n" +
	"\tis_result\x18\x02 \x01(\bR\bisResult\"\x7f\n" +
	"\x0eRepresentation\x12\x1b\n" +
	"\tmime_type\x18\x01 \x01(\tR\bmimeType\x12\x12\n" +
	"\x04data\x18\x02 \x01(\fR\x04data\x12\x1f\n" +
	"\vtotal_bytes\x18\x03 \x01(\x04R\n" +
	"totalBytes\x12\x1b\n" +
	"\tfile_path\x18\x04 \x01(\tR\bfilePath\"o\n" +
	"\tCodeState\x12\x1d\n" +
	"\n" +
	"episode_id\x18\x01 \x01(\tR\tepisodeId\x12\x1d\n" +
	"\n" +
	"step_count\x18\x02 \x01(\rR\tstepCount\x12$\n" +
	"\x0elast_exit_code\x18\x03 \x01(\x05R\flastExitCode\"\xaf\a\n" +
	"\x06Limits\x12&\n" +
	"\fsource_bytes\x18\x01 \x01(\rH\x00R\vsourceBytes\x88\x01\x01\x12&\n" +
	"\foutput_bytes\x18\x02 \x01(\rH\x01R\voutputBytes\x88\x01\x01\x12&\n" +
	"\fresult_bytes\x18\x03 \x01(\rH\x02R\vresultBytes\x88\x01\x01\x12<\n" +
	"\fstep_timeout\x18\x04 \x01(\v2\x19.google.protobuf.DurationR\vstepTimeout\x12=\n" +
	"\rstep_cpu_time\x18\x05 \x01(\v2\x19.google.protobuf.DurationR\vstepCpuTime\x12<\n" +
	"\fidle_timeout\x18\x06 \x01(\v2\x19.google.protobuf.DurationR\vidleTimeout\x12&\n" +
	"\fmemory_bytes\x18\a \x01(\x04H\x03R\vmemoryBytes\x88\x01\x01\x12\"\n" +
	"\n" +
	"open_files\x18\b \x01(\rH\x04R\topenFiles\x88\x01\x01\x12\"\n" +
	"\n" +
	"file_bytes\x18\t \x01(\x04H\x05R\tfileBytes\x88\x01\x01\x121\n" +
	"\x12total_memory_bytes\x18\n" +
	" \x01(\x04H\x06R\x10totalMemoryBytes\x88\x01\x01\x12!\n" +
	"\tprocesses\x18\v \x01(\rH\aR\tprocesses\x88\x01\x01\x12,\n" +
	"\x0fworkspace_bytes\x18\f \x01(\x04H\bR\x0eworkspaceBytes\x88\x01\x01\x12.\n" +
	"\x10workspace_inodes\x18\r \x01(\rH\tR\x0fworkspaceInodes\x88\x01\x01\x12$\n" +
	"\vcpu_percent\x18\x0e \x01(\rH\n" +
	"R\n" +
	"cpuPercent\x88\x01\x01\x12\x1f\n" +
	"\bdisplays\x18\x0f \x01(\rH\vR\bdisplays\x88\x01\x01\x12(\n" +
	"\rdisplay_bytes\x18\x10 \x01(\rH\fR\fdisplayBytes\x88\x01\x01B\x0f\n" +
	"\r_source_bytesB\x0f\n" +
	"\r_output_bytesB\x0f\n" +
	"\r_result_bytesB\x0f\n" +
	"\r_memory_bytesB\r\n" +
	"\v_open_filesB\r\n" +
	"\v_file_bytesB\x15\n" +
	"\x13_total_memory_bytesB\f\n" +
	"\n" +
	"_processesB\x12\n" +
	"\x10_workspace_bytesB\x13\n" +
	"\x11_workspace_inodesB\x0e\n" +
	"\f_cpu_percentB\v\n" +
	"\t_displaysB\x10\n" +
	"\x0e_display_bytes\"{\n" +
	"\n" +
	"StepLimits\x12&\n" +
	"\foutput_bytes\x18\x01 \x01(\rH\x00R\voutputBytes\x88\x01\x01\x124\n" +
	"\bcpu_time\x18\x02 \x01(\v2\x19.google.protobuf.DurationR\acpuTimeB\x0f\n" +
	"\r_output_bytes\"\xe8\x06\n" +
	"\fServerLimits\x12\x1a\n" +
	"\bepisodes\x18\x01 \x01(\rR\bepisodes\x12#\n" +
	"\rrunning_steps\x18\x02 \x01(\rR\frunningSteps\x12#\n" +
	"\rwaiting_steps\x18\x03 \x01(\rR\fwaitingSteps\x12!\n" +
	"\fqueued_steps\x18\x04 \x01(\rR\vqueuedSteps\x12#\n" +
	"\rrequest_bytes\x18\x05 \x01(\rR\frequestBytes\x12\x1f\n" +
	"\vreply_bytes\x18\x06 \x01(\rR\n" +
	"replyBytes\x12+\n" +
	"\x11environment_bytes\x18\a \x01(\rR\x10environmentBytes\x12K\n" +
	"\x14default_step_timeout\x18\b \x01(\v2\x19.google.protobuf.DurationR\x12defaultStepTimeout\x12B\n" +
	"\x0finterrupt_grace\x18\t \x01(\v2\x19.google.protobuf.DurationR\x0einterruptGrace\x12I\n" +
	"\x13background_cpu_time\x18\n" +
	" \x01(\v2\x19.google.protobuf.DurationR\x11backgroundCpuTime\x12:\n" +
	"\vworker_wait\x18\v \x01(\v2\x19.google.protobuf.DurationR\n" +
	"workerWait\x12(\n" +
	"\x10kept_reply_bytes\x18\f \x01(\x04R\x0ekeptReplyBytes\x12\x1a\n" +
	"\bsessions\x18\r \x01(\rR\bsessions\x12)\n" +
	"\x10session_requests\x18\x0e \x01(\rR\x0fsessionRequests\x12>\n" +
	"\rsession_grace\x18\x0f \x01(\v2\x19.google.protobuf.DurationR\fsessionGrace\x121\n" +
	"\x14representation_bytes\x18\x10 \x01(\rR\x13representationBytes\x12/\n" +
	"\x05files\x18\x14 \x01(\v2\x19.coding_env.v1.FileLimitsR\x05files\x12/\n" +
	"\x05forks\x18\x15 \x01(\v2\x19.coding_env.v1.ForkLimitsR\x05forks\"\xd4\x01\n" +
	"\aRuntime\x12\x12\n" +
	"\x04name\x18\x01 \x01(\tR\x04name\x12%\n" +
	"\x0epython_version\x18\x02 \x01(\tR\rpythonVersion\x12\x1a\n" +
	"\bpreloads\x18\x03 \x03(\tR\bpreloads\x12\x1b\n" +
	"\thash_seed\x18\x04 \x01(\rR\bhashSeed\x12!\n" +
	"\fwarm_workers\x18\x05 \x01(\rR\vwarmWorkers\x122\n" +
	"\bpackages\x18\x06 \x03(\v2\x16.coding_env.v1.PackageR\bpackages\"7\n" +
	"\aPackage\x12\x12\n" +
	"\x04name\x18\x01 \x01(\tR\x04name\x12\x18\n" +
	"\aversion\x18\x02 \x01(\tR\aversion\"w\n" +
	"\tIsolation\x123\n" +
	"\x05level\x18\x01 \x01(\x0e2\x1d.coding_env.v1.IsolationLevelR\x05level\x125\n" +
	"\x06layers\x18\x02 \x03(\v2\x1d.coding_env.v1.IsolationLayerR\x06layers\"v\n" +
	"\x0eIsolationLayer\x12\x12\n" +
	"\x04name\x18\x01 \x01(\tR\x04name\x128\n" +
	"\x05state\x18\x02 \x01(\x0e2\".coding_env.v1.IsolationLayerStateR\x05state\x12\x16\n" +
	"\x06detail\x18\x03 \x01(\tR\x06detail\"\xd0\x01\n" +
	"\bCapacity\x12\x1a\n" +
	"\bepisodes\x18\x01 \x01(\rR\bepisodes\x12#\n" +
	"\rrunning_steps\x18\x02 \x01(\rR\frunningSteps\x12#\n" +
	"\rwaiting_steps\x18\x03 \x01(\rR\fwaitingSteps\x12\x1a\n" +
	"\bdraining\x18\x04 \x01(\bR\bdraining\x12 \n" +
	"\vcheckpoints\x18\x05 \x01(\rR\vcheckpoints\x12 \n" +
	"\vevaluations\x18\x06 \x01(\rR\vevaluations\"\x9e\x01\n" +
	"\bReported\x12<\n" +
	"\texception\x18\x01 \x01(\v2\x1e.coding_env.v1.PythonExceptionR\texception\x12)\n" +
	"\x10result_truncated\x18\x02 \x01(\bR\x0fresultTruncated\x12)\n" +
	"\x10displays_dropped\x18\x03 \x01(\rR\x0fdisplaysDropped\"?\n" +
	"\x0fPythonException\x12\x12\n" +
	"\x04type\x18\x01 \x01(\tR\x04type\x12\x18\n" +
	"\amessage\x18\x02 \x01(\tR\amessage\"\xa1\x05\n" +
	"\bObserved\x12*\n" +
	"\x05usage\x18\x01 \x01(\v2\x14.coding_env.v1.UsageR\x05usage\x124\n" +
	"\n" +
	"background\x18\x02 \x01(\v2\x14.coding_env.v1.UsageR\n" +
	"background\x12,\n" +
	"\x12stdout_total_bytes\x18\x03 \x01(\x04R\x10stdoutTotalBytes\x12,\n" +
	"\x12stderr_total_bytes\x18\x04 \x01(\x04R\x10stderrTotalBytes\x12*\n" +
	"\x11stdout_kept_bytes\x18\x05 \x01(\rR\x0fstdoutKeptBytes\x12*\n" +
	"\x11stderr_kept_bytes\x18\x06 \x01(\rR\x0fstderrKeptBytes\x12)\n" +
	"\x10stdout_truncated\x18\a \x01(\bR\x0fstdoutTruncated\x12)\n" +
	"\x10stderr_truncated\x18\b \x01(\bR\x0fstderrTruncated\x12.\n" +
	"\x05limit\x18\t \x01(\x0e2\x18.coding_env.v1.LimitKindR\x05limit\x12\x1b\n" +
	"\x06signal\x18\n" +
	" \x01(\rH\x00R\x06signal\x88\x01\x01\x12/\n" +
	"\x11process_exit_code\x18\v \x01(\x05H\x01R\x0fprocessExitCode\x88\x01\x01\x12\x1c\n" +
	"\tviolation\x18\f \x01(\tR\tviolation\x127\n" +
	"\n" +
	"limits_hit\x18\r \x03(\x0e2\x18.coding_env.v1.LimitKindR\tlimitsHit\x123\n" +
	"\n" +
	"tree_usage\x18\x0e \x01(\v2\x14.coding_env.v1.UsageR\ttreeUsageB\t\n" +
	"\a_signalB\x14\n" +
	"\x12_process_exit_code\"\x83\x04\n" +
	"\x05Usage\x12/\n" +
	"\x05scope\x18\x01 \x01(\x0e2\x19.coding_env.v1.UsageScopeR\x05scope\x126\n" +
	"\twall_time\x18\x02 \x01(\v2\x19.google.protobuf.DurationR\bwallTime\x12:\n" +
	"\vqueued_time\x18\x03 \x01(\v2\x19.google.protobuf.DurationR\n" +
	"queuedTime\x12=\n" +
	"\rcpu_user_time\x18\x04 \x01(\v2\x19.google.protobuf.DurationR\vcpuUserTime\x12A\n" +
	"\x0fcpu_system_time\x18\x05 \x01(\v2\x19.google.protobuf.DurationR\rcpuSystemTime\x12/\n" +
	"\x11peak_memory_bytes\x18\x06 \x01(\x04H\x00R\x0fpeakMemoryBytes\x88\x01\x01\x12/\n" +
	"\x11minor_page_faults\x18\a \x01(\x04H\x01R\x0fminorPageFaults\x88\x01\x01\x12/\n" +
	"\x11major_page_faults\x18\b \x01(\x04H\x02R\x0fmajorPageFaults\x88\x01\x01B\x14\n" +
	"\x12_peak_memory_bytesB\x14\n" +
	"\x12_minor_page_faultsB\x14\n" +
	"\x12_major_page_faults\"y\n" +
	"\x04Loss\x12\x1d\n" +
	"\n" +
	"step_index\x18\x01 \x01(\rR\tstepIndex\x120\n" +
	"\aoutcome\x18\x02 \x01(\x0e2\x16.coding_env.v1.OutcomeR\aoutcome\x12 \n" +
	"\vdescription\x18\x03 \x01(\tR\vdescription\"\x89\x03\n" +
	"\n" +
	"FileLimits\x12\x14\n" +
	"\x05calls\x18\x01 \x01(\rR\x05calls\x12#\n" +
	"\rwaiting_calls\x18\x02 \x01(\rR\fwaitingCalls\x12$\n" +
	"\x0efiles_per_call\x18\x03 \x01(\rR\ffilesPerCall\x12$\n" +
	"\x0ebytes_per_call\x18\x04 \x01(\x04R\fbytesPerCall\x12\x1f\n" +
	"\vchunk_bytes\x18\x05 \x01(\rR\n" +
	"chunkBytes\x12\x1d\n" +
	"\n" +
	"path_bytes\x18\x06 \x01(\rR\tpathBytes\x12\x14\n" +
	"\x05depth\x18\a \x01(\rR\x05depth\x12\x1c\n" +
	"\tselectors\x18\b \x01(\rR\tselectors\x12\x1f\n" +
	"\vreset_files\x18\t \x01(\rR\n" +
	"resetFiles\x12\x1f\n" +
	"\vreset_bytes\x18\n" +
	" \x01(\rR\n" +
	"resetBytes\x12>\n" +
	"\rstall_timeout\x18\v \x01(\v2\x19.google.protobuf.DurationR\fstallTimeout\"\xad\x01\n" +
	"\tResetFile\x12\x12\n" +
	"\x04path\x18\x01 \x01(\tR\x04path\x12\x19\n" +
	"\braw_path\x18\x02 \x01(\fR\arawPath\x12\x17\n" +
	"\x04mode\x18\x03 \x01(\rH\x00R\x04mode\x88\x01\x01\x12;\n" +
	"\vmodify_time\x18\x04 \x01(\v2\x1a.google.protobuf.TimestampR\n" +
	"modifyTime\x12\x12\n" +
	"\x04data\x18\x05 \x01(\fR\x04dataB\a\n" +
	"\x05_mode\"\xff\x01\n" +
	"\bFileInfo\x12\x12\n" +
	"\x04path\x18\x01 \x01(\tR\x04path\x12\x19\n" +
	"\braw_path\x18\x02 \x01(\fR\arawPath\x12+\n" +
	"\x04kind\x18\x03 \x01(\x0e2\x17.coding_env.v1.FileKindR\x04kind\x12\x17\n" +
	"\x04mode\x18\x04 \x01(\rH\x00R\x04mode\x88\x01\x01\x12\x17\n" +
	"\x04size\x18\x05 \x01(\x04H\x01R\x04size\x88\x01\x01\x12;\n" +
	"\vmodify_time\x18\x06 \x01(\v2\x1a.google.protobuf.TimestampR\n" +
	"modifyTime\x12\x16\n" +
	"\x06sha256\x18\a \x01(\fR\x06sha256B\a\n" +
	"\x05_modeB\a\n" +
	"\x05_size\"v\n" +
	"\tFileChunk\x12+\n" +
	"\x04file\x18\x01 \x01(\v2\x17.coding_env.v1.FileInfoR\x04file\x12\x12\n" +
	"\x04data\x18\x02 \x01(\fR\x04data\x12(\n" +
	"\x03end\x18\x03 \x01(\v2\x16.coding_env.v1.FileEndR\x03end\"Q\n" +
	"\aFileEnd\x12\x16\n" +
	"\x06sha256\x18\x01 \x01(\fR\x06sha256\x12.\n" +
	"\x05error\x18\x02 \x01(\v2\x18.coding_env.v1.FileErrorR\x05error\"W\n" +
	"\tFileError\x120\n" +
	"\x04kind\x18\x01 \x01(\x0e2\x1c.coding_env.v1.FileErrorKindR\x04kind\x12\x18\n" +
	"\amessage\x18\x02 \x01(\tR\amessage\"l\n" +
	"\vFileFailure\x12\x12\n" +
	"\x04path\x18\x01 \x01(\tR\x04path\x12\x19\n" +
	"\braw_path\x18\x02 \x01(\fR\arawPath\x12.\n" +
	"\x05error\x18\x03 \x01(\v2\x18.coding_env.v1.FileErrorR\x05error\"c\n" +
	"\fFileSelector\x12\x14\n" +
	"\x04path\x18\x01 \x01(\tH\x00R\x04path\x12\x1b\n" +
	"\braw_path\x18\x02 \x01(\fH\x00R\arawPath\x12\x14\n" +
	"\x04glob\x18\x03 \x01(\tH\x00R\x04globB\n" +
	"\n" +
	"\bselector\"\xa8\x01\n" +
	"\fFilesSummary\x12\x14\n" +
	"\x05files\x18\x01 \x01(\rR\x05files\x12\x14\n" +
	"\x05bytes\x18\x02 \x01(\x04R\x05bytes\x12\x16\n" +
	"\x06failed\x18\x03 \x01(\rR\x06failed\x126\n" +
	"\bfailures\x18\x04 \x03(\v2\x1a.coding_env.v1.FileFailureR\bfailures\x12\x1c\n" +
	"\ttruncated\x18\x05 \x01(\bR\ttruncated\"|\n" +
	"\x11WriteFilesRequest\x12\x1d\n" +
	"\n" +
	"episode_id\x18\x01 \x01(\tR\tepisodeId\x120\n" +
	"\x06chunks\x18\x02 \x03(\v2\x18.coding_env.v1.FileChunkR\x06chunks\x12\x16\n" +
	"\x06sha256\x18\x03 \x01(\bR\x06sha256\"\xb1\x01\n" +
	"\x12WriteFilesResponse\x12\x18\n" +
	"\awritten\x18\x01 \x01(\rR\awritten\x12\x14\n" +
	"\x05bytes\x18\x02 \x01(\x04R\x05bytes\x12\x16\n" +
	"\x06failed\x18\x03 \x01(\rR\x06failed\x126\n" +
	"\bfailures\x18\x04 \x03(\v2\x1a.coding_env.v1.FileFailureR\bfailures\x12\x1b\n" +
	"\tserver_id\x18\x05 \x01(\tR\bserverId\"\xdc\x01\n" +
	"\x10ReadFilesRequest\x12\x1d\n" +
	"\n" +
	"episode_id\x18\x01 \x01(\tR\tepisodeId\x121\n" +
	"\x05files\x18\x02 \x03(\v2\x1b.coding_env.v1.FileSelectorR\x05files\x12\x16\n" +
	"\x06sha256\x18\x03 \x01(\bR\x06sha256\x12)\n" +
	"\x0emax_file_bytes\x18\x04 \x01(\x04H\x00R\fmaxFileBytes\x88\x01\x01\x12 \n" +
	"\vdirectories\x18\x05 \x01(\bR\vdirectoriesB\x11\n" +
	"\x0f_max_file_bytes\"|\n" +
	"\x11ReadFilesResponse\x120\n" +
	"\x06chunks\x18\x01 \x03(\v2\x18.coding_env.v1.FileChunkR\x06chunks\x125\n" +
	"\asummary\x18\x02 \x01(\v2\x1b.coding_env.v1.FilesSummaryR\asummary\"|\n" +
	"\x10ListFilesRequest\x12\x1d\n" +
	"\n" +
	"episode_id\x18\x01 \x01(\tR\tepisodeId\x121\n" +
	"\x05files\x18\x02 \x03(\v2\x1b.coding_env.v1.FileSelectorR\x05files\x12\x16\n" +
	"\x06sha256\x18\x03 \x01(\bR\x06sha256\"y\n" +
	"\x11ListFilesResponse\x12-\n" +
	"\x05files\x18\x01 \x03(\v2\x17.coding_env.v1.FileInfoR\x05files\x125\n" +
	"\asummary\x18\x02 \x01(\v2\x1b.coding_env.v1.FilesSummaryR\asummary\"\x84\x01\n" +
	"\x12DeleteFilesRequest\x12\x1d\n" +
	"\n" +
	"episode_id\x18\x01 \x01(\tR\tepisodeId\x121\n" +
	"\x05files\x18\x02 \x03(\v2\x1b.coding_env.v1.FileSelectorR\x05files\x12\x1c\n" +
	"\trecursive\x18\x03 \x01(\bR\trecursive\"\xba\x01\n" +
	"\x13DeleteFilesResponse\x12\x18\n" +
	"\adeleted\x18\x01 \x01(\rR\adeleted\x12\x16\n" +
	"\x06failed\x18\x02 \x01(\rR\x06failed\x126\n" +
	"\bfailures\x18\x03 \x03(\v2\x1a.coding_env.v1.FileFailureR\bfailures\x12\x1c\n" +
	"\ttruncated\x18\x04 \x01(\bR\ttruncated\x12\x1b\n" +
	"\tserver_id\x18\x05 \x01(\tR\bserverId\"\xc6\x01\n" +
	"\x11StepStreamRequest\x12.\n" +
	"\x04step\x18\x01 \x01(\v2\x1a.coding_env.v1.StepRequestR\x04step\x127\n" +
	"\theartbeat\x18\x02 \x01(\v2\x19.google.protobuf.DurationR\theartbeat\x12#\n" +
	"\rstdout_offset\x18\x03 \x01(\x04R\fstdoutOffset\x12#\n" +
	"\rstderr_offset\x18\x04 \x01(\x04R\fstderrOffset\"\xc0\x01\n" +
	"\x12StepStreamResponse\x122\n" +
	"\x05piece\x18\x01 \x01(\v2\x1a.coding_env.v1.OutputPieceH\x00R\x05piece\x128\n" +
	"\theartbeat\x18\x02 \x01(\v2\x18.coding_env.v1.HeartbeatH\x00R\theartbeat\x123\n" +
	"\x05reply\x18\x03 \x01(\v2\x1b.coding_env.v1.StepResponseH\x00R\x05replyB\a\n" +
	"\x05event\"\x93\x01\n" +
	"\vOutputPiece\x123\n" +
	"\x06stream\x18\x01 \x01(\x0e2\x1b.coding_env.v1.OutputStreamR\x06stream\x12\x16\n" +
	"\x06offset\x18\x02 \x01(\x04R\x06offset\x12\x12\n" +
	"\x04data\x18\x03 \x01(\fR\x04data\x12#\n" +
	"\rdropped_bytes\x18\x04 \x01(\x04R\fdroppedBytes\"#\n" +
	"\tHeartbeat\x12\x16\n" +
	"\x06queued\x18\x01 \x01(\bR\x06queued\"\xa9\a\n" +
	"\x0eSessionRequest\x12\x0e\n" +
	"\x02id\x18\x01 \x01(\x04R\x02id\x12\x1a\n" +
	"\breceived\x18\x02 \x01(\x04R\breceived\x120\n" +
	"\x04open\x18\x03 \x01(\v2\x1a.coding_env.v1.SessionOpenH\x00R\x04open\x123\n" +
	"\x05reset\x18\x04 \x01(\v2\x1b.coding_env.v1.ResetRequestH\x00R\x05reset\x120\n" +
	"\x04step\x18\x05 \x01(\v2\x1a.coding_env.v1.StepRequestH\x00R\x04step\x12C\n" +
	"\vstep_stream\x18\x06 \x01(\v2 .coding_env.v1.StepStreamRequestH\x00R\n" +
	"stepStream\x12=\n" +
	"\tget_state\x18\a \x01(\v2\x1e.coding_env.v1.GetStateRequestH\x00R\bgetState\x12?\n" +
	"\tinterrupt\x18\b \x01(\v2\x1f.coding_env.v1.InterruptRequestH\x00R\tinterrupt\x123\n" +
	"\x05close\x18\t \x01(\v2\x1b.coding_env.v1.CloseRequestH\x00R\x05close\x126\n" +
	"\x06detach\x18\n" +
	" \x01(\v2\x1c.coding_env.v1.SessionDetachH\x00R\x06detach\x120\n" +
	"\x04fork\x18\v \x01(\v2\x1a.coding_env.v1.ForkRequestH\x00R\x04fork\x12B\n" +
	"\n" +
	"checkpoint\x18\f \x01(\v2 .coding_env.v1.CheckpointRequestH\x00R\n" +
	"checkpoint\x12<\n" +
	"\brollback\x18\r \x01(\v2\x1e.coding_env.v1.RollbackRequestH\x00R\brollback\x12<\n" +
	"\bevaluate\x18\x0e \x01(\v2\x1e.coding_env.v1.EvaluateRequestH\x00R\bevaluate\x12O\n" +
	"\x0fdrop_checkpoint\x18\x0f \x01(\v2$.coding_env.v1.DropCheckpointRequestH\x00R\x0edropCheckpoint\x12R\n" +
	"\x10list_checkpoints\x18\x11 \x01(\v2%.coding_env.v1.ListCheckpointsRequestH\x00R\x0flistCheckpointsB\t\n" +
	"\arequest\"\xe3\a\n" +
	"\x0fSessionResponse\x12\x0e\n" +
	"\x02id\x18\x01 \x01(\x04R\x02id\x12\x16\n" +
	"\x06number\x18\x02 \x01(\x04R\x06number\x122\n" +
	"\x04open\x18\x03 \x01(\v2\x1c.coding_env.v1.SessionOpenedH\x00R\x04open\x124\n" +
	"\x05reset\x18\x04 \x01(\v2\x1c.coding_env.v1.ResetResponseH\x00R\x05reset\x121\n" +
	"\x04step\x18\x05 \x01(\v2\x1b.coding_env.v1.StepResponseH\x00R\x04step\x12D\n" +
	"\vstep_stream\x18\x06 \x01(\v2!.coding_env.v1.StepStreamResponseH\x00R\n" +
	"stepStream\x12>\n" +
	"\tget_state\x18\a \x01(\v2\x1f.coding_env.v1.GetStateResponseH\x00R\bgetState\x12@\n" +
	"\tinterrupt\x18\b \x01(\v2 .coding_env.v1.InterruptResponseH\x00R\tinterrupt\x124\n" +
	"\x05close\x18\t \x01(\v2\x1c.coding_env.v1.CloseResponseH\x00R\x05close\x128\n" +
	"\x06detach\x18\n" +
	" \x01(\v2\x1e.coding_env.v1.SessionDetachedH\x00R\x06detach\x121\n" +
	"\x04fork\x18\v \x01(\v2\x1b.coding_env.v1.ForkResponseH\x00R\x04fork\x12C\n" +
	"\n" +
	"checkpoint\x18\f \x01(\v2!.coding_env.v1.CheckpointResponseH\x00R\n" +
	"checkpoint\x12=\n" +
	"\brollback\x18\r \x01(\v2\x1f.coding_env.v1.RollbackResponseH\x00R\brollback\x12=\n" +
	"\bevaluate\x18\x0e \x01(\v2\x1f.coding_env.v1.EvaluateResponseH\x00R\bevaluate\x12P\n" +
	"\x0fdrop_checkpoint\x18\x0f \x01(\v2%.coding_env.v1.DropCheckpointResponseH\x00R\x0edropCheckpoint\x12S\n" +
	"\x10list_checkpoints\x18\x11 \x01(\v2&.coding_env.v1.ListCheckpointsResponseH\x00R\x0flistCheckpoints\x12*\n" +
	"\x05error\x18\x10 \x01(\v2\x12.google.rpc.StatusH\x00R\x05errorB\n" +
	"\n" +
	"\bresponse\",\n" +
	"\vSessionOpen\x12\x1d\n" +
	"\n" +
	"session_id\x18\x01 \x01(\tR\tsessionId\"e\n" +
	"\rSessionOpened\x12\x1d\n" +
	"\n" +
	"session_id\x18\x01 \x01(\tR\tsessionId\x12\x1b\n" +
	"\tserver_id\x18\x02 \x01(\tR\bserverId\x12\x18\n" +
	"\aresumed\x18\x03 \x01(\bR\aresumed\"0\n" +
	"\rSessionDetach\x12\x1f\n" +
	"\vepisode_ids\x18\x01 \x03(\tR\n" +
	"episodeIds\"2\n" +
	"\x0fSessionDetached\x12\x1f\n" +
	"\vepisode_ids\x18\x01 \x03(\tR\n" +
	"episodeIds\"\xb0\x02\n" +
	"\vForkRequest\x12\x1d\n" +
	"\n" +
	"episode_id\x18\x01 \x01(\tR\tepisodeId\x12\x14\n" +
	"\x05count\x18\x02 \x01(\rR\x05count\x12\x1b\n" +
	"\tchild_ids\x18\x03 \x03(\tR\bchildIds\x122\n" +
	"\x06random\x18\x04 \x01(\x0e2\x1a.coding_env.v1.RandomStateR\x06random\x12\x14\n" +
	"\x05seeds\x18\x05 \x03(\x04R\x05seeds\x12-\n" +
	"\x06limits\x18\x06 \x01(\v2\x15.coding_env.v1.LimitsR\x06limits\x12#\n" +
	"\rallow_partial\x18\a \x01(\bR\fallowPartial\x12\"\n" +
	"\n" +
	"step_index\x18\b \x01(\rH\x00R\tstepIndex\x88\x01\x01B\r\n" +
	"\v_step_index\"\x95\x01\n" +
	"\fForkResponse\x126\n" +
	"\bchildren\x18\x01 \x03(\v2\x1a.coding_env.v1.ForkedChildR\bchildren\x120\n" +
	"\x06parent\x18\x02 \x01(\v2\x18.coding_env.v1.CodeStateR\x06parent\x12\x1b\n" +
	"\tserver_id\x18\x03 \x01(\tR\bserverId\"\xb5\x01\n" +
	"\vForkedChild\x12\x1d\n" +
	"\n" +
	"episode_id\x18\x01 \x01(\tR\tepisodeId\x12.\n" +
	"\x05state\x18\x02 \x01(\v2\x18.coding_env.v1.CodeStateR\x05state\x12-\n" +
	"\x06limits\x18\x03 \x01(\v2\x15.coding_env.v1.LimitsR\x06limits\x12(\n" +
	"\x05error\x18\x04 \x01(\v2\x12.google.rpc.StatusR\x05error\"m\n" +
	"\n" +
	"ForkOrigin\x12*\n" +
	"\x11parent_episode_id\x18\x01 \x01(\tR\x0fparentEpisodeId\x12\x1d\n" +
	"\n" +
	"step_count\x18\x02 \x01(\rR\tstepCount\x12\x14\n" +
	"\x05depth\x18\x03 \x01(\rR\x05depth\"\xa9\x01\n" +
	"\x11CheckpointRequest\x12\x1d\n" +
	"\n" +
	"episode_id\x18\x01 \x01(\tR\tepisodeId\x12\x12\n" +
	"\x04name\x18\x02 \x01(\tR\x04name\x12.\n" +
	"\aon_full\x18\x03 \x01(\x0e2\x15.coding_env.v1.OnFullR\x06onFull\x12\"\n" +
	"\n" +
	"step_index\x18\x04 \x01(\rH\x00R\tstepIndex\x88\x01\x01B\r\n" +
	"\v_step_index\"\xd4\x01\n" +
	"\x12CheckpointResponse\x12=\n" +
	"\n" +
	"checkpoint\x18\x01 \x01(\v2\x1d.coding_env.v1.CheckpointInfoR\n" +
	"checkpoint\x12\x18\n" +
	"\acreated\x18\x02 \x01(\bR\acreated\x12\x18\n" +
	"\adropped\x18\x03 \x03(\tR\adropped\x12.\n" +
	"\x05state\x18\x04 \x01(\v2\x18.coding_env.v1.CodeStateR\x05state\x12\x1b\n" +
	"\tserver_id\x18\x05 \x01(\tR\bserverId\"\xbc\x01\n" +
	"\x0eCheckpointInfo\x12\x12\n" +
	"\x04name\x18\x01 \x01(\tR\x04name\x12\x1d\n" +
	"\n" +
	"step_count\x18\x02 \x01(\rR\tstepCount\x12;\n" +
	"\vcreate_time\x18\x03 \x01(\v2\x1a.google.protobuf.TimestampR\n" +
	"createTime\x12(\n" +
	"\rprivate_bytes\x18\x04 \x01(\x04H\x00R\fprivateBytes\x88\x01\x01B\x10\n" +
	"\x0e_private_bytes\"\xab\x01\n" +
	"\x0fRollbackRequest\x12\x1d\n" +
	"\n" +
	"episode_id\x18\x01 \x01(\tR\tepisodeId\x12\x12\n" +
	"\x04name\x18\x02 \x01(\tR\x04name\x12\"\n" +
	"\n" +
	"step_index\x18\x03 \x01(\rH\x00R\tstepIndex\x88\x01\x01\x122\n" +
	"\x06random\x18\x04 \x01(\x0e2\x1a.coding_env.v1.RandomStateR\x06randomB\r\n" +
	"\v_step_index\"\x9e\x01\n" +
	"\x10RollbackResponse\x12=\n" +
	"\n" +
	"checkpoint\x18\x01 \x01(\v2\x1d.coding_env.v1.CheckpointInfoR\n" +
	"checkpoint\x12.\n" +
	"\x05state\x18\x02 \x01(\v2\x18.coding_env.v1.CodeStateR\x05state\x12\x1b\n" +
	"\tserver_id\x18\x03 \x01(\tR\bserverId\"7\n" +
	"\x16ListCheckpointsRequest\x12\x1d\n" +
	"\n" +
	"episode_id\x18\x01 \x01(\tR\tepisodeId\"w\n" +
	"\x17ListCheckpointsResponse\x12?\n" +
	"\vcheckpoints\x18\x01 \x03(\v2\x1d.coding_env.v1.CheckpointInfoR\vcheckpoints\x12\x1b\n" +
	"\tserver_id\x18\x02 \x01(\tR\bserverId\"J\n" +
	"\x15DropCheckpointRequest\x12\x1d\n" +
	"\n" +
	"episode_id\x18\x01 \x01(\tR\tepisodeId\x12\x12\n" +
	"\x04name\x18\x02 \x01(\tR\x04name\"O\n" +
	"\x16DropCheckpointResponse\x12\x18\n" +
	"\adropped\x18\x01 \x01(\bR\adropped\x12\x1b\n" +
	"\tserver_id\x18\x02 \x01(\tR\bserverId\"\x95\x02\n" +
	"\x0fEvaluateRequest\x12\x1d\n" +
	"\n" +
	"episode_id\x18\x01 \x01(\tR\tepisodeId\x12;\n" +
	"\vevaluations\x18\x02 \x03(\v2\x19.coding_env.v1.EvaluationR\vevaluations\x122\n" +
	"\x06random\x18\x03 \x01(\x0e2\x1a.coding_env.v1.RandomStateR\x06random\x12\"\n" +
	"\n" +
	"step_index\x18\x04 \x01(\rH\x00R\tstepIndex\x88\x01\x01\x12+\n" +
	"\x0fmax_reply_bytes\x18\x05 \x01(\rH\x01R\rmaxReplyBytes\x88\x01\x01B\r\n" +
	"\v_step_indexB\x12\n" +
	"\x10_max_reply_bytes\"\x93\x02\n" +
	"\n" +
	"Evaluation\x121\n" +
	"\x06action\x18\x01 \x01(\v2\x19.coding_env.v1.CodeActionR\x06action\x123\n" +
	"\atimeout\x18\x02 \x01(\v2\x19.google.protobuf.DurationR\atimeout\x121\n" +
	"\x06limits\x18\x03 \x01(\v2\x19.coding_env.v1.StepLimitsR\x06limits\x12,\n" +
	"\x06checks\x18\x04 \x03(\v2\x14.coding_env.v1.CheckR\x06checks\x12<\n" +
	"\fcall_timeout\x18\x05 \x01(\v2\x19.google.protobuf.DurationR\vcallTimeout\"\xd2\x01\n" +
	"\x05Check\x124\n" +
	"\x06stdout\x18\x01 \x01(\v2\x1a.coding_env.v1.StdoutCheckH\x00R\x06stdout\x120\n" +
	"\x05calls\x18\x02 \x01(\v2\x18.coding_env.v1.CallCheckH\x00R\x05calls\x120\n" +
	"\x05tests\x18\x03 \x01(\v2\x18.coding_env.v1.TestCheckH\x00R\x05tests\x12\x1b\n" +
	"\x06weight\x18\x04 \x01(\rH\x01R\x06weight\x88\x01\x01B\a\n" +
	"\x05checkB\t\n" +
	"\a_weight\"\xc6\x01\n" +
	"\vStdoutCheck\x12\x1a\n" +
	"\bexpected\x18\x01 \x01(\tR\bexpected\x12=\n" +
	"\n" +
	"comparison\x18\x02 \x01(\x0e2\x1d.coding_env.v1.TextComparisonR\n" +
	"comparison\x12-\n" +
	"\x12absolute_tolerance\x18\x03 \x01(\x01R\x11absoluteTolerance\x12-\n" +
	"\x12relative_tolerance\x18\x04 \x01(\x01R\x11relativeTolerance\"R\n" +
	"\tCallCheck\x12\x1a\n" +
	"\bfunction\x18\x01 \x01(\tR\bfunction\x12)\n" +
	"\x05calls\x18\x02 \x03(\v2\x13.coding_env.v1.CallR\x05calls\"\xc7\x01\n" +
	"\x04Call\x12\x1b\n" +
	"\targs_json\x18\x01 \x01(\tR\bargsJson\x12\x1f\n" +
	"\vkwargs_json\x18\x02 \x01(\tR\n" +
	"kwargsJson\x12#\n" +
	"\rexpected_json\x18\x03 \x01(\tR\fexpectedJson\x12-\n" +
	"\x12absolute_tolerance\x18\x04 \x01(\x01R\x11absoluteTolerance\x12-\n" +
	"\x12relative_tolerance\x18\x05 \x01(\x01R\x11relativeTolerance\"#\n" +
	"\tTestCheck\x12\x16\n" +
	"\x06source\x18\x01 \x01(\tR\x06source\"\x9a\x01\n" +
	"\x10EvaluateResponse\x129\n" +
	"\aresults\x18\x01 \x03(\v2\x1f.coding_env.v1.EvaluationResultR\aresults\x12.\n" +
	"\x05state\x18\x02 \x01(\v2\x18.coding_env.v1.CodeStateR\x05state\x12\x1b\n" +
	"\tserver_id\x18\x03 \x01(\tR\bserverId\"\xba\x03\n" +
	"\x10EvaluationResult\x12@\n" +
	"\vobservation\x18\x01 \x01(\v2\x1e.coding_env.v1.CodeObservationR\vobservation\x120\n" +
	"\aoutcome\x18\x02 \x01(\x0e2\x16.coding_env.v1.OutcomeR\aoutcome\x123\n" +
	"\breported\x18\x03 \x01(\v2\x17.coding_env.v1.ReportedR\breported\x123\n" +
	"\bobserved\x18\x04 \x01(\v2\x17.coding_env.v1.ObservedR\bobserved\x123\n" +
	"\atimeout\x18\x05 \x01(\v2\x19.google.protobuf.DurationR\atimeout\x122\n" +
	"\x06checks\x18\x06 \x03(\v2\x1a.coding_env.v1.CheckResultR\x06checks\x12\x19\n" +
	"\x05score\x18\a \x01(\x01H\x00R\x05score\x88\x01\x01\x12(\n" +
	"\rclaimed_score\x18\b \x01(\x01H\x01R\fclaimedScore\x88\x01\x01B\b\n" +
	"\x06_scoreB\x10\n" +
	"\x0e_claimed_score\"\xa4\x01\n" +
	"\vCheckResult\x12\x16\n" +
	"\x06passed\x18\x01 \x01(\rR\x06passed\x12\x14\n" +
	"\x05total\x18\x02 \x01(\rR\x05total\x12\x14\n" +
	"\x05score\x18\x03 \x01(\x01R\x05score\x12\x18\n" +
	"\aclaimed\x18\x04 \x01(\bR\aclaimed\x127\n" +
	"\bfailures\x18\x05 \x03(\v2\x1b.coding_env.v1.CheckFailureR\bfailures\"\x8c\x01\n" +
	"\fCheckFailure\x12\x14\n" +
	"\x05index\x18\x01 \x01(\rR\x05index\x12\x12\n" +
	"\x04name\x18\x02 \x01(\tR\x04name\x120\n" +
	"\aoutcome\x18\x03 \x01(\x0e2\x16.coding_env.v1.OutcomeR\aoutcome\x12 \n" +
	"\vdescription\x18\x04 \x01(\tR\vdescription\"\xe7\x02\n" +
	"\tForkFacts\x12\x1c\n" +
	"\tavailable\x18\x01 \x01(\bR\tavailable\x12\x16\n" +
	"\x06detail\x18\x02 \x01(\tR\x06detail\x12)\n" +
	"\x10memory_separated\x18\x03 \x01(\bR\x0fmemorySeparated\x12'\n" +
	"\x0ffiles_separated\x18\x04 \x01(\bR\x0efilesSeparated\x12+\n" +
	"\x11signals_separated\x18\x05 \x01(\bR\x10signalsSeparated\x12+\n" +
	"\x11tracing_separated\x18\x06 \x01(\bR\x10tracingSeparated\x12'\n" +
	"\x0fchannel_private\x18\a \x01(\bR\x0echannelPrivate\x12\x1d\n" +
	"\n" +
	"same_paths\x18\b \x01(\bR\tsamePaths\x12 \n" +
	"\tdepth_max\x18\t \x01(\rH\x00R\bdepthMax\x88\x01\x01B\f\n" +
	"\n" +
	"_depth_max\"\xe5\x02\n" +
	"\n" +
	"ForkLimits\x12\x1a\n" +
	"\bchildren\x18\x01 \x01(\rR\bchildren\x12 \n" +
	"\vcheckpoints\x18\x02 \x01(\rR\vcheckpoints\x12)\n" +
	"\x10checkpoint_bytes\x18\x03 \x01(\x04R\x0fcheckpointBytes\x12-\n" +
	"\x12server_checkpoints\x18\x04 \x01(\rR\x11serverCheckpoints\x126\n" +
	"\x17server_checkpoint_bytes\x18\x05 \x01(\x04R\x15serverCheckpointBytes\x12 \n" +
	"\vevaluations\x18\x06 \x01(\rR\vevaluations\x12\x16\n" +
	"\x06checks\x18\a \x01(\rR\x06checks\x12\x14\n" +
	"\x05calls\x18\b \x01(\rR\x05calls\x127\n" +
	"\n" +
	"on_failure\x18\t \x01(\x0e2\x18.coding_env.v1.OnFailureR\tonFailure*\xe1\x01\n" +
	"\aOutcome\x12\x17\n" +
	"\x13OUTCOME_UNSPECIFIED\x10\x00\x12\x15\n" +
	"\x11OUTCOME_COMPLETED\x10\x01\x12\x12\n" +
	"\x0eOUTCOME_RAISED\x10\x02\x12\x12\n" +
	"\x0eOUTCOME_EXITED\x10\x03\x12\x17\n" +
	"\x13OUTCOME_INTERRUPTED\x10\x04\x12\x15\n" +
	"\x11OUTCOME_TIMED_OUT\x10\x05\x12\x1a\n" +
	"\x16OUTCOME_LIMIT_EXCEEDED\x10\x06\x12\x12\n" +
	"\x0eOUTCOME_KILLED\x10\a\x12\x1e\n" +
	"\x1aOUTCOME_PROTOCOL_VIOLATION\x10\b*t\n" +
	"\n" +
	"StateAfter\x12\x1b\n" +
	"\x17STATE_AFTER_UNSPECIFIED\x10\x00\x12\x16\n" +
	"\x12STATE_AFTER_INTACT\x10\x01\x12\x1b\n" +
	"\x17STATE_AFTER_ROLLED_BACK\x10\x02\x12\x14\n" +
	"\x10STATE_AFTER_LOST\x10\x03*\x98\x01\n" +
	"\rEpisodeStatus\x12\x1e\n" +
	"\x1aEPISODE_STATUS_UNSPECIFIED\x10\x00\x12\x17\n" +
	"\x13EPISODE_STATUS_IDLE\x10\x01\x12\x1a\n" +
	"\x16EPISODE_STATUS_RUNNING\x10\x02\x12\x17\n" +
	"\x13EPISODE_STATUS_LOST\x10\x03\x12\x19\n" +
	"\x15EPISODE_STATUS_FROZEN\x10\x04*\x8e\x01\n" +
	"\tLimitKind\x12\x1a\n" +
	"\x16LIMIT_KIND_UNSPECIFIED\x10\x00\x12\x1b\n" +
	"\x17LIMIT_KIND_STEP_TIMEOUT\x10\x01\x12\x17\n" +
	"\x13LIMIT_KIND_CPU_TIME\x10\x02\x12\x15\n" +
	"\x11LIMIT_KIND_MEMORY\x10\x03\x12\x18\n" +
	"\x14LIMIT_KIND_PROCESSES\x10\x04*W\n" +
	"\n" +
	"UsageScope\x12\x1b\n" +
	"\x17USAGE_SCOPE_UNSPECIFIED\x10\x00\x12\x16\n" +
	"\x12USAGE_SCOPE_WORKER\x10\x01\x12\x14\n" +
	"\x10USAGE_SCOPE_TREE\x10\x02*\x88\x01\n" +
	"\x0eIsolationLevel\x12\x1f\n" +
	"\x1bISOLATION_LEVEL_UNSPECIFIED\x10\x00\x12\x18\n" +
	"\x14ISOLATION_LEVEL_NONE\x10\x01\x12\x1c\n" +
	"\x18ISOLATION_LEVEL_LANDLOCK\x10\x02\x12\x1d\n" +
	"\x19ISOLATION_LEVEL_NAMESPACE\x10\x03*J\n" +
	"\aNetwork\x12\x17\n" +
	"\x13NETWORK_UNSPECIFIED\x10\x00\x12\x10\n" +
	"\fNETWORK_NONE\x10\x01\x12\x14\n" +
	"\x10NETWORK_LOOPBACK\x10\x02*\x83\x01\n" +
	"\x13IsolationLayerState\x12%\n" +
	"!ISOLATION_LAYER_STATE_UNSPECIFIED\x10\x00\x12\"\n" +
	"\x1eISOLATION_LAYER_STATE_ENFORCED\x10\x01\x12!\n" +
	"\x1dISOLATION_LAYER_STATE_MISSING\x10\x02*a\n" +
	"\fOutputStream\x12\x1d\n" +
	"\x19OUTPUT_STREAM_UNSPECIFIED\x10\x00\x12\x18\n" +
	"\x14OUTPUT_STREAM_STDOUT\x10\x01\x12\x18\n" +
	"\x14OUTPUT_STREAM_STDERR\x10\x02*{\n" +
	"\bFileKind\x12\x19\n" +
	"\x15FILE_KIND_UNSPECIFIED\x10\x00\x12\x12\n" +
	"\x0eFILE_KIND_FILE\x10\x01\x12\x17\n" +
	"\x13FILE_KIND_DIRECTORY\x10\x02\x12\x12\n" +
	"\x0eFILE_KIND_LINK\x10\x03\x12\x13\n" +
	"\x0fFILE_KIND_OTHER\x10\x04*\x90\x03\n" +
	"\rFileErrorKind\x12\x1f\n" +
	"\x1bFILE_ERROR_KIND_UNSPECIFIED\x10\x00\x12\x1d\n" +
	"\x19FILE_ERROR_KIND_NOT_FOUND\x10\x01\x12\x1e\n" +
	"\x1aFILE_ERROR_KIND_NOT_A_FILE\x10\x02\x12\"\n" +
	"\x1eFILE_ERROR_KIND_IS_A_DIRECTORY\x10\x03\x12#\n" +
	"\x1fFILE_ERROR_KIND_NOT_A_DIRECTORY\x10\x04\x12\x1d\n" +
	"\x19FILE_ERROR_KIND_TOO_LARGE\x10\x05\x12\x1c\n" +
	"\x18FILE_ERROR_KIND_NO_SPACE\x10\x06\x12\x1e\n" +
	"\x1aFILE_ERROR_KIND_PERMISSION\x10\a\x12\x1d\n" +
	"\x19FILE_ERROR_KIND_NOT_EMPTY\x10\b\x12\x1c\n" +
	"\x18FILE_ERROR_KIND_MISMATCH\x10\t\x12\x1e\n" +
	"\x1aFILE_ERROR_KIND_INCOMPLETE\x10\n" +
	"\x12\x1c\n" +
	"\x18FILE_ERROR_KIND_TOO_DEEP\x10\v*^\n" +
	"\vRandomState\x12\x1c\n" +
	"\x18RANDOM_STATE_UNSPECIFIED\x10\x00\x12\x18\n" +
	"\x14RANDOM_STATE_INHERIT\x10\x01\x12\x17\n" +
	"\x13RANDOM_STATE_RESEED\x10\x02*V\n" +
	"\tOnFailure\x12\x1a\n" +
	"\x16ON_FAILURE_UNSPECIFIED\x10\x00\x12\x13\n" +
	"\x0fON_FAILURE_KEEP\x10\x01\x12\x18\n" +
	"\x14ON_FAILURE_ROLL_BACK\x10\x02*N\n" +
	"\x06OnFull\x12\x17\n" +
	"\x13ON_FULL_UNSPECIFIED\x10\x00\x12\x12\n" +
	"\x0eON_FULL_REFUSE\x10\x01\x12\x17\n" +
	"\x13ON_FULL_DROP_OLDEST\x10\x02*\xa2\x01\n" +
	"\x0eTextComparison\x12\x1f\n" +
	"\x1bTEXT_COMPARISON_UNSPECIFIED\x10\x00\x12\x19\n" +
	"\x15TEXT_COMPARISON_EXACT\x10\x01\x12\x1b\n" +
	"\x17TEXT_COMPARISON_TRIMMED\x10\x02\x12\x1a\n" +
	"\x16TEXT_COMPARISON_TOKENS\x10\x03\x12\x1b\n" +
	"\x17TEXT_COMPARISON_NUMERIC\x10\x042\xae\v\n" +
	"\tCodingEnv\x12B\n" +
	"\x05Reset\x12\x1b.coding_env.v1.ResetRequest\x1a\x1c.coding_env.v1.ResetResponse\x12?\n" +
	"\x04Step\x12\x1a.coding_env.v1.StepRequest\x1a\x1b.coding_env.v1.StepResponse\x12K\n" +
	"\bGetState\x12\x1e.coding_env.v1.GetStateRequest\x1a\x1f.coding_env.v1.GetStateResponse\x12B\n" +
	"\x05Close\x12\x1b.coding_env.v1.CloseRequest\x1a\x1c.coding_env.v1.CloseResponse\x12N\n" +
	"\tInterrupt\x12\x1f.coding_env.v1.InterruptRequest\x1a .coding_env.v1.InterruptResponse\x12Z\n" +
	"\rGetServerInfo\x12#.coding_env.v1.GetServerInfoRequest\x1a$.coding_env.v1.GetServerInfoResponse\x12S\n" +
	"\n" +
	"StepStream\x12 .coding_env.v1.StepStreamRequest\x1a!.coding_env.v1.StepStreamResponse0\x01\x12L\n" +
	"\aSession\x12\x1d.coding_env.v1.SessionRequest\x1a\x1e.coding_env.v1.SessionResponse(\x010\x01\x12S\n" +
	"\n" +
	"WriteFiles\x12 .coding_env.v1.WriteFilesRequest\x1a!.coding_env.v1.WriteFilesResponse(\x01\x12P\n" +
	"\tReadFiles\x12\x1f.coding_env.v1.ReadFilesRequest\x1a .coding_env.v1.ReadFilesResponse0\x01\x12P\n" +
	"\tListFiles\x12\x1f.coding_env.v1.ListFilesRequest\x1a .coding_env.v1.ListFilesResponse0\x01\x12T\n" +
	"\vDeleteFiles\x12!.coding_env.v1.DeleteFilesRequest\x1a\".coding_env.v1.DeleteFilesResponse\x12?\n" +
	"\x04Fork\x12\x1a.coding_env.v1.ForkRequest\x1a\x1b.coding_env.v1.ForkResponse\x12Q\n" +
	"\n" +
	"Checkpoint\x12 .coding_env.v1.CheckpointRequest\x1a!.coding_env.v1.CheckpointResponse\x12K\n" +
	"\bRollback\x12\x1e.coding_env.v1.RollbackRequest\x1a\x1f.coding_env.v1.RollbackResponse\x12`\n" +
	"\x0fListCheckpoints\x12%.coding_env.v1.ListCheckpointsRequest\x1a&.coding_env.v1.ListCheckpointsResponse\x12]\n" +
	"\x0eDropCheckpoint\x12$.coding_env.v1.DropCheckpointRequest\x1a%.coding_env.v1.DropCheckpointResponse\x12K\n" +
	"\bEvaluate\x12\x1e.coding_env.v1.EvaluateRequest\x1a\x1f.coding_env.v1.EvaluateResponseBY\n" +
	"\x10dev.codingenv.v1P\x01ZCgithub.com/coding-env/coding-env/clients/go/codingenvv1;codingenvv1b\x06proto3"

var (
	file_coding_env_v1_coding_env_proto_rawDescOnce sync.Once
	file_coding_env_v1_coding_env_proto_rawDescData []byte
)

func file_coding_env_v1_coding_env_proto_rawDescGZIP() []byte {
	file_coding_env_v1_coding_env_proto_rawDescOnce.Do(func() {
		file_coding_env_v1_coding_env_proto_rawDescData = protoimpl.X.CompressGZIP(unsafe.Slice(unsafe.StringData(file_coding_env_v1_coding_env_proto_rawDesc), len(file_coding_env_v1_coding_env_proto_rawDesc)))
	})
	return file_coding_env_v1_coding_env_proto_rawDescData
}

var file_coding_env_v1_coding_env_proto_enumTypes = make([]protoimpl.EnumInfo, 15)
var file_coding_env_v1_coding_env_proto_msgTypes = make([]protoimpl.MessageInfo, 86)
var file_coding_env_v1_coding_env_proto_goTypes = []any{
	(Outcome)(0),                    // 0: coding_env.v1.Outcome
	(StateAfter)(0),                 // 1: coding_env.v1.StateAfter
	(EpisodeStatus)(0),              // 2: coding_env.v1.EpisodeStatus
	(LimitKind)(0),                  // 3: coding_env.v1.LimitKind
	(UsageScope)(0),                 // 4: coding_env.v1.UsageScope
	(IsolationLevel)(0),             // 5: coding_env.v1.IsolationLevel
	(Network)(0),                    // 6: coding_env.v1.Network
	(IsolationLayerState)(0),        // 7: coding_env.v1.IsolationLayerState
	(OutputStream)(0),               // 8: coding_env.v1.OutputStream
	(FileKind)(0),                   // 9: coding_env.v1.FileKind
	(FileErrorKind)(0),              // 10: coding_env.v1.FileErrorKind
	(RandomState)(0),                // 11: coding_env.v1.RandomState
	(OnFailure)(0),                  // 12: coding_env.v1.OnFailure
	(OnFull)(0),                     // 13: coding_env.v1.OnFull
	(TextComparison)(0),             // 14: coding_env.v1.TextComparison
	(*ResetRequest)(nil),            // 15: coding_env.v1.ResetRequest
	(*ResetResponse)(nil),           // 16: coding_env.v1.ResetResponse
	(*StepRequest)(nil),             // 17: coding_env.v1.StepRequest
	(*StepResponse)(nil),            // 18: coding_env.v1.StepResponse
	(*GetStateRequest)(nil),         // 19: coding_env.v1.GetStateRequest
	(*GetStateResponse)(nil),        // 20: coding_env.v1.GetStateResponse
	(*CloseRequest)(nil),            // 21: coding_env.v1.CloseRequest
	(*CloseResponse)(nil),           // 22: coding_env.v1.CloseResponse
	(*InterruptRequest)(nil),        // 23: coding_env.v1.InterruptRequest
	(*InterruptResponse)(nil),       // 24: coding_env.v1.InterruptResponse
	(*GetServerInfoRequest)(nil),    // 25: coding_env.v1.GetServerInfoRequest
	(*GetServerInfoResponse)(nil),   // 26: coding_env.v1.GetServerInfoResponse
	(*CodeAction)(nil),              // 27: coding_env.v1.CodeAction
	(*CodeObservation)(nil),         // 28: coding_env.v1.CodeObservation
	(*Display)(nil),                 // 29: coding_env.v1.Display
	(*Representation)(nil),          // 30: coding_env.v1.Representation
	(*CodeState)(nil),               // 31: coding_env.v1.CodeState
	(*Limits)(nil),                  // 32: coding_env.v1.Limits
	(*StepLimits)(nil),              // 33: coding_env.v1.StepLimits
	(*ServerLimits)(nil),            // 34: coding_env.v1.ServerLimits
	(*Runtime)(nil),                 // 35: coding_env.v1.Runtime
	(*Package)(nil),                 // 36: coding_env.v1.Package
	(*Isolation)(nil),               // 37: coding_env.v1.Isolation
	(*IsolationLayer)(nil),          // 38: coding_env.v1.IsolationLayer
	(*Capacity)(nil),                // 39: coding_env.v1.Capacity
	(*Reported)(nil),                // 40: coding_env.v1.Reported
	(*PythonException)(nil),         // 41: coding_env.v1.PythonException
	(*Observed)(nil),                // 42: coding_env.v1.Observed
	(*Usage)(nil),                   // 43: coding_env.v1.Usage
	(*Loss)(nil),                    // 44: coding_env.v1.Loss
	(*FileLimits)(nil),              // 45: coding_env.v1.FileLimits
	(*ResetFile)(nil),               // 46: coding_env.v1.ResetFile
	(*FileInfo)(nil),                // 47: coding_env.v1.FileInfo
	(*FileChunk)(nil),               // 48: coding_env.v1.FileChunk
	(*FileEnd)(nil),                 // 49: coding_env.v1.FileEnd
	(*FileError)(nil),               // 50: coding_env.v1.FileError
	(*FileFailure)(nil),             // 51: coding_env.v1.FileFailure
	(*FileSelector)(nil),            // 52: coding_env.v1.FileSelector
	(*FilesSummary)(nil),            // 53: coding_env.v1.FilesSummary
	(*WriteFilesRequest)(nil),       // 54: coding_env.v1.WriteFilesRequest
	(*WriteFilesResponse)(nil),      // 55: coding_env.v1.WriteFilesResponse
	(*ReadFilesRequest)(nil),        // 56: coding_env.v1.ReadFilesRequest
	(*ReadFilesResponse)(nil),       // 57: coding_env.v1.ReadFilesResponse
	(*ListFilesRequest)(nil),        // 58: coding_env.v1.ListFilesRequest
	(*ListFilesResponse)(nil),       // 59: coding_env.v1.ListFilesResponse
	(*DeleteFilesRequest)(nil),      // 60: coding_env.v1.DeleteFilesRequest
	(*DeleteFilesResponse)(nil),     // 61: coding_env.v1.DeleteFilesResponse
	(*StepStreamRequest)(nil),       // 62: coding_env.v1.StepStreamRequest
	(*StepStreamResponse)(nil),      // 63: coding_env.v1.StepStreamResponse
	(*OutputPiece)(nil),             // 64: coding_env.v1.OutputPiece
	(*Heartbeat)(nil),               // 65: coding_env.v1.Heartbeat
	(*SessionRequest)(nil),          // 66: coding_env.v1.SessionRequest
	(*SessionResponse)(nil),         // 67: coding_env.v1.SessionResponse
	(*SessionOpen)(nil),             // 68: coding_env.v1.SessionOpen
	(*SessionOpened)(nil),           // 69: coding_env.v1.SessionOpened
	(*SessionDetach)(nil),           // 70: coding_env.v1.SessionDetach
	(*SessionDetached)(nil),         // 71: coding_env.v1.SessionDetached
	(*ForkRequest)(nil),             // 72: coding_env.v1.ForkRequest
	(*ForkResponse)(nil),            // 73: coding_env.v1.ForkResponse
	(*ForkedChild)(nil),             // 74: coding_env.v1.ForkedChild
	(*ForkOrigin)(nil),              // 75: coding_env.v1.ForkOrigin
	(*CheckpointRequest)(nil),       // 76: coding_env.v1.CheckpointRequest
	(*CheckpointResponse)(nil),      // 77: coding_env.v1.CheckpointResponse
	(*CheckpointInfo)(nil),          // 78: coding_env.v1.CheckpointInfo
	(*RollbackRequest)(nil),         // 79: coding_env.v1.RollbackRequest
	(*RollbackResponse)(nil),        // 80: coding_env.v1.RollbackResponse
	(*ListCheckpointsRequest)(nil),  // 81: coding_env.v1.ListCheckpointsRequest
	(*ListCheckpointsResponse)(nil), // 82: coding_env.v1.ListCheckpointsResponse
	(*DropCheckpointRequest)(nil),   // 83: coding_env.v1.DropCheckpointRequest
	(*DropCheckpointResponse)(nil),  // 84: coding_env.v1.DropCheckpointResponse
	(*EvaluateRequest)(nil),         // 85: coding_env.v1.EvaluateRequest
	(*Evaluation)(nil),              // 86: coding_env.v1.Evaluation
	(*Check)(nil),                   // 87: coding_env.v1.Check
	(*StdoutCheck)(nil),             // 88: coding_env.v1.StdoutCheck
	(*CallCheck)(nil),               // 89: coding_env.v1.CallCheck
	(*Call)(nil),                    // 90: coding_env.v1.Call
	(*TestCheck)(nil),               // 91: coding_env.v1.TestCheck
	(*EvaluateResponse)(nil),        // 92: coding_env.v1.EvaluateResponse
	(*EvaluationResult)(nil),        // 93: coding_env.v1.EvaluationResult
	(*CheckResult)(nil),             // 94: coding_env.v1.CheckResult
	(*CheckFailure)(nil),            // 95: coding_env.v1.CheckFailure
	(*ForkFacts)(nil),               // 96: coding_env.v1.ForkFacts
	(*ForkLimits)(nil),              // 97: coding_env.v1.ForkLimits
	nil,                             // 98: coding_env.v1.ResetRequest.EnvironmentEntry
	nil,                             // 99: coding_env.v1.ResetResponse.MetadataEntry
	nil,                             // 100: coding_env.v1.StepResponse.MetadataEntry
	(*durationpb.Duration)(nil),     // 101: google.protobuf.Duration
	(*timestamppb.Timestamp)(nil),   // 102: google.protobuf.Timestamp
	(*status.Status)(nil),           // 103: google.rpc.Status
}
var file_coding_env_v1_coding_env_proto_depIdxs = []int32{
	32,  // 0: coding_env.v1.ResetRequest.limits:type_name -> coding_env.v1.Limits
	98,  // 1: coding_env.v1.ResetRequest.environment:type_name -> coding_env.v1.ResetRequest.EnvironmentEntry
	6,   // 2: coding_env.v1.ResetRequest.network:type_name -> coding_env.v1.Network
	46,  // 3: coding_env.v1.ResetRequest.files:type_name -> coding_env.v1.ResetFile
	28,  // 4: coding_env.v1.ResetResponse.observation:type_name -> coding_env.v1.CodeObservation
	31,  // 5: coding_env.v1.ResetResponse.state:type_name -> coding_env.v1.CodeState
	99,  // 6: coding_env.v1.ResetResponse.metadata:type_name -> coding_env.v1.ResetResponse.MetadataEntry
	32,  // 7: coding_env.v1.ResetResponse.limits:type_name -> coding_env.v1.Limits
	27,  // 8: coding_env.v1.StepRequest.action:type_name -> coding_env.v1.CodeAction
	101, // 9: coding_env.v1.StepRequest.timeout:type_name -> google.protobuf.Duration
	33,  // 10: coding_env.v1.StepRequest.limits:type_name -> coding_env.v1.StepLimits
	12,  // 11: coding_env.v1.StepRequest.on_failure:type_name -> coding_env.v1.OnFailure
	0,   // 12: coding_env.v1.StepRequest.roll_back_outcomes:type_name -> coding_env.v1.Outcome
	28,  // 13: coding_env.v1.StepResponse.observation:type_name -> coding_env.v1.CodeObservation
	0,   // 14: coding_env.v1.StepResponse.outcome:type_name -> coding_env.v1.Outcome
	1,   // 15: coding_env.v1.StepResponse.state_after:type_name -> coding_env.v1.StateAfter
	31,  // 16: coding_env.v1.StepResponse.state:type_name -> coding_env.v1.CodeState
	100, // 17: coding_env.v1.StepResponse.metadata:type_name -> coding_env.v1.StepResponse.MetadataEntry
	101, // 18: coding_env.v1.StepResponse.timeout:type_name -> google.protobuf.Duration
	40,  // 19: coding_env.v1.StepResponse.reported:type_name -> coding_env.v1.Reported
	42,  // 20: coding_env.v1.StepResponse.observed:type_name -> coding_env.v1.Observed
	31,  // 21: coding_env.v1.GetStateResponse.state:type_name -> coding_env.v1.CodeState
	2,   // 22: coding_env.v1.GetStateResponse.status:type_name -> coding_env.v1.EpisodeStatus
	44,  // 23: coding_env.v1.GetStateResponse.loss:type_name -> coding_env.v1.Loss
	32,  // 24: coding_env.v1.GetStateResponse.limits:type_name -> coding_env.v1.Limits
	102, // 25: coding_env.v1.GetStateResponse.create_time:type_name -> google.protobuf.Timestamp
	102, // 26: coding_env.v1.GetStateResponse.expire_time:type_name -> google.protobuf.Timestamp
	43,  // 27: coding_env.v1.GetStateResponse.totals:type_name -> coding_env.v1.Usage
	43,  // 28: coding_env.v1.GetStateResponse.tree_totals:type_name -> coding_env.v1.Usage
	75,  // 29: coding_env.v1.GetStateResponse.fork:type_name -> coding_env.v1.ForkOrigin
	32,  // 30: coding_env.v1.GetServerInfoResponse.default_limits:type_name -> coding_env.v1.Limits
	32,  // 31: coding_env.v1.GetServerInfoResponse.max_limits:type_name -> coding_env.v1.Limits
	34,  // 32: coding_env.v1.GetServerInfoResponse.server_limits:type_name -> coding_env.v1.ServerLimits
	35,  // 33: coding_env.v1.GetServerInfoResponse.runtimes:type_name -> coding_env.v1.Runtime
	37,  // 34: coding_env.v1.GetServerInfoResponse.isolation:type_name -> coding_env.v1.Isolation
	39,  // 35: coding_env.v1.GetServerInfoResponse.capacity:type_name -> coding_env.v1.Capacity
	102, // 36: coding_env.v1.GetServerInfoResponse.start_time:type_name -> google.protobuf.Timestamp
	96,  // 37: coding_env.v1.GetServerInfoResponse.fork:type_name -> coding_env.v1.ForkFacts
	29,  // 38: coding_env.v1.CodeObservation.displays:type_name -> coding_env.v1.Display
	30,  // 39: coding_env.v1.Display.representations:type_name -> coding_env.v1.Representation
	101, // 40: coding_env.v1.Limits.step_timeout:type_name -> google.protobuf.Duration
	101, // 41: coding_env.v1.Limits.step_cpu_time:type_name -> google.protobuf.Duration
	101, // 42: coding_env.v1.Limits.idle_timeout:type_name -> google.protobuf.Duration
	101, // 43: coding_env.v1.StepLimits.cpu_time:type_name -> google.protobuf.Duration
	101, // 44: coding_env.v1.ServerLimits.default_step_timeout:type_name -> google.protobuf.Duration
	101, // 45: coding_env.v1.ServerLimits.interrupt_grace:type_name -> google.protobuf.Duration
	101, // 46: coding_env.v1.ServerLimits.background_cpu_time:type_name -> google.protobuf.Duration
	101, // 47: coding_env.v1.ServerLimits.worker_wait:type_name -> google.protobuf.Duration
	101, // 48: coding_env.v1.ServerLimits.session_grace:type_name -> google.protobuf.Duration
	45,  // 49: coding_env.v1.ServerLimits.files:type_name -> coding_env.v1.FileLimits
	97,  // 50: coding_env.v1.ServerLimits.forks:type_name -> coding_env.v1.ForkLimits
	36,  // 51: coding_env.v1.Runtime.packages:type_name -> coding_env.v1.Package
	5,   // 52: coding_env.v1.Isolation.level:type_name -> coding_env.v1.IsolationLevel
	38,  // 53: coding_env.v1.Isolation.layers:type_name -> coding_env.v1.IsolationLayer
	7,   // 54: coding_env.v1.IsolationLayer.state:type_name -> coding_env.v1.IsolationLayerState
	41,  // 55: coding_env.v1.Reported.exception:type_name -> coding_env.v1.PythonException
	43,  // 56: coding_env.v1.Observed.usage:type_name -> coding_env.v1.Usage
	43,  // 57: coding_env.v1.Observed.background:type_name -> coding_env.v1.Usage
	3,   // 58: coding_env.v1.Observed.limit:type_name -> coding_env.v1.LimitKind
	3,   // 59: coding_env.v1.Observed.limits_hit:type_name -> coding_env.v1.LimitKind
	43,  // 60: coding_env.v1.Observed.tree_usage:type_name -> coding_env.v1.Usage
	4,   // 61: coding_env.v1.Usage.scope:type_name -> coding_env.v1.UsageScope
	101, // 62: coding_env.v1.Usage.wall_time:type_name -> google.protobuf.Duration
	101, // 63: coding_env.v1.Usage.queued_time:type_name -> google.protobuf.Duration
	101, // 64: coding_env.v1.Usage.cpu_user_time:type_name -> google.protobuf.Duration
	101, // 65: coding_env.v1.Usage.cpu_system_time:type_name -> google.protobuf.Duration
	0,   // 66: coding_env.v1.Loss.outcome:type_name -> coding_env.v1.Outcome
	101, // 67: coding_env.v1.FileLimits.stall_timeout:type_name -> google.protobuf.Duration
	102, // 68: coding_env.v1.ResetFile.modify_time:type_name -> google.protobuf.Timestamp
	9,   // 69: coding_env.v1.FileInfo.kind:type_name -> coding_env.v1.FileKind
	102, // 70: coding_env.v1.FileInfo.modify_time:type_name -> google.protobuf.Timestamp
	47,  // 71: coding_env.v1.FileChunk.file:type_name -> coding_env.v1.FileInfo
	49,  // 72: coding_env.v1.FileChunk.end:type_name -> coding_env.v1.FileEnd
	50,  // 73: coding_env.v1.FileEnd.error:type_name -> coding_env.v1.FileError
	10,  // 74: coding_env.v1.FileError.kind:type_name -> coding_env.v1.FileErrorKind
	50,  // 75: coding_env.v1.FileFailure.error:type_name -> coding_env.v1.FileError
	51,  // 76: coding_env.v1.FilesSummary.failures:type_name -> coding_env.v1.FileFailure
	48,  // 77: coding_env.v1.WriteFilesRequest.chunks:type_name -> coding_env.v1.FileChunk
	51,  // 78: coding_env.v1.WriteFilesResponse.failures:type_name -> coding_env.v1.FileFailure
	52,  // 79: coding_env.v1.ReadFilesRequest.files:type_name -> coding_env.v1.FileSelector
	48,  // 80: coding_env.v1.ReadFilesResponse.chunks:type_name -> coding_env.v1.FileChunk
	53,  // 81: coding_env.v1.ReadFilesResponse.summary:type_name -> coding_env.v1.FilesSummary
	52,  // 82: coding_env.v1.ListFilesRequest.files:type_name -> coding_env.v1.FileSelector
	47,  // 83: coding_env.v1.ListFilesResponse.files:type_name -> coding_env.v1.FileInfo
	53,  // 84: coding_env.v1.ListFilesResponse.summary:type_name -> coding_env.v1.FilesSummary
	52,  // 85: coding_env.v1.DeleteFilesRequest.files:type_name -> coding_env.v1.FileSelector
	51,  // 86: coding_env.v1.DeleteFilesResponse.failures:type_name -> coding_env.v1.FileFailure
	17,  // 87: coding_env.v1.StepStreamRequest.step:type_name -> coding_env.v1.StepRequest
	101, // 88: coding_env.v1.StepStreamRequest.heartbeat:type_name -> google.protobuf.Duration
	64,  // 89: coding_env.v1.StepStreamResponse.piece:type_name -> coding_env.v1.OutputPiece
	65,  // 90: coding_env.v1.StepStreamResponse.heartbeat:type_name -> coding_env.v1.Heartbeat
	18,  // 91: coding_env.v1.StepStreamResponse.reply:type_name -> coding_env.v1.StepResponse
	8,   // 92: coding_env.v1.OutputPiece.stream:type_name -> coding_env.v1.OutputStream
	68,  // 93: coding_env.v1.SessionRequest.open:type_name -> coding_env.v1.SessionOpen
	15,  // 94: coding_env.v1.SessionRequest.reset:type_name -> coding_env.v1.ResetRequest
	17,  // 95: coding_env.v1.SessionRequest.step:type_name -> coding_env.v1.StepRequest
	62,  // 96: coding_env.v1.SessionRequest.step_stream:type_name -> coding_env.v1.StepStreamRequest
	19,  // 97: coding_env.v1.SessionRequest.get_state:type_name -> coding_env.v1.GetStateRequest
	23,  // 98: coding_env.v1.SessionRequest.interrupt:type_name -> coding_env.v1.InterruptRequest
	21,  // 99: coding_env.v1.SessionRequest.close:type_name -> coding_env.v1.CloseRequest
	70,  // 100: coding_env.v1.SessionRequest.detach:type_name -> coding_env.v1.SessionDetach
	72,  // 101: coding_env.v1.SessionRequest.fork:type_name -> coding_env.v1.ForkRequest
	76,  // 102: coding_env.v1.SessionRequest.checkpoint:type_name -> coding_env.v1.CheckpointRequest
	79,  // 103: coding_env.v1.SessionRequest.rollback:type_name -> coding_env.v1.RollbackRequest
	85,  // 104: coding_env.v1.SessionRequest.evaluate:type_name -> coding_env.v1.EvaluateRequest
	83,  // 105: coding_env.v1.SessionRequest.drop_checkpoint:type_name -> coding_env.v1.DropCheckpointRequest
	81,  // 106: coding_env.v1.SessionRequest.list_checkpoints:type_name -> coding_env.v1.ListCheckpointsRequest
	69,  // 107: coding_env.v1.SessionResponse.open:type_name -> coding_env.v1.SessionOpened
	16,  // 108: coding_env.v1.SessionResponse.reset:type_name -> coding_env.v1.ResetResponse
	18,  // 109: coding_env.v1.SessionResponse.step:type_name -> coding_env.v1.StepResponse
	63,  // 110: coding_env.v1.SessionResponse.step_stream:type_name -> coding_env.v1.StepStreamResponse
	20,  // 111: coding_env.v1.SessionResponse.get_state:type_name -> coding_env.v1.GetStateResponse
	24,  // 112: coding_env.v1.SessionResponse.interrupt:type_name -> coding_env.v1.InterruptResponse
	22,  // 113: coding_env.v1.SessionResponse.close:type_name -> coding_env.v1.CloseResponse
	71,  // 114: coding_env.v1.SessionResponse.detach:type_name -> coding_env.v1.SessionDetached
	73,  // 115: coding_env.v1.SessionResponse.fork:type_name -> coding_env.v1.ForkResponse
	77,  // 116: coding_env.v1.SessionResponse.checkpoint:type_name -> coding_env.v1.CheckpointResponse
	80,  // 117: coding_env.v1.SessionResponse.rollback:type_name -> coding_env.v1.RollbackResponse
	92,  // 118: coding_env.v1.SessionResponse.evaluate:type_name -> coding_env.v1.EvaluateResponse
	84,  // 119: coding_env.v1.SessionResponse.drop_checkpoint:type_name -> coding_env.v1.DropCheckpointResponse
	82,  // 120: coding_env.v1.SessionResponse.list_checkpoints:type_name -> coding_env.v1.ListCheckpointsResponse
	103, // 121: coding_env.v1.SessionResponse.error:type_name -> google.rpc.Status
	11,  // 122: coding_env.v1.ForkRequest.random:type_name -> coding_env.v1.RandomState
	32,  // 123: coding_env.v1.ForkRequest.limits:type_name -> coding_env.v1.Limits
	74,  // 124: coding_env.v1.ForkResponse.children:type_name -> coding_env.v1.ForkedChild
	31,  // 125: coding_env.v1.ForkResponse.parent:type_name -> coding_env.v1.CodeState
	31,  // 126: coding_env.v1.ForkedChild.state:type_name -> coding_env.v1.CodeState
	32,  // 127: coding_env.v1.ForkedChild.limits:type_name -> coding_env.v1.Limits
	103, // 128: coding_env.v1.ForkedChild.error:type_name -> google.rpc.Status
	13,  // 129: coding_env.v1.CheckpointRequest.on_full:type_name -> coding_env.v1.OnFull
	78,  // 130: coding_env.v1.CheckpointResponse.checkpoint:type_name -> coding_env.v1.CheckpointInfo
	31,  // 131: coding_env.v1.CheckpointResponse.state:type_name -> coding_env.v1.CodeState
	102, // 132: coding_env.v1.CheckpointInfo.create_time:type_name -> google.protobuf.Timestamp
	11,  // 133: coding_env.v1.RollbackRequest.random:type_name -> coding_env.v1.RandomState
	78,  // 134: coding_env.v1.RollbackResponse.checkpoint:type_name -> coding_env.v1.CheckpointInfo
	31,  // 135: coding_env.v1.RollbackResponse.state:type_name -> coding_env.v1.CodeState
	78,  // 136: coding_env.v1.ListCheckpointsResponse.checkpoints:type_name -> coding_env.v1.CheckpointInfo
	86,  // 137: coding_env.v1.EvaluateRequest.evaluations:type_name -> coding_env.v1.Evaluation
	11,  // 138: coding_env.v1.EvaluateRequest.random:type_name -> coding_env.v1.RandomState
	27,  // 139: coding_env.v1.Evaluation.action:type_name -> coding_env.v1.CodeAction
	101, // 140: coding_env.v1.Evaluation.timeout:type_name -> google.protobuf.Duration
	33,  // 141: coding_env.v1.Evaluation.limits:type_name -> coding_env.v1.StepLimits
	87,  // 142: coding_env.v1.Evaluation.checks:type_name -> coding_env.v1.Check
	101, // 143: coding_env.v1.Evaluation.call_timeout:type_name -> google.protobuf.Duration
	88,  // 144: coding_env.v1.Check.stdout:type_name -> coding_env.v1.StdoutCheck
	89,  // 145: coding_env.v1.Check.calls:type_name -> coding_env.v1.CallCheck
	91,  // 146: coding_env.v1.Check.tests:type_name -> coding_env.v1.TestCheck
	14,  // 147: coding_env.v1.StdoutCheck.comparison:type_name -> coding_env.v1.TextComparison
	90,  // 148: coding_env.v1.CallCheck.calls:type_name -> coding_env.v1.Call
	93,  // 149: coding_env.v1.EvaluateResponse.results:type_name -> coding_env.v1.EvaluationResult
	31,  // 150: coding_env.v1.EvaluateResponse.state:type_name -> coding_env.v1.CodeState
	28,  // 151: coding_env.v1.EvaluationResult.observation:type_name -> coding_env.v1.CodeObservation
	0,   // 152: coding_env.v1.EvaluationResult.outcome:type_name -> coding_env.v1.Outcome
	40,  // 153: coding_env.v1.EvaluationResult.reported:type_name -> coding_env.v1.Reported
	42,  // 154: coding_env.v1.EvaluationResult.observed:type_name -> coding_env.v1.Observed
	101, // 155: coding_env.v1.EvaluationResult.timeout:type_name -> google.protobuf.Duration
	94,  // 156: coding_env.v1.EvaluationResult.checks:type_name -> coding_env.v1.CheckResult
	95,  // 157: coding_env.v1.CheckResult.failures:type_name -> coding_env.v1.CheckFailure
	0,   // 158: coding_env.v1.CheckFailure.outcome:type_name -> coding_env.v1.Outcome
	12,  // 159: coding_env.v1.ForkLimits.on_failure:type_name -> coding_env.v1.OnFailure
	15,  // 160: coding_env.v1.CodingEnv.Reset:input_type -> coding_env.v1.ResetRequest
	17,  // 161: coding_env.v1.CodingEnv.Step:input_type -> coding_env.v1.StepRequest
	19,  // 162: coding_env.v1.CodingEnv.GetState:input_type -> coding_env.v1.GetStateRequest
	21,  // 163: coding_env.v1.CodingEnv.Close:input_type -> coding_env.v1.CloseRequest
	23,  // 164: coding_env.v1.CodingEnv.Interrupt:input_type -> coding_env.v1.InterruptRequest
	25,  // 165: coding_env.v1.CodingEnv.GetServerInfo:input_type -> coding_env.v1.GetServerInfoRequest
	62,  // 166: coding_env.v1.CodingEnv.StepStream:input_type -> coding_env.v1.StepStreamRequest
	66,  // 167: coding_env.v1.CodingEnv.Session:input_type -> coding_env.v1.SessionRequest
	54,  // 168: coding_env.v1.CodingEnv.WriteFiles:input_type -> coding_env.v1.WriteFilesRequest
	56,  // 169: coding_env.v1.CodingEnv.ReadFiles:input_type -> coding_env.v1.ReadFilesRequest
	58,  // 170: coding_env.v1.CodingEnv.ListFiles:input_type -> coding_env.v1.ListFilesRequest
	60,  // 171: coding_env.v1.CodingEnv.DeleteFiles:input_type -> coding_env.v1.DeleteFilesRequest
	72,  // 172: coding_env.v1.CodingEnv.Fork:input_type -> coding_env.v1.ForkRequest
	76,  // 173: coding_env.v1.CodingEnv.Checkpoint:input_type -> coding_env.v1.CheckpointRequest
	79,  // 174: coding_env.v1.CodingEnv.Rollback:input_type -> coding_env.v1.RollbackRequest
	81,  // 175: coding_env.v1.CodingEnv.ListCheckpoints:input_type -> coding_env.v1.ListCheckpointsRequest
	83,  // 176: coding_env.v1.CodingEnv.DropCheckpoint:input_type -> coding_env.v1.DropCheckpointRequest
	85,  // 177: coding_env.v1.CodingEnv.Evaluate:input_type -> coding_env.v1.EvaluateRequest
	16,  // 178: coding_env.v1.CodingEnv.Reset:output_type -> coding_env.v1.ResetResponse
	18,  // 179: coding_env.v1.CodingEnv.Step:output_type -> coding_env.v1.StepResponse
	20,  // 180: coding_env.v1.CodingEnv.GetState:output_type -> coding_env.v1.GetStateResponse
	22,  // 181: coding_env.v1.CodingEnv.Close:output_type -> coding_env.v1.CloseResponse
	24,  // 182: coding_env.v1.CodingEnv.Interrupt:output_type -> coding_env.v1.InterruptResponse
	26,  // 183: coding_env.v1.CodingEnv.GetServerInfo:output_type -> coding_env.v1.GetServerInfoResponse
	63,  // 184: coding_env.v1.CodingEnv.StepStream:output_type -> coding_env.v1.StepStreamResponse
	67,  // 185: coding_env.v1.CodingEnv.Session:output_type -> coding_env.v1.SessionResponse
	55,  // 186: coding_env.v1.CodingEnv.WriteFiles:output_type -> coding_env.v1.WriteFilesResponse
	57,  // 187: coding_env.v1.CodingEnv.ReadFiles:output_type -> coding_env.v1.ReadFilesResponse
	59,  // 188: coding_env.v1.CodingEnv.ListFiles:output_type -> coding_env.v1.ListFilesResponse
	61,  // 189: coding_env.v1.CodingEnv.DeleteFiles:output_type -> coding_env.v1.DeleteFilesResponse
	73,  // 190: coding_env.v1.CodingEnv.Fork:output_type -> coding_env.v1.ForkResponse
	77,  // 191: coding_env.v1.CodingEnv.Checkpoint:output_type -> coding_env.v1.CheckpointResponse
	80,  // 192: coding_env.v1.CodingEnv.Rollback:output_type -> coding_env.v1.RollbackResponse
	82,  // 193: coding_env.v1.CodingEnv.ListCheckpoints:output_type -> coding_env.v1.ListCheckpointsResponse
	84,  // 194: coding_env.v1.CodingEnv.DropCheckpoint:output_type -> coding_env.v1.DropCheckpointResponse
	92,  // 195: coding_env.v1.CodingEnv.Evaluate:output_type -> coding_env.v1.EvaluateResponse
	178, // [178:196] is the sub-list for method output_type
	160, // [160:178] is the sub-list for method input_type
	160, // [160:160] is the sub-list for extension type_name
	160, // [160:160] is the sub-list for extension extendee
	0,   // [0:160] is the sub-list for field type_name
}

func init() { file_coding_env_v1_coding_env_proto_init() }
func file_coding_env_v1_coding_env_proto_init() {
	if File_coding_env_v1_coding_env_proto != nil {
		return
	}
	file_coding_env_v1_coding_env_proto_msgTypes[0].OneofWrappers = []any{}
	file_coding_env_v1_coding_env_proto_msgTypes[1].OneofWrappers = []any{}
	file_coding_env_v1_coding_env_proto_msgTypes[2].OneofWrappers = []any{}
	file_coding_env_v1_coding_env_proto_msgTypes[3].OneofWrappers = []any{}
	file_coding_env_v1_coding_env_proto_msgTypes[5].OneofWrappers = []any{}
	file_coding_env_v1_coding_env_proto_msgTypes[8].OneofWrappers = []any{}
	file_coding_env_v1_coding_env_proto_msgTypes[9].OneofWrappers = []any{}
	file_coding_env_v1_coding_env_proto_msgTypes[13].OneofWrappers = []any{}
	file_coding_env_v1_coding_env_proto_msgTypes[17].OneofWrappers = []any{}
	file_coding_env_v1_coding_env_proto_msgTypes[18].OneofWrappers = []any{}
	file_coding_env_v1_coding_env_proto_msgTypes[27].OneofWrappers = []any{}
	file_coding_env_v1_coding_env_proto_msgTypes[28].OneofWrappers = []any{}
	file_coding_env_v1_coding_env_proto_msgTypes[31].OneofWrappers = []any{}
	file_coding_env_v1_coding_env_proto_msgTypes[32].OneofWrappers = []any{}
	file_coding_env_v1_coding_env_proto_msgTypes[37].OneofWrappers = []any{
		(*FileSelector_Path)(nil),
		(*FileSelector_RawPath)(nil),
		(*FileSelector_Glob)(nil),
	}
	file_coding_env_v1_coding_env_proto_msgTypes[41].OneofWrappers = []any{}
	file_coding_env_v1_coding_env_proto_msgTypes[48].OneofWrappers = []any{
		(*StepStreamResponse_Piece)(nil),
		(*StepStreamResponse_Heartbeat)(nil),
		(*StepStreamResponse_Reply)(nil),
	}
	file_coding_env_v1_coding_env_proto_msgTypes[51].OneofWrappers = []any{
		(*SessionRequest_Open)(nil),
		(*SessionRequest_Reset_)(nil),
		(*SessionRequest_Step)(nil),
		(*SessionRequest_StepStream)(nil),
		(*SessionRequest_GetState)(nil),
		(*SessionRequest_Interrupt)(nil),
		(*SessionRequest_Close)(nil),
		(*SessionRequest_Detach)(nil),
		(*SessionRequest_Fork)(nil),
		(*SessionRequest_Checkpoint)(nil),
		(*SessionRequest_Rollback)(nil),
		(*SessionRequest_Evaluate)(nil),
		(*SessionRequest_DropCheckpoint)(nil),
		(*SessionRequest_ListCheckpoints)(nil),
	}
	file_coding_env_v1_coding_env_proto_msgTypes[52].OneofWrappers = []any{
		(*SessionResponse_Open)(nil),
		(*SessionResponse_Reset_)(nil),
		(*SessionResponse_Step)(nil),
		(*SessionResponse_StepStream)(nil),
		(*SessionResponse_GetState)(nil),
		(*SessionResponse_Interrupt)(nil),
		(*SessionResponse_Close)(nil),
		(*SessionResponse_Detach)(nil),
		(*SessionResponse_Fork)(nil),
		(*SessionResponse_Checkpoint)(nil),
		(*SessionResponse_Rollback)(nil),
		(*SessionResponse_Evaluate)(nil),
		(*SessionResponse_DropCheckpoint)(nil),
		(*SessionResponse_ListCheckpoints)(nil),
		(*SessionResponse_Error)(nil),
	}
	file_coding_env_v1_coding_env_proto_msgTypes[57].OneofWrappers = []any{}
	file_coding_env_v1_coding_env_proto_msgTypes[61].OneofWrappers = []any{}
	file_coding_env_v1_coding_env_proto_msgTypes[63].OneofWrappers = []any{}
	file_coding_env_v1_coding_env_proto_msgTypes[64].OneofWrappers = []any{}
	file_coding_env_v1_coding_env_proto_msgTypes[70].OneofWrappers = []any{}
	file_coding_env_v1_coding_env_proto_msgTypes[72].OneofWrappers = []any{
		(*Check_Stdout)(nil),
		(*Check_Calls)(nil),
		(*Check_Tests)(nil),
	}
	file_coding_env_v1_coding_env_proto_msgTypes[78].OneofWrappers = []any{}
	file_coding_env_v1_coding_env_proto_msgTypes[81].OneofWrappers = []any{}
	type x struct{}
	out := protoimpl.TypeBuilder{
		File: protoimpl.DescBuilder{
			GoPackagePath: reflect.TypeOf(x{}).PkgPath(),
			RawDescriptor: unsafe.Slice(unsafe.StringData(file_coding_env_v1_coding_env_proto_rawDesc), len(file_coding_env_v1_coding_env_proto_rawDesc)),
			NumEnums:      15,
			NumMessages:   86,
			NumExtensions: 0,
			NumServices:   1,
		},
		GoTypes:           file_coding_env_v1_coding_env_proto_goTypes,
		DependencyIndexes: file_coding_env_v1_coding_env_proto_depIdxs,
		EnumInfos:         file_coding_env_v1_coding_env_proto_enumTypes,
		MessageInfos:      file_coding_env_v1_coding_env_proto_msgTypes,
	}.Build()
	File_coding_env_v1_coding_env_proto = out.File
	file_coding_env_v1_coding_env_proto_goTypes = nil
	file_coding_env_v1_coding_env_proto_depIdxs = nil
}
