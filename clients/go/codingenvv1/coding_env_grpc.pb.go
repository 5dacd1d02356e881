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

// Code generated by protoc-gen-go-grpc. DO NOT EDIT.
// versions:
// - protoc-gen-go-grpc v1.6.2
// - protoc             (unknown)
// source: coding_env/v1/coding_env.proto

package codingenvv1

import (
	context "context"
	grpc "google.golang.org/grpc"
	codes "google.golang.org/grpc/codes"
	status "google.golang.org/grpc/status"
)

// This is a compile-time assertion to ensure that this generated file
// is compatible with the grpc package it is being compiled against.
// Requires gRPC-Go v1.64.0 or later.
const _ = grpc.SupportPackageIsVersion9

const (
	CodingEnv_Reset_FullMethodName           = "/coding_env.v1.CodingEnv/Reset"
	CodingEnv_Step_FullMethodName            = "/coding_env.v1.CodingEnv/Step"
	CodingEnv_GetState_FullMethodName        = "/coding_env.v1.CodingEnv/GetState"
	CodingEnv_Close_FullMethodName           = "/coding_env.v1.CodingEnv/Close"
	CodingEnv_Interrupt_FullMethodName       = "/coding_env.v1.CodingEnv/Interrupt"
	CodingEnv_GetServerInfo_FullMethodName   = "/coding_env.v1.CodingEnv/GetServerInfo"
	CodingEnv_StepStream_FullMethodName      = "/coding_env.v1.CodingEnv/StepStream"
	CodingEnv_Session_FullMethodName         = "/coding_env.v1.CodingEnv/Session"
	CodingEnv_WriteFiles_FullMethodName      = "/coding_env.v1.CodingEnv/WriteFiles"
	CodingEnv_ReadFiles_FullMethodName       = "/coding_env.v1.CodingEnv/ReadFiles"
	CodingEnv_ListFiles_FullMethodName       = "/coding_env.v1.CodingEnv/ListFiles"
	CodingEnv_DeleteFiles_FullMethodName     = "/coding_env.v1.CodingEnv/DeleteFiles"
	CodingEnv_Fork_FullMethodName            = "/coding_env.v1.CodingEnv/Fork"
	CodingEnv_Checkpoint_FullMethodName      = "/coding_env.v1.CodingEnv/Checkpoint"
	CodingEnv_Rollback_FullMethodName        = "/coding_env.v1.CodingEnv/Rollback"
	CodingEnv_ListCheckpoints_FullMethodName = "/coding_env.v1.CodingEnv/ListCheckpoints"
	CodingEnv_DropCheckpoint_FullMethodName  = "/coding_env.v1.CodingEnv/DropCheckpoint"
	CodingEnv_Evaluate_FullMethodName        = "/coding_env.v1.CodingEnv/Evaluate"
)

// CodingEnvClient is the client API for CodingEnv service.
//
// For semantics around ctx use and closing/ending streaming RPCs, please refer to https://pkg.go.dev/google.golang.org/grpc/?tab=doc#ClientConn.NewStream.
//
// Runs Python in episodes. An episode is one interpreter process with its variables; a step is one
// execution of code in it.
type CodingEnvClient interface {
	// Starts a fresh episode: an interpreter that nobody has used, forked from a warm template.
	//
	// Idempotency: with an `episode_id` and the same `request_id` it returns the first reply again, for
	// as long as the episode lives; a retried Reset leaks nothing. A client SHOULD always send both.
	// Side effects: ends `previous_episode_id` if one is named, once the request was found valid.
	// Errors: INVALID_FIELD; EPISODE_EXISTS when the id is live with another `request_id`, or has ended
	// a short while ago; EPISODE_LIMIT when the server holds as many episodes as it may; NO_WORKER when no
	// interpreter became ready in time; FILES_REFUSED when one of `files` can't be written; SHUTTING_DOWN; EPISODE_SERVER_GONE; DEADLINE.
	Reset(ctx context.Context, in *ResetRequest, opts ...grpc.CallOption) (*ResetResponse, error)
	// Runs `action.code` in the episode and replies when it has ended.
	//
	// A step belongs to the episode, not to the connection: when the call ends early the step goes on,
	// and a retry with the same `step_index` gets its reply. A step that is still queued when its caller
	// has gone is dropped and did not run.
	// Idempotency: with `step_index`, exactly once. Let n be `step_count` plus the steps running or
	// queued. Index n is admitted. The index of an admitted step with an equal action joins that step. An
	// earlier index with an equal action gets the kept reply, or STEP_REPLY_DROPPED. Anything else is
	// STEP_OUT_OF_ORDER. Without `step_index` each call is a new step.
	// Errors: INVALID_FIELD; EPISODE_NOT_FOUND, EPISODE_CLOSED, EPISODE_EXPIRED, EPISODE_SERVER_GONE;
	// EPISODE_LOST when an earlier step lost the interpreter; STEP_OUT_OF_ORDER; STEP_REPLY_DROPPED;
	// EPISODE_ENDED when the episode was closed, expired or drained meanwhile; STEP_QUEUE_FULL; STEP_LIMIT;
	// DEADLINE when the caller's own deadline passed first (a running step goes on, a queued one is dropped).
	Step(ctx context.Context, in *StepRequest, opts ...grpc.CallOption) (*StepResponse, error)
	// Returns the state and life-cycle facts of an episode. It still answers for a lost episode.
	//
	// Idempotency: reads only; does not count as activity.
	// Errors: INVALID_FIELD; EPISODE_NOT_FOUND, EPISODE_CLOSED, EPISODE_EXPIRED, EPISODE_SERVER_GONE.
	GetState(ctx context.Context, in *GetStateRequest, opts ...grpc.CallOption) (*GetStateResponse, error)
	// Ends an episode and frees all it held: its interpreter, that one's children, its files.
	//
	// Idempotency: ending an unknown or ended episode is not an error (`closed` is false).
	// Side effects: running and queued steps end with EPISODE_ENDED.
	// Errors: INVALID_FIELD; EPISODE_SERVER_GONE.
	Close(ctx context.Context, in *CloseRequest, opts ...grpc.CallOption) (*CloseResponse, error)
	// Interrupts the running step: KeyboardInterrupt in its main thread and, when that is not honoured
	// within the grace (`ServerLimits.interrupt_grace`), the kill. The step's own reply tells the outcome
	// (`OUTCOME_INTERRUPTED`, exit code 130) and whether the state survived.
	//
	// Idempotency: MAY be repeated; an Interrupt that comes too late hits nothing else, if it names
	// `step_index`. An interrupt that lands outside user code is discarded.
	// Errors: INVALID_FIELD; EPISODE_NOT_FOUND, EPISODE_CLOSED, EPISODE_EXPIRED, EPISODE_SERVER_GONE.
	Interrupt(ctx context.Context, in *InterruptRequest, opts ...grpc.CallOption) (*InterruptResponse, error)
	// Returns what this server is, what it allows, and what it is doing.
	//
	// Idempotency: reads only. Errors: none of its own.
	GetServerInfo(ctx context.Context, in *GetServerInfoRequest, opts ...grpc.CallOption) (*GetServerInfoResponse, error)
	// Runs a step as Step does, and tells what it prints while it runs: pieces of output as they appear, a heartbeat when there is
	// nothing to tell, and at the end what Step would have replied. The first response may take as long as the step waits for its turn.
	//
	// Pieces of one stream come in the order in which they were written; offsets count its bytes from the step's start, so that what
	// comes twice, after a retry, can be told apart. No line is waited for, and nothing is changed: a piece may end within a
	// character. What was printed and not yet taken is kept up to 256 KiB a stream, or half of Limits.output_bytes where that is more. A program that is
	// ahead of its reader by all of that but 64 KiB waits for it, up to 1 s in which the reader takes nothing; after that the oldest
	// output goes, and the next piece tells how much (`dropped_bytes`). The step's timeout goes on meanwhile. Nobody else waits for a slow reader.
	// Idempotency: as Step, by the same rules; Step and StepStream may be retries of one another. The retry of a step that runs first gets
	// what is kept of its output (as the reply would show it: the head and the tail), then what comes; that of a step that has ended what the kept reply has, and
	// that with `replayed`. A step whose stream breaks goes on; one that is still queued then is dropped and did not run.
	// Errors: as Step. They come instead of the first response, or after others (EPISODE_ENDED, DEADLINE).
	StepStream(ctx context.Context, in *StepStreamRequest, opts ...grpc.CallOption) (grpc.ServerStreamingClient[StepStreamResponse], error)
	// Carries many requests for many episodes on one stream: the requests of the RPCs above, answered as they finish.
	//
	// The first request opens the session (`open`); the first response answers it. Each further request has an `id` of the client's, unique in
	// the session, which its response bears. Requests that name the same episode are carried out one after the other, in the order in which
	// they came (a Reset also after those of `previous_episode_id`); an Interrupt is carried out at once. All others run side by side. Each is what the
	// unary RPC is: the same checks, the same replies, the same rules of exactly-once; an error is a google.rpc.Status with the same details.
	// Keepalive: a peer that has gone silent is found by HTTP/2 pings, and the stream then breaks with its connection.
	// Flow control: while ServerLimits.session_requests requests have no response that the client has taken, no more are read.
	// End: when the client half-closes, the session's episodes (those that it has reset) end at once; those with a request in flight when that is
	// answered, after ServerLimits.interrupt_grace at the latest. The stream ends when the last response was sent. A stream that breaks leaves the session, its episodes and its
	// requests for ServerLimits.session_grace: a new stream that opens the same `session_id` takes them over, on the same server and with a token of the
	// same name, and gets every response that was not acknowledged (`SessionRequest.received`). Then the session's episodes
	// end. `detach` makes them independent of it.
	// Errors of the stream: INVALID_FIELD when the first request opens no session; SESSION_TAKEN_OVER when another stream has opened the same; SESSION_LIMIT;
	// EPISODE_SERVER_GONE when the header names another server; SHUTTING_DOWN; DEADLINE when no request came for a minute.
	Session(ctx context.Context, opts ...grpc.CallOption) (grpc.BidiStreamingClient[SessionRequest, SessionResponse], error)
	// Writes files into the episode's workspace, many in one call, between steps or during one.
	//
	// Each file is whole or not there: it appears under its name at its `end`, in the place of what had that name, and directories on
	// its way are made. The reply tells the files that were not written and why; all others are. A call that ends early (an error, a
	// broken stream) has written the files whose `end` it had taken, and nothing of the one that was under way.
	// Idempotency: MAY be repeated as a whole. Counts as activity.
	// Errors: INVALID_FIELD (the files before the one that it is about are written); EPISODE_NOT_FOUND, EPISODE_CLOSED,
	// EPISODE_EXPIRED, EPISODE_SERVER_GONE; EPISODE_LOST: the files went with the interpreter; EPISODE_ENDED; FILES_LIMIT when too
	// many such calls wait; FILES_STALLED when nothing was sent for FileLimits.stall_timeout; FILES_REFUSED when the host lacks what it takes to
	// do this safely; DEADLINE.
	WriteFiles(ctx context.Context, opts ...grpc.CallOption) (grpc.ClientStreamingClient[WriteFilesRequest, WriteFilesResponse], error)
	// Reads files of the episode's workspace, many in one call, between steps or during one.
	//
	// A file that changes meanwhile comes as it is at the moment when each piece is read. The last message has the summary; without one the
	// stream is not complete.
	// Idempotency: reads only. Counts as activity.
	// Errors: as WriteFiles; FILES_STALLED when nothing was taken for FileLimits.stall_timeout.
	ReadFiles(ctx context.Context, in *ReadFilesRequest, opts ...grpc.CallOption) (grpc.ServerStreamingClient[ReadFilesResponse], error)
	// Lists what is in the episode's workspace, in no particular order. The last message has the summary.
	//
	// Idempotency: reads only. Counts as activity.
	// Errors: as ReadFiles.
	ListFiles(ctx context.Context, in *ListFilesRequest, opts ...grpc.CallOption) (grpc.ServerStreamingClient[ListFilesResponse], error)
	// Deletes what is in the episode's workspace: files, links (never what they lead to), and with `recursive` directories with all
	// that is in them.
	//
	// Idempotency: MAY be repeated: that a path is not there is no failure. Counts as activity.
	// Errors: as ReadFiles.
	DeleteFiles(ctx context.Context, in *DeleteFilesRequest, opts ...grpc.CallOption) (*DeleteFilesResponse, error)
	// Copies a live episode into children that go on from where it is: see "Copies" at the top. Each is an episode of its own.
	//
	// It waits for the steps that were asked for before it, and those that are asked for later wait for it. All children are made, or none
	// (`allow_partial` changes that). They count against ServerLimits.episodes, live on the parent's server, and belong to whom it belongs.
	// Idempotency: with `child_ids`, a retry gets the children that were made and never makes more, as long as they live, also when the parent
	// has ended; the same ids with another parent or other wishes are EPISODE_EXISTS. Without `child_ids` each call makes new ones.
	// Side effects: none on the parent but the time that it takes. Counts as its activity.
	// Errors: INVALID_FIELD; EPISODE_NOT_FOUND, EPISODE_CLOSED, EPISODE_EXPIRED, EPISODE_SERVER_GONE; EPISODE_LOST; EPISODE_ENDED; EPISODE_EXISTS
	// of a child's id; EPISODE_LIMIT; STEP_OUT_OF_ORDER; STEP_QUEUE_FULL; STEP_LIMIT; FORK_UNSUPPORTED when the program has something that can't be copied, or the
	// host can't do it; FORK_TOO_LARGE when its files are more than may be copied; FORK_DEPTH_LIMIT; FORK_FAILED when the host was short of something, with
	// google.rpc.RetryInfo, or when one broke as it was made, without; SHUTTING_DOWN; DEADLINE.
	Fork(ctx context.Context, in *ForkRequest, opts ...grpc.CallOption) (*ForkResponse, error)
	// Keeps a copy of the episode as it is, under a name, to roll back to. It never runs, uses no CPU, and costs the memory that has changed
	// since.
	//
	// In the order of steps, as Fork. Idempotency: a name that is there is told again if nothing has run since it was made (`created` is false), else
	// CHECKPOINT_EXISTS.
	// Errors: as Fork; CHECKPOINT_EXISTS; CHECKPOINT_LIMIT when a budget of ForkLimits is spent and `on_full` does not help.
	Checkpoint(ctx context.Context, in *CheckpointRequest, opts ...grpc.CallOption) (*CheckpointResponse, error)
	// Puts the episode back to a checkpoint: variables, modules, files, all that "Copies" at the top tells. It also brings a lost episode back. The checkpoint stays.
	//
	// In the order of steps, as Fork. `step_count` and `last_exit_code` are not put back: indexes are never used twice.
	// Idempotency: MAY be repeated; with `step_index` a late retry that comes after further steps is STEP_OUT_OF_ORDER.
	// Errors: as Fork, but EPISODE_LOST; CHECKPOINT_NOT_FOUND.
	Rollback(ctx context.Context, in *RollbackRequest, opts ...grpc.CallOption) (*RollbackResponse, error)
	// Lists an episode's checkpoints, the oldest first.
	//
	// Idempotency: reads only; does not count as activity.
	// Errors: INVALID_FIELD; EPISODE_NOT_FOUND, EPISODE_CLOSED, EPISODE_EXPIRED, EPISODE_SERVER_GONE.
	ListCheckpoints(ctx context.Context, in *ListCheckpointsRequest, opts ...grpc.CallOption) (*ListCheckpointsResponse, error)
	// Drops a checkpoint, and frees what it held.
	//
	// Idempotency: dropping one that is not there is no error (`dropped` is false).
	// Errors: INVALID_FIELD; EPISODE_NOT_FOUND, EPISODE_CLOSED, EPISODE_EXPIRED, EPISODE_SERVER_GONE.
	DropCheckpoint(ctx context.Context, in *DropCheckpointRequest, opts ...grpc.CallOption) (*DropCheckpointResponse, error)
	// Runs code in throw-away copies of the episode, one for each evaluation, side by side, and judges what it did. The episode sees nothing of it: its
	// variables, files, `step_count` and output are as if nobody had asked.
	//
	// In the order of steps, as Fork; the steps after it wait for the copying alone. What a check compares with never gets into the interpreter; what it asks
	// of a function gets there call by call. The verdict is the server's, by what it saw from outside; what of it is a claim of the program is
	// said at CheckResult.
	// Idempotency: MAY be repeated: it changes nothing. A call that ends early ends its copies.
	// Errors: as Fork. Each evaluation takes one of the ServerLimits.episodes places while it runs (EPISODE_LIMIT).
	Evaluate(ctx context.Context, in *EvaluateRequest, opts ...grpc.CallOption) (*EvaluateResponse, error)
}

type codingEnvClient struct {
	cc grpc.ClientConnInterface
}

func NewCodingEnvClient(cc grpc.ClientConnInterface) CodingEnvClient {
	return &codingEnvClient{cc}
}

func (c *codingEnvClient) Reset(ctx context.Context, in *ResetRequest, opts ...grpc.CallOption) (*ResetResponse, error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	out := new(ResetResponse)
	err := c.cc.Invoke(ctx, CodingEnv_Reset_FullMethodName, in, out, cOpts...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *codingEnvClient) Step(ctx context.Context, in *StepRequest, opts ...grpc.CallOption) (*StepResponse, error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	out := new(StepResponse)
	err := c.cc.Invoke(ctx, CodingEnv_Step_FullMethodName, in, out, cOpts...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *codingEnvClient) GetState(ctx context.Context, in *GetStateRequest, opts ...grpc.CallOption) (*GetStateResponse, error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	out := new(GetStateResponse)
	err := c.cc.Invoke(ctx, CodingEnv_GetState_FullMethodName, in, out, cOpts...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *codingEnvClient) Close(ctx context.Context, in *CloseRequest, opts ...grpc.CallOption) (*CloseResponse, error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	out := new(CloseResponse)
	err := c.cc.Invoke(ctx, CodingEnv_Close_FullMethodName, in, out, cOpts...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *codingEnvClient) Interrupt(ctx context.Context, in *InterruptRequest, opts ...grpc.CallOption) (*InterruptResponse, error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	out := new(InterruptResponse)
	err := c.cc.Invoke(ctx, CodingEnv_Interrupt_FullMethodName, in, out, cOpts...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *codingEnvClient) GetServerInfo(ctx context.Context, in *GetServerInfoRequest, opts ...grpc.CallOption) (*GetServerInfoResponse, error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	out := new(GetServerInfoResponse)
	err := c.cc.Invoke(ctx, CodingEnv_GetServerInfo_FullMethodName, in, out, cOpts...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *codingEnvClient) StepStream(ctx context.Context, in *StepStreamRequest, opts ...grpc.CallOption) (grpc.ServerStreamingClient[StepStreamResponse], error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	stream, err := c.cc.NewStream(ctx, &CodingEnv_ServiceDesc.Streams[0], CodingEnv_StepStream_FullMethodName, cOpts...)
	if err != nil {
		return nil, err
	}
	x := &grpc.GenericClientStream[StepStreamRequest, StepStreamResponse]{ClientStream: stream}
	if err := x.ClientStream.SendMsg(in); err != nil {
		return nil, err
	}
	if err := x.ClientStream.CloseSend(); err != nil {
		return nil, err
	}
	return x, nil
}

// This type alias is provided for backwards compatibility with existing code that references the prior non-generic stream type by name.
type CodingEnv_StepStreamClient = grpc.ServerStreamingClient[StepStreamResponse]

func (c *codingEnvClient) Session(ctx context.Context, opts ...grpc.CallOption) (grpc.BidiStreamingClient[SessionRequest, SessionResponse], error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	stream, err := c.cc.NewStream(ctx, &CodingEnv_ServiceDesc.Streams[1], CodingEnv_Session_FullMethodName, cOpts...)
	if err != nil {
		return nil, err
	}
	x := &grpc.GenericClientStream[SessionRequest, SessionResponse]{ClientStream: stream}
	return x, nil
}

// This type alias is provided for backwards compatibility with existing code that references the prior non-generic stream type by name.
type CodingEnv_SessionClient = grpc.BidiStreamingClient[SessionRequest, SessionResponse]

func (c *codingEnvClient) WriteFiles(ctx context.Context, opts ...grpc.CallOption) (grpc.ClientStreamingClient[WriteFilesRequest, WriteFilesResponse], error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	stream, err := c.cc.NewStream(ctx, &CodingEnv_ServiceDesc.Streams[2], CodingEnv_WriteFiles_FullMethodName, cOpts...)
	if err != nil {
		return nil, err
	}
	x := &grpc.GenericClientStream[WriteFilesRequest, WriteFilesResponse]{ClientStream: stream}
	return x, nil
}

// This type alias is provided for backwards compatibility with existing code that references the prior non-generic stream type by name.
type CodingEnv_WriteFilesClient = grpc.ClientStreamingClient[WriteFilesRequest, WriteFilesResponse]

func (c *codingEnvClient) ReadFiles(ctx context.Context, in *ReadFilesRequest, opts ...grpc.CallOption) (grpc.ServerStreamingClient[ReadFilesResponse], error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	stream, err := c.cc.NewStream(ctx, &CodingEnv_ServiceDesc.Streams[3], CodingEnv_ReadFiles_FullMethodName, cOpts...)
	if err != nil {
		return nil, err
	}
	x := &grpc.GenericClientStream[ReadFilesRequest, ReadFilesResponse]{ClientStream: stream}
	if err := x.ClientStream.SendMsg(in); err != nil {
		return nil, err
	}
	if err := x.ClientStream.CloseSend(); err != nil {
		return nil, err
	}
	return x, nil
}

// This type alias is provided for backwards compatibility with existing code that references the prior non-generic stream type by name.
type CodingEnv_ReadFilesClient = grpc.ServerStreamingClient[ReadFilesResponse]

func (c *codingEnvClient) ListFiles(ctx context.Context, in *ListFilesRequest, opts ...grpc.CallOption) (grpc.ServerStreamingClient[ListFilesResponse], error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	stream, err := c.cc.NewStream(ctx, &CodingEnv_ServiceDesc.Streams[4], CodingEnv_ListFiles_FullMethodName, cOpts...)
	if err != nil {
		return nil, err
	}
	x := &grpc.GenericClientStream[ListFilesRequest, ListFilesResponse]{ClientStream: stream}
	if err := x.ClientStream.SendMsg(in); err != nil {
		return nil, err
	}
	if err := x.ClientStream.CloseSend(); err != nil {
		return nil, err
	}
	return x, nil
}

// This type alias is provided for backwards compatibility with existing code that references the prior non-generic stream type by name.
type CodingEnv_ListFilesClient = grpc.ServerStreamingClient[ListFilesResponse]

func (c *codingEnvClient) DeleteFiles(ctx context.Context, in *DeleteFilesRequest, opts ...grpc.CallOption) (*DeleteFilesResponse, error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	out := new(DeleteFilesResponse)
	err := c.cc.Invoke(ctx, CodingEnv_DeleteFiles_FullMethodName, in, out, cOpts...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *codingEnvClient) Fork(ctx context.Context, in *ForkRequest, opts ...grpc.CallOption) (*ForkResponse, error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	out := new(ForkResponse)
	err := c.cc.Invoke(ctx, CodingEnv_Fork_FullMethodName, in, out, cOpts...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *codingEnvClient) Checkpoint(ctx context.Context, in *CheckpointRequest, opts ...grpc.CallOption) (*CheckpointResponse, error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	out := new(CheckpointResponse)
	err := c.cc.Invoke(ctx, CodingEnv_Checkpoint_FullMethodName, in, out, cOpts...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *codingEnvClient) Rollback(ctx context.Context, in *RollbackRequest, opts ...grpc.CallOption) (*RollbackResponse, error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	out := new(RollbackResponse)
	err := c.cc.Invoke(ctx, CodingEnv_Rollback_FullMethodName, in, out, cOpts...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *codingEnvClient) ListCheckpoints(ctx context.Context, in *ListCheckpointsRequest, opts ...grpc.CallOption) (*ListCheckpointsResponse, error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	out := new(ListCheckpointsResponse)
	err := c.cc.Invoke(ctx, CodingEnv_ListCheckpoints_FullMethodName, in, out, cOpts...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *codingEnvClient) DropCheckpoint(ctx context.Context, in *DropCheckpointRequest, opts ...grpc.CallOption) (*DropCheckpointResponse, error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	out := new(DropCheckpointResponse)
	err := c.cc.Invoke(ctx, CodingEnv_DropCheckpoint_FullMethodName, in, out, cOpts...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *codingEnvClient) Evaluate(ctx context.Context, in *EvaluateRequest, opts ...grpc.CallOption) (*EvaluateResponse, error) {
	cOpts := append([]grpc.CallOption{grpc.StaticMethod()}, opts...)
	out := new(EvaluateResponse)
	err := c.cc.Invoke(ctx, CodingEnv_Evaluate_FullMethodName, in, out, cOpts...)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// CodingEnvServer is the server API for CodingEnv service.
// All implementations must embed UnimplementedCodingEnvServer
// for forward compatibility.
//
// Runs Python in episodes. An episode is one interpreter process with its variables; a step is one
// execution of code in it.
type CodingEnvServer interface {
	// Starts a fresh episode: an interpreter that nobody has used, forked from a warm template.
	//
	// Idempotency: with an `episode_id` and the same `request_id` it returns the first reply again, for
	// as long as the episode lives; a retried Reset leaks nothing. A client SHOULD always send both.
	// Side effects: ends `previous_episode_id` if one is named, once the request was found valid.
	// Errors: INVALID_FIELD; EPISODE_EXISTS when the id is live with another `request_id`, or has ended
	// a short while ago; EPISODE_LIMIT when the server holds as many episodes as it may; NO_WORKER when no
	// interpreter became ready in time; FILES_REFUSED when one of `files` can't be written; SHUTTING_DOWN; EPISODE_SERVER_GONE; DEADLINE.
	Reset(context.Context, *ResetRequest) (*ResetResponse, error)
	// Runs `action.code` in the episode and replies when it has ended.
	//
	// A step belongs to the episode, not to the connection: when the call ends early the step goes on,
	// and a retry with the same `step_index` gets its reply. A step that is still queued when its caller
	// has gone is dropped and did not run.
	// Idempotency: with `step_index`, exactly once. Let n be `step_count` plus the steps running or
	// queued. Index n is admitted. The index of an admitted step with an equal action joins that step. An
	// earlier index with an equal action gets the kept reply, or STEP_REPLY_DROPPED. Anything else is
	// STEP_OUT_OF_ORDER. Without `step_index` each call is a new step.
	// Errors: INVALID_FIELD; EPISODE_NOT_FOUND, EPISODE_CLOSED, EPISODE_EXPIRED, EPISODE_SERVER_GONE;
	// EPISODE_LOST when an earlier step lost the interpreter; STEP_OUT_OF_ORDER; STEP_REPLY_DROPPED;
	// EPISODE_ENDED when the episode was closed, expired or drained meanwhile; STEP_QUEUE_FULL; STEP_LIMIT;
	// DEADLINE when the caller's own deadline passed first (a running step goes on, a queued one is dropped).
	Step(context.Context, *StepRequest) (*StepResponse, error)
	// Returns the state and life-cycle facts of an episode. It still answers for a lost episode.
	//
	// Idempotency: reads only; does not count as activity.
	// Errors: INVALID_FIELD; EPISODE_NOT_FOUND, EPISODE_CLOSED, EPISODE_EXPIRED, EPISODE_SERVER_GONE.
	GetState(context.Context, *GetStateRequest) (*GetStateResponse, error)
	// Ends an episode and frees all it held: its interpreter, that one's children, its files.
	//
	// Idempotency: ending an unknown or ended episode is not an error (`closed` is false).
	// Side effects: running and queued steps end with EPISODE_ENDED.
	// Errors: INVALID_FIELD; EPISODE_SERVER_GONE.
	Close(context.Context, *CloseRequest) (*CloseResponse, error)
	// Interrupts the running step: KeyboardInterrupt in its main thread and, when that is not honoured
	// within the grace (`ServerLimits.interrupt_grace`), the kill. The step's own reply tells the outcome
	// (`OUTCOME_INTERRUPTED`, exit code 130) and whether the state survived.
	//
	// Idempotency: MAY be repeated; an Interrupt that comes too late hits nothing else, if it names
	// `step_index`. An interrupt that lands outside user code is discarded.
	// Errors: INVALID_FIELD; EPISODE_NOT_FOUND, EPISODE_CLOSED, EPISODE_EXPIRED, EPISODE_SERVER_GONE.
	Interrupt(context.Context, *InterruptRequest) (*InterruptResponse, error)
	// Returns what this server is, what it allows, and what it is doing.
	//
	// Idempotency: reads only. Errors: none of its own.
	GetServerInfo(context.Context, *GetServerInfoRequest) (*GetServerInfoResponse, error)
	// Runs a step as Step does, and tells what it prints while it runs: pieces of output as they appear, a heartbeat when there is
	// nothing to tell, and at the end what Step would have replied. The first response may take as long as the step waits for its turn.
	//
	// Pieces of one stream come in the order in which they were written; offsets count its bytes from the step's start, so that what
	// comes twice, after a retry, can be told apart. No line is waited for, and nothing is changed: a piece may end within a
	// character. What was printed and not yet taken is kept up to 256 KiB a stream, or half of Limits.output_bytes where that is more. A program that is
	// ahead of its reader by all of that but 64 KiB waits for it, up to 1 s in which the reader takes nothing; after that the oldest
	// output goes, and the next piece tells how much (`dropped_bytes`). The step's timeout goes on meanwhile. Nobody else waits for a slow reader.
	// Idempotency: as Step, by the same rules; Step and StepStream may be retries of one another. The retry of a step that runs first gets
	// what is kept of its output (as the reply would show it: the head and the tail), then what comes; that of a step that has ended what the kept reply has, and
	// that with `replayed`. A step whose stream breaks goes on; one that is still queued then is dropped and did not run.
	// Errors: as Step. They come instead of the first response, or after others (EPISODE_ENDED, DEADLINE).
	StepStream(*StepStreamRequest, grpc.ServerStreamingServer[StepStreamResponse]) error
	// Carries many requests for many episodes on one stream: the requests of the RPCs above, answered as they finish.
	//
	// The first request opens the session (`open`); the first response answers it. Each further request has an `id` of the client's, unique in
	// the session, which its response bears. Requests that name the same episode are carried out one after the other, in the order in which
	// they came (a Reset also after those of `previous_episode_id`); an Interrupt is carried out at once. All others run side by side. Each is what the
	// unary RPC is: the same checks, the same replies, the same rules of exactly-once; an error is a google.rpc.Status with the same details.
	// Keepalive: a peer that has gone silent is found by HTTP/2 pings, and the stream then breaks with its connection.
	// Flow control: while ServerLimits.session_requests requests have no response that the client has taken, no more are read.
	// End: when the client half-closes, the session's episodes (those that it has reset) end at once; those with a request in flight when that is
	// answered, after ServerLimits.interrupt_grace at the latest. The stream ends when the last response was sent. A stream that breaks leaves the session, its episodes and its
	// requests for ServerLimits.session_grace: a new stream that opens the same `session_id` takes them over, on the same server and with a token of the
	// same name, and gets every response that was not acknowledged (`SessionRequest.received`). Then the session's episodes
	// end. `detach` makes them independent of it.
	// Errors of the stream: INVALID_FIELD when the first request opens no session; SESSION_TAKEN_OVER when another stream has opened the same; SESSION_LIMIT;
	// EPISODE_SERVER_GONE when the header names another server; SHUTTING_DOWN; DEADLINE when no request came for a minute.
	Session(grpc.BidiStreamingServer[SessionRequest, SessionResponse]) error
	// Writes files into the episode's workspace, many in one call, between steps or during one.
	//
	// Each file is whole or not there: it appears under its name at its `end`, in the place of what had that name, and directories on
	// its way are made. The reply tells the files that were not written and why; all others are. A call that ends early (an error, a
	// broken stream) has written the files whose `end` it had taken, and nothing of the one that was under way.
	// Idempotency: MAY be repeated as a whole. Counts as activity.
	// Errors: INVALID_FIELD (the files before the one that it is about are written); EPISODE_NOT_FOUND, EPISODE_CLOSED,
	// EPISODE_EXPIRED, EPISODE_SERVER_GONE; EPISODE_LOST: the files went with the interpreter; EPISODE_ENDED; FILES_LIMIT when too
	// many such calls wait; FILES_STALLED when nothing was sent for FileLimits.stall_timeout; FILES_REFUSED when the host lacks what it takes to
	// do this safely; DEADLINE.
	WriteFiles(grpc.ClientStreamingServer[WriteFilesRequest, WriteFilesResponse]) error
	// Reads files of the episode's workspace, many in one call, between steps or during one.
	//
	// A file that changes meanwhile comes as it is at the moment when each piece is read. The last message has the summary; without one the
	// stream is not complete.
	// Idempotency: reads only. Counts as activity.
	// Errors: as WriteFiles; FILES_STALLED when nothing was taken for FileLimits.stall_timeout.
	ReadFiles(*ReadFilesRequest, grpc.ServerStreamingServer[ReadFilesResponse]) error
	// Lists what is in the episode's workspace, in no particular order. The last message has the summary.
	//
	// Idempotency: reads only. Counts as activity.
	// Errors: as ReadFiles.
	ListFiles(*ListFilesRequest, grpc.ServerStreamingServer[ListFilesResponse]) error
	// Deletes what is in the episode's workspace: files, links (never what they lead to), and with `recursive` directories with all
	// that is in them.
	//
	// Idempotency: MAY be repeated: that a path is not there is no failure. Counts as activity.
	// Errors: as ReadFiles.
	DeleteFiles(context.Context, *DeleteFilesRequest) (*DeleteFilesResponse, error)
	// Copies a live episode into children that go on from where it is: see "Copies" at the top. Each is an episode of its own.
	//
	// It waits for the steps that were asked for before it, and those that are asked for later wait for it. All children are made, or none
	// (`allow_partial` changes that). They count against ServerLimits.episodes, live on the parent's server, and belong to whom it belongs.
	// Idempotency: with `child_ids`, a retry gets the children that were made and never makes more, as long as they live, also when the parent
	// has ended; the same ids with another parent or other wishes are EPISODE_EXISTS. Without `child_ids` each call makes new ones.
	// Side effects: none on the parent but the time that it takes. Counts as its activity.
	// Errors: INVALID_FIELD; EPISODE_NOT_FOUND, EPISODE_CLOSED, EPISODE_EXPIRED, EPISODE_SERVER_GONE; EPISODE_LOST; EPISODE_ENDED; EPISODE_EXISTS
	// of a child's id; EPISODE_LIMIT; STEP_OUT_OF_ORDER; STEP_QUEUE_FULL; STEP_LIMIT; FORK_UNSUPPORTED when the program has something that can't be copied, or the
	// host can't do it; FORK_TOO_LARGE when its files are more than may be copied; FORK_DEPTH_LIMIT; FORK_FAILED when the host was short of something, with
	// google.rpc.RetryInfo, or when one broke as it was made, without; SHUTTING_DOWN; DEADLINE.
	Fork(context.Context, *ForkRequest) (*ForkResponse, error)
	// Keeps a copy of the episode as it is, under a name, to roll back to. It never runs, uses no CPU, and costs the memory that has changed
	// since.
	//
	// In the order of steps, as Fork. Idempotency: a name that is there is told again if nothing has run since it was made (`created` is false), else
	// CHECKPOINT_EXISTS.
	// Errors: as Fork; CHECKPOINT_EXISTS; CHECKPOINT_LIMIT when a budget of ForkLimits is spent and `on_full` does not help.
	Checkpoint(context.Context, *CheckpointRequest) (*CheckpointResponse, error)
	// Puts the episode back to a checkpoint: variables, modules, files, all that "Copies" at the top tells. It also brings a lost episode back. The checkpoint stays.
	//
	// In the order of steps, as Fork. `step_count` and `last_exit_code` are not put back: indexes are never used twice.
	// Idempotency: MAY be repeated; with `step_index` a late retry that comes after further steps is STEP_OUT_OF_ORDER.
	// Errors: as Fork, but EPISODE_LOST; CHECKPOINT_NOT_FOUND.
	Rollback(context.Context, *RollbackRequest) (*RollbackResponse, error)
	// Lists an episode's checkpoints, the oldest first.
	//
	// Idempotency: reads only; does not count as activity.
	// Errors: INVALID_FIELD; EPISODE_NOT_FOUND, EPISODE_CLOSED, EPISODE_EXPIRED, EPISODE_SERVER_GONE.
	ListCheckpoints(context.Context, *ListCheckpointsRequest) (*ListCheckpointsResponse, error)
	// Drops a checkpoint, and frees what it held.
	//
	// Idempotency: dropping one that is not there is no error (`dropped` is false).
	// Errors: INVALID_FIELD; EPISODE_NOT_FOUND, EPISODE_CLOSED, EPISODE_EXPIRED, EPISODE_SERVER_GONE.
	DropCheckpoint(context.Context, *DropCheckpointRequest) (*DropCheckpointResponse, error)
	// Runs code in throw-away copies of the episode, one for each evaluation, side by side, and judges what it did. The episode sees nothing of it: its
	// variables, files, `step_count` and output are as if nobody had asked.
	//
	// In the order of steps, as Fork; the steps after it wait for the copying alone. What a check compares with never gets into the interpreter; what it asks
	// of a function gets there call by call. The verdict is the server's, by what it saw from outside; what of it is a claim of the program is
	// said at CheckResult.
	// Idempotency: MAY be repeated: it changes nothing. A call that ends early ends its copies.
	// Errors: as Fork. Each evaluation takes one of the ServerLimits.episodes places while it runs (EPISODE_LIMIT).
	Evaluate(context.Context, *EvaluateRequest) (*EvaluateResponse, error)
	mustEmbedUnimplementedCodingEnvServer()
}

// UnimplementedCodingEnvServer must be embedded to have
// forward compatible implementations.
//
// NOTE: this should be embedded by value instead of pointer to avoid a nil
// pointer dereference when methods are called.
type UnimplementedCodingEnvServer struct{}

func (UnimplementedCodingEnvServer) Reset(context.Context, *ResetRequest) (*ResetResponse, error) {
	return nil, status.Error(codes.Unimplemented, "method Reset not implemented")
}
func (UnimplementedCodingEnvServer) Step(context.Context, *StepRequest) (*StepResponse, error) {
	return nil, status.Error(codes.Unimplemented, "method Step not implemented")
}
func (UnimplementedCodingEnvServer) GetState(context.Context, *GetStateRequest) (*GetStateResponse, error) {
	return nil, status.Error(codes.Unimplemented, "method GetState not implemented")
}
func (UnimplementedCodingEnvServer) Close(context.Context, *CloseRequest) (*CloseResponse, error) {
	return nil, status.Error(codes.Unimplemented, "method Close not implemented")
}
func (UnimplementedCodingEnvServer) Interrupt(context.Context, *InterruptRequest) (*InterruptResponse, error) {
	return nil, status.Error(codes.Unimplemented, "method Interrupt not implemented")
}
func (UnimplementedCodingEnvServer) GetServerInfo(context.Context, *GetServerInfoRequest) (*GetServerInfoResponse, error) {
	return nil, status.Error(codes.Unimplemented, "method GetServerInfo not implemented")
}
func (UnimplementedCodingEnvServer) StepStream(*StepStreamRequest, grpc.ServerStreamingServer[StepStreamResponse]) error {
	return status.Error(codes.Unimplemented, "method StepStream not implemented")
}
func (UnimplementedCodingEnvServer) Session(grpc.BidiStreamingServer[SessionRequest, SessionResponse]) error {
	return status.Error(codes.Unimplemented, "method Session not implemented")
}
func (UnimplementedCodingEnvServer) WriteFiles(grpc.ClientStreamingServer[WriteFilesRequest, WriteFilesResponse]) error {
	return status.Error(codes.Unimplemented, "method WriteFiles not implemented")
}
func (UnimplementedCodingEnvServer) ReadFiles(*ReadFilesRequest, grpc.ServerStreamingServer[ReadFilesResponse]) error {
	return status.Error(codes.Unimplemented, "method ReadFiles not implemented")
}
func (UnimplementedCodingEnvServer) ListFiles(*ListFilesRequest, grpc.ServerStreamingServer[ListFilesResponse]) error {
	return status.Error(codes.Unimplemented, "method ListFiles not implemented")
}
func (UnimplementedCodingEnvServer) DeleteFiles(context.Context, *DeleteFilesRequest) (*DeleteFilesResponse, error) {
	return nil, status.Error(codes.Unimplemented, "method DeleteFiles not implemented")
}
func (UnimplementedCodingEnvServer) Fork(context.Context, *ForkRequest) (*ForkResponse, error) {
	return nil, status.Error(codes.Unimplemented, "method Fork not implemented")
}
func (UnimplementedCodingEnvServer) Checkpoint(context.Context, *CheckpointRequest) (*CheckpointResponse, error) {
	return nil, status.Error(codes.Unimplemented, "method Checkpoint not implemented")
}
func (UnimplementedCodingEnvServer) Rollback(context.Context, *RollbackRequest) (*RollbackResponse, error) {
	return nil, status.Error(codes.Unimplemented, "method Rollback not implemented")
}
func (UnimplementedCodingEnvServer) ListCheckpoints(context.Context, *ListCheckpointsRequest) (*ListCheckpointsResponse, error) {
	return nil, status.Error(codes.Unimplemented, "method ListCheckpoints not implemented")
}
func (UnimplementedCodingEnvServer) DropCheckpoint(context.Context, *DropCheckpointRequest) (*DropCheckpointResponse, error) {
	return nil, status.Error(codes.Unimplemented, "method DropCheckpoint not implemented")
}
func (UnimplementedCodingEnvServer) Evaluate(context.Context, *EvaluateRequest) (*EvaluateResponse, error) {
	return nil, status.Error(codes.Unimplemented, "method Evaluate not implemented")
}
func (UnimplementedCodingEnvServer) mustEmbedUnimplementedCodingEnvServer() {}
func (UnimplementedCodingEnvServer) testEmbeddedByValue()                   {}

// UnsafeCodingEnvServer may be embedded to opt out of forward compatibility for this service.
// Use of this interface is not recommended, as added methods to CodingEnvServer will
// result in compilation errors.
type UnsafeCodingEnvServer interface {
	mustEmbedUnimplementedCodingEnvServer()
}

func RegisterCodingEnvServer(s grpc.ServiceRegistrar, srv CodingEnvServer) {
	// If the following call panics, it indicates UnimplementedCodingEnvServer was
	// embedded by pointer and is nil.  This will cause panics if an
	// unimplemented method is ever invoked, so we test this at initialization
	// time to prevent it from happening at runtime later due to I/O.
	if t, ok := srv.(interface{ testEmbeddedByValue() }); ok {
		t.testEmbeddedByValue()
	}
	s.RegisterService(&CodingEnv_ServiceDesc, srv)
}

func _CodingEnv_Reset_Handler(srv interface{}, ctx context.Context, dec func(interface{}) error, interceptor grpc.UnaryServerInterceptor) (interface{}, error) {
	in := new(ResetRequest)
	if err := dec(in); err != nil {
		return nil, err
	}
	if interceptor == nil {
		return srv.(CodingEnvServer).Reset(ctx, in)
	}
	info := &grpc.UnaryServerInfo{
		Server:     srv,
		FullMethod: CodingEnv_Reset_FullMethodName,
	}
	handler := func(ctx context.Context, req interface{}) (interface{}, error) {
		return srv.(CodingEnvServer).Reset(ctx, req.(*ResetRequest))
	}
	return interceptor(ctx, in, info, handler)
}

func _CodingEnv_Step_Handler(srv interface{}, ctx context.Context, dec func(interface{}) error, interceptor grpc.UnaryServerInterceptor) (interface{}, error) {
	in := new(StepRequest)
	if err := dec(in); err != nil {
		return nil, err
	}
	if interceptor == nil {
		return srv.(CodingEnvServer).Step(ctx, in)
	}
	info := &grpc.UnaryServerInfo{
		Server:     srv,
		FullMethod: CodingEnv_Step_FullMethodName,
	}
	handler := func(ctx context.Context, req interface{}) (interface{}, error) {
		return srv.(CodingEnvServer).Step(ctx, req.(*StepRequest))
	}
	return interceptor(ctx, in, info, handler)
}

func _CodingEnv_GetState_Handler(srv interface{}, ctx context.Context, dec func(interface{}) error, interceptor grpc.UnaryServerInterceptor) (interface{}, error) {
	in := new(GetStateRequest)
	if err := dec(in); err != nil {
		return nil, err
	}
	if interceptor == nil {
		return srv.(CodingEnvServer).GetState(ctx, in)
	}
	info := &grpc.UnaryServerInfo{
		Server:     srv,
		FullMethod: CodingEnv_GetState_FullMethodName,
	}
	handler := func(ctx context.Context, req interface{}) (interface{}, error) {
		return srv.(CodingEnvServer).GetState(ctx, req.(*GetStateRequest))
	}
	return interceptor(ctx, in, info, handler)
}

func _CodingEnv_Close_Handler(srv interface{}, ctx context.Context, dec func(interface{}) error, interceptor grpc.UnaryServerInterceptor) (interface{}, error) {
	in := new(CloseRequest)
	if err := dec(in); err != nil {
		return nil, err
	}
	if interceptor == nil {
		return srv.(CodingEnvServer).Close(ctx, in)
	}
	info := &grpc.UnaryServerInfo{
		Server:     srv,
		FullMethod: CodingEnv_Close_FullMethodName,
	}
	handler := func(ctx context.Context, req interface{}) (interface{}, error) {
		return srv.(CodingEnvServer).Close(ctx, req.(*CloseRequest))
	}
	return interceptor(ctx, in, info, handler)
}

func _CodingEnv_Interrupt_Handler(srv interface{}, ctx context.Context, dec func(interface{}) error, interceptor grpc.UnaryServerInterceptor) (interface{}, error) {
	in := new(InterruptRequest)
	if err := dec(in); err != nil {
		return nil, err
	}
	if interceptor == nil {
		return srv.(CodingEnvServer).Interrupt(ctx, in)
	}
	info := &grpc.UnaryServerInfo{
		Server:     srv,
		FullMethod: CodingEnv_Interrupt_FullMethodName,
	}
	handler := func(ctx context.Context, req interface{}) (interface{}, error) {
		return srv.(CodingEnvServer).Interrupt(ctx, req.(*InterruptRequest))
	}
	return interceptor(ctx, in, info, handler)
}

func _CodingEnv_GetServerInfo_Handler(srv interface{}, ctx context.Context, dec func(interface{}) error, interceptor grpc.UnaryServerInterceptor) (interface{}, error) {
	in := new(GetServerInfoRequest)
	if err := dec(in); err != nil {
		return nil, err
	}
	if interceptor == nil {
		return srv.(CodingEnvServer).GetServerInfo(ctx, in)
	}
	info := &grpc.UnaryServerInfo{
		Server:     srv,
		FullMethod: CodingEnv_GetServerInfo_FullMethodName,
	}
	handler := func(ctx context.Context, req interface{}) (interface{}, error) {
		return srv.(CodingEnvServer).GetServerInfo(ctx, req.(*GetServerInfoRequest))
	}
	return interceptor(ctx, in, info, handler)
}

func _CodingEnv_StepStream_Handler(srv interface{}, stream grpc.ServerStream) error {
	m := new(StepStreamRequest)
	if err := stream.RecvMsg(m); err != nil {
		return err
	}
	return srv.(CodingEnvServer).StepStream(m, &grpc.GenericServerStream[StepStreamRequest, StepStreamResponse]{ServerStream: stream})
}

// This type alias is provided for backwards compatibility with existing code that references the prior non-generic stream type by name.
type CodingEnv_StepStreamServer = grpc.ServerStreamingServer[StepStreamResponse]

func _CodingEnv_Session_Handler(srv interface{}, stream grpc.ServerStream) error {
	return srv.(CodingEnvServer).Session(&grpc.GenericServerStream[SessionRequest, SessionResponse]{ServerStream: stream})
}

// This type alias is provided for backwards compatibility with existing code that references the prior non-generic stream type by name.
type CodingEnv_SessionServer = grpc.BidiStreamingServer[SessionRequest, SessionResponse]

func _CodingEnv_WriteFiles_Handler(srv interface{}, stream grpc.ServerStream) error {
	return srv.(CodingEnvServer).WriteFiles(&grpc.GenericServerStream[WriteFilesRequest, WriteFilesResponse]{ServerStream: stream})
}

// This type alias is provided for backwards compatibility with existing code that references the prior non-generic stream type by name.
type CodingEnv_WriteFilesServer = grpc.ClientStreamingServer[WriteFilesRequest, WriteFilesResponse]

func _CodingEnv_ReadFiles_Handler(srv interface{}, stream grpc.ServerStream) error {
	m := new(ReadFilesRequest)
	if err := stream.RecvMsg(m); err != nil {
		return err
	}
	return srv.(CodingEnvServer).ReadFiles(m, &grpc.GenericServerStream[ReadFilesRequest, ReadFilesResponse]{ServerStream: stream})
}

// This type alias is provided for backwards compatibility with existing code that references the prior non-generic stream type by name.
type CodingEnv_ReadFilesServer = grpc.ServerStreamingServer[ReadFilesResponse]

func _CodingEnv_ListFiles_Handler(srv interface{}, stream grpc.ServerStream) error {
	m := new(ListFilesRequest)
	if err := stream.RecvMsg(m); err != nil {
		return err
	}
	return srv.(CodingEnvServer).ListFiles(m, &grpc.GenericServerStream[ListFilesRequest, ListFilesResponse]{ServerStream: stream})
}

// This type alias is provided for backwards compatibility with existing code that references the prior non-generic stream type by name.
type CodingEnv_ListFilesServer = grpc.ServerStreamingServer[ListFilesResponse]

func _CodingEnv_DeleteFiles_Handler(srv interface{}, ctx context.Context, dec func(interface{}) error, interceptor grpc.UnaryServerInterceptor) (interface{}, error) {
	in := new(DeleteFilesRequest)
	if err := dec(in); err != nil {
		return nil, err
	}
	if interceptor == nil {
		return srv.(CodingEnvServer).DeleteFiles(ctx, in)
	}
	info := &grpc.UnaryServerInfo{
		Server:     srv,
		FullMethod: CodingEnv_DeleteFiles_FullMethodName,
	}
	handler := func(ctx context.Context, req interface{}) (interface{}, error) {
		return srv.(CodingEnvServer).DeleteFiles(ctx, req.(*DeleteFilesRequest))
	}
	return interceptor(ctx, in, info, handler)
}

func _CodingEnv_Fork_Handler(srv interface{}, ctx context.Context, dec func(interface{}) error, interceptor grpc.UnaryServerInterceptor) (interface{}, error) {
	in := new(ForkRequest)
	if err := dec(in); err != nil {
		return nil, err
	}
	if interceptor == nil {
		return srv.(CodingEnvServer).Fork(ctx, in)
	}
	info := &grpc.UnaryServerInfo{
		Server:     srv,
		FullMethod: CodingEnv_Fork_FullMethodName,
	}
	handler := func(ctx context.Context, req interface{}) (interface{}, error) {
		return srv.(CodingEnvServer).Fork(ctx, req.(*ForkRequest))
	}
	return interceptor(ctx, in, info, handler)
}

func _CodingEnv_Checkpoint_Handler(srv interface{}, ctx context.Context, dec func(interface{}) error, interceptor grpc.UnaryServerInterceptor) (interface{}, error) {
	in := new(CheckpointRequest)
	if err := dec(in); err != nil {
		return nil, err
	}
	if interceptor == nil {
		return srv.(CodingEnvServer).Checkpoint(ctx, in)
	}
	info := &grpc.UnaryServerInfo{
		Server:     srv,
		FullMethod: CodingEnv_Checkpoint_FullMethodName,
	}
	handler := func(ctx context.Context, req interface{}) (interface{}, error) {
		return srv.(CodingEnvServer).Checkpoint(ctx, req.(*CheckpointRequest))
	}
	return interceptor(ctx, in, info, handler)
}

func _CodingEnv_Rollback_Handler(srv interface{}, ctx context.Context, dec func(interface{}) error, interceptor grpc.UnaryServerInterceptor) (interface{}, error) {
	in := new(RollbackRequest)
	if err := dec(in); err != nil {
		return nil, err
	}
	if interceptor == nil {
		return srv.(CodingEnvServer).Rollback(ctx, in)
	}
	info := &grpc.UnaryServerInfo{
		Server:     srv,
		FullMethod: CodingEnv_Rollback_FullMethodName,
	}
	handler := func(ctx context.Context, req interface{}) (interface{}, error) {
		return srv.(CodingEnvServer).Rollback(ctx, req.(*RollbackRequest))
	}
	return interceptor(ctx, in, info, handler)
}

func _CodingEnv_ListCheckpoints_Handler(srv interface{}, ctx context.Context, dec func(interface{}) error, interceptor grpc.UnaryServerInterceptor) (interface{}, error) {
	in := new(ListCheckpointsRequest)
	if err := dec(in); err != nil {
		return nil, err
	}
	if interceptor == nil {
		return srv.(CodingEnvServer).ListCheckpoints(ctx, in)
	}
	info := &grpc.UnaryServerInfo{
		Server:     srv,
		FullMethod: CodingEnv_ListCheckpoints_FullMethodName,
	}
	handler := func(ctx context.Context, req interface{}) (interface{}, error) {
		return srv.(CodingEnvServer).ListCheckpoints(ctx, req.(*ListCheckpointsRequest))
	}
	return interceptor(ctx, in, info, handler)
}

func _CodingEnv_DropCheckpoint_Handler(srv interface{}, ctx context.Context, dec func(interface{}) error, interceptor grpc.UnaryServerInterceptor) (interface{}, error) {
	in := new(DropCheckpointRequest)
	if err := dec(in); err != nil {
		return nil, err
	}
	if interceptor == nil {
		return srv.(CodingEnvServer).DropCheckpoint(ctx, in)
	}
	info := &grpc.UnaryServerInfo{
		Server:     srv,
		FullMethod: CodingEnv_DropCheckpoint_FullMethodName,
	}
	handler := func(ctx context.Context, req interface{}) (interface{}, error) {
		return srv.(CodingEnvServer).DropCheckpoint(ctx, req.(*DropCheckpointRequest))
	}
	return interceptor(ctx, in, info, handler)
}

func _CodingEnv_Evaluate_Handler(srv interface{}, ctx context.Context, dec func(interface{}) error, interceptor grpc.UnaryServerInterceptor) (interface{}, error) {
	in := new(EvaluateRequest)
	if err := dec(in); err != nil {
		return nil, err
	}
	if interceptor == nil {
		return srv.(CodingEnvServer).Evaluate(ctx, in)
	}
	info := &grpc.UnaryServerInfo{
		Server:     srv,
		FullMethod: CodingEnv_Evaluate_FullMethodName,
	}
	handler := func(ctx context.Context, req interface{}) (interface{}, error) {
		return srv.(CodingEnvServer).Evaluate(ctx, req.(*EvaluateRequest))
	}
	return interceptor(ctx, in, info, handler)
}

// CodingEnv_ServiceDesc is the grpc.ServiceDesc for CodingEnv service.
// It's only intended for direct use with grpc.RegisterService,
// and not to be introspected or modified (even as a copy)
var CodingEnv_ServiceDesc = grpc.ServiceDesc{
	ServiceName: "coding_env.v1.CodingEnv",
	HandlerType: (*CodingEnvServer)(nil),
	Methods: []grpc.MethodDesc{
		{
			MethodName: "Reset",
			Handler:    _CodingEnv_Reset_Handler,
		},
		{
			MethodName: "Step",
			Handler:    _CodingEnv_Step_Handler,
		},
		{
			MethodName: "GetState",
			Handler:    _CodingEnv_GetState_Handler,
		},
		{
			MethodName: "Close",
			Handler:    _CodingEnv_Close_Handler,
		},
		{
			MethodName: "Interrupt",
			Handler:    _CodingEnv_Interrupt_Handler,
		},
		{
			MethodName: "GetServerInfo",
			Handler:    _CodingEnv_GetServerInfo_Handler,
		},
		{
			MethodName: "DeleteFiles",
			Handler:    _CodingEnv_DeleteFiles_Handler,
		},
		{
			MethodName: "Fork",
			Handler:    _CodingEnv_Fork_Handler,
		},
		{
			MethodName: "Checkpoint",
			Handler:    _CodingEnv_Checkpoint_Handler,
		},
		{
			MethodName: "Rollback",
			Handler:    _CodingEnv_Rollback_Handler,
		},
		{
			MethodName: "ListCheckpoints",
			Handler:    _CodingEnv_ListCheckpoints_Handler,
		},
		{
			MethodName: "DropCheckpoint",
			Handler:    _CodingEnv_DropCheckpoint_Handler,
		},
		{
			MethodName: "Evaluate",
			Handler:    _CodingEnv_Evaluate_Handler,
		},
	},
	Streams: []grpc.StreamDesc{
		{
			StreamName:    "StepStream",
			Handler:       _CodingEnv_StepStream_Handler,
			ServerStreams: true,
		},
		{
			StreamName:    "Session",
			Handler:       _CodingEnv_Session_Handler,
			ServerStreams: true,
			ClientStreams: true,
		},
		{
			StreamName:    "WriteFiles",
			Handler:       _CodingEnv_WriteFiles_Handler,
			ClientStreams: true,
		},
		{
			StreamName:    "ReadFiles",
			Handler:       _CodingEnv_ReadFiles_Handler,
			ServerStreams: true,
		},
		{
			StreamName:    "ListFiles",
			Handler:       _CodingEnv_ListFiles_Handler,
			ServerStreams: true,
		},
	},
	Metadata: "coding_env/v1/coding_env.proto",
}
