package codingenv

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/coding-env/coding-env/clients/go/codingenvv1"
)

// Reason says why a call failed: the contract's word for it, or one of the client's own.
type Reason string

// The reasons of the contract.
const (
	// ReasonInvalidField: the request does not make sense; [Error.Fields] tells what.
	ReasonInvalidField Reason = "INVALID_FIELD"
	// ReasonEpisodeNotFound: there is no such episode.
	ReasonEpisodeNotFound Reason = "EPISODE_NOT_FOUND"
	// ReasonEpisodeClosed: it was closed.
	ReasonEpisodeClosed Reason = "EPISODE_CLOSED"
	// ReasonEpisodeExpired: it was idle for too long.
	ReasonEpisodeExpired Reason = "EPISODE_EXPIRED"
	// ReasonEpisodeServerGone: it is held by another server.
	ReasonEpisodeServerGone Reason = "EPISODE_SERVER_GONE"
	// ReasonEpisodeExists: the id is in use.
	ReasonEpisodeExists Reason = "EPISODE_EXISTS"
	// ReasonEpisodeLost: its interpreter is gone.
	ReasonEpisodeLost Reason = "EPISODE_LOST"
	// ReasonStepOutOfOrder: the step's index does not fit.
	ReasonStepOutOfOrder Reason = "STEP_OUT_OF_ORDER"
	// ReasonStepReplyDropped: the step has run, and its reply was dropped.
	ReasonStepReplyDropped Reason = "STEP_REPLY_DROPPED"
	// ReasonEpisodeEnded: the episode ended while the step ran or was queued.
	ReasonEpisodeEnded Reason = "EPISODE_ENDED"
	// ReasonEpisodeLimit: as many episodes as the server holds.
	ReasonEpisodeLimit Reason = "EPISODE_LIMIT"
	// ReasonStepLimit: as many steps as may wait for a turn.
	ReasonStepLimit Reason = "STEP_LIMIT"
	// ReasonStepQueueFull: as many steps as may be queued in an episode.
	ReasonStepQueueFull Reason = "STEP_QUEUE_FULL"
	// ReasonFilesLimit: as many calls that move files as may wait for a turn.
	ReasonFilesLimit Reason = "FILES_LIMIT"
	// ReasonFilesStalled: nothing was sent or taken for too long in a call that moves files.
	ReasonFilesStalled Reason = "FILES_STALLED"
	// ReasonFilesRefused: files can't be worked with, or one of a Reset can't be written.
	ReasonFilesRefused Reason = "FILES_REFUSED"
	// ReasonForkUnsupported: the episode has something that can't be copied, or the host can't do it.
	ReasonForkUnsupported Reason = "FORK_UNSUPPORTED"
	// ReasonForkTooLarge: the episode's files are more than are copied.
	ReasonForkTooLarge Reason = "FORK_TOO_LARGE"
	// ReasonForkDepthLimit: a copy of a copy too many.
	ReasonForkDepthLimit Reason = "FORK_DEPTH_LIMIT"
	// ReasonForkFailed: the host was short of something for a copy, or copies break as they are made.
	ReasonForkFailed Reason = "FORK_FAILED"
	// ReasonCheckpointNotFound: there is no such checkpoint.
	ReasonCheckpointNotFound Reason = "CHECKPOINT_NOT_FOUND"
	// ReasonCheckpointExists: there is a checkpoint of this name.
	ReasonCheckpointExists Reason = "CHECKPOINT_EXISTS"
	// ReasonCheckpointLimit: no room for a checkpoint.
	ReasonCheckpointLimit Reason = "CHECKPOINT_LIMIT"
	// ReasonNoWorker: no interpreter became ready in time.
	ReasonNoWorker Reason = "NO_WORKER"
	// ReasonShuttingDown: the server is shutting down.
	ReasonShuttingDown Reason = "SHUTTING_DOWN"
	// ReasonInternal: a fault of the server.
	ReasonInternal Reason = "INTERNAL"
	// ReasonDeadline: the deadline passed, here or at the server. A step may have run, or run still: the same code again gets its reply,
	// and other code runs after it.
	ReasonDeadline Reason = "DEADLINE"
)

// The client's own reasons.
const (
	// ReasonConnect: the connection broke, and stayed broken until the deadline.
	ReasonConnect Reason = "CONNECT"
	// ReasonURL: the URL is none that can be connected to.
	ReasonURL Reason = "URL"
	// ReasonNoEpisode: there is no episode: reset first.
	ReasonNoEpisode Reason = "NO_EPISODE"
	// ReasonCancelled: the caller's context was cancelled. As with ReasonDeadline, a step may have run.
	ReasonCancelled Reason = "CANCELLED"
	// ReasonFiles: something is wrong with some files of a call; the others are done. [Error.Failures] tells which.
	ReasonFiles Reason = "FILES"
)

// FieldViolation is one field of a request that was refused.
type FieldViolation struct {
	// Field is its path in the request: "limits.output_bytes".
	Field string
	// Description says what would be right.
	Description string
}

// Error is why a call failed. Every error of this package is one, to be had with [errors.As].
type Error struct {
	// Reason is that of the server's ErrorInfo, or the client's own. An error without either has the name of its gRPC code.
	Reason Reason
	// Code is gRPC's; OK for the client's own errors.
	Code codes.Code
	// Message says for people what would be right.
	Message string
	// Metadata holds the values in the message: "expected", "episode_id", …
	Metadata map[string]string
	// Fields are the violations of ReasonInvalidField.
	Fields []FieldViolation
	// RetryAfter is when to try again, if the server said so.
	RetryAfter *time.Duration
	// Failures are the first files of ReasonFiles, and what is wrong with them.
	Failures []*pb.FileFailure
	cause    error
	// An earlier try of the same call left open whether it was done.
	unsureBefore bool
}

// Error returns the reason and the message.
func (e *Error) Error() string { return string(e.Reason) + ": " + e.Message }

// Unwrap returns what gRPC or the context said, if it was one of them.
func (e *Error) Unwrap() error { return e.cause }

// ReasonOf returns the reason of an error, empty if it is none of this package.
func ReasonOf(err error) Reason {
	var failure *Error
	if errors.As(err, &failure) {
		return failure.Reason
	}
	return ""
}

var errNoEpisode = &Error{Reason: ReasonNoEpisode, Message: "there is no episode: reset first"}

// fromContext is the error of a context that has ended.
func fromContext(ctx context.Context) *Error {
	cause := context.Cause(ctx)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &Error{Reason: ReasonDeadline, Message: "the deadline passed before the reply was there", cause: cause}
	}
	return &Error{Reason: ReasonCancelled, Message: "the call was cancelled", cause: cause}
}

func fromGRPC(ctx context.Context, err error) *Error {
	answer := status.Convert(err)
	failure := &Error{Code: answer.Code(), Message: answer.Message(), cause: err}
	for _, detail := range answer.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			failure.Reason = Reason(detail.GetReason())
			failure.Metadata = detail.GetMetadata()
		case *errdetails.RetryInfo:
			if detail.GetRetryDelay() != nil {
				delay := detail.GetRetryDelay().AsDuration()
				failure.RetryAfter = &delay
			}
		case *errdetails.BadRequest:
			for _, violation := range detail.GetFieldViolations() {
				failure.Fields = append(failure.Fields, FieldViolation{violation.GetField(), violation.GetDescription()})
			}
		}
	}
	switch {
	case failure.Reason != "":
	case ctx.Err() != nil:
		return fromContext(ctx)
	case failure.Code == codes.DeadlineExceeded:
		failure.Reason = ReasonDeadline
	case failure.Code == codes.Unavailable || isBrokenStream(answer):
		failure.Reason = ReasonConnect
	default:
		failure.Reason = Reason(code.Code(failure.Code).String())
	}
	return failure
}

// isBrokenStream tells a stream that the other side reset without an answer: gRPC's own words, no refusal.
func isBrokenStream(answer *status.Status) bool {
	switch answer.Code() {
	case codes.Internal, codes.Unknown, codes.Canceled:
		return strings.HasPrefix(answer.Message(), "stream terminated by RST_STREAM")
	}
	return false
}

// follow takes over from the try before what the caller has to know of it.
func (e *Error) follow(before *Error) {
	if before == nil {
		return
	}
	e.unsureBefore = before.unsure()
	if e.Reason == ReasonDeadline {
		e.Message += " (the try before: " + before.Error() + ")"
	}
}

func (e *Error) retryable() bool { return e.Reason == ReasonConnect || e.RetryAfter != nil }

// unsure says whether what was asked for may have been done, or be done yet.
func (e *Error) unsure() bool {
	switch e.Reason {
	case ReasonDeadline, ReasonConnect, ReasonCancelled, ReasonInternal:
		return true
	}
	return e.unsureBefore
}

// expectedStep is the index that the server expects, when a step was out of order.
func (e *Error) expectedStep() (uint32, bool) {
	if e.Reason != ReasonStepOutOfOrder {
		return 0, false
	}
	expected, err := strconv.ParseUint(e.Metadata["expected"], 10, 32)
	return uint32(expected), err == nil
}
