// Package codingenv is the Go client of coding-env: Python episodes for reinforcement learning and agents.
//
// An [Env] holds at most one episode at a time. Calls are retried when the connection breaks or the server says to try again, and a
// retry never runs code twice: every Reset bears an id and a request id, every Step its index. What user code does is never an error;
// each error is an [*Error] with a [Reason].
package codingenv

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/coding-env/coding-env/clients/go/codingenvv1"
)

// ResetOptions say what a Reset asks for. The zero value asks for nothing.
type ResetOptions struct {
	// Seed makes the episode's random numbers reproducible. Nil: every episode differs.
	Seed *uint64
	// Runtime is a runtime's name; empty for the default.
	Runtime string
	// Limits lower limits for this episode.
	Limits *pb.Limits
	// Environment holds environment variables to add.
	Environment map[string]string
	// Network is what the episode has of one.
	Network pb.Network
}

// StepOptions say what a Step asks for. The zero value asks for nothing.
type StepOptions struct {
	// Timeout is how long the code may run. Zero: the server's default.
	Timeout time.Duration
	// Limits lower limits for this step.
	Limits *pb.StepLimits
	// MaxReplyBytes is the largest reply. Zero: the server's default.
	MaxReplyBytes uint32
}

// Env is one environment: at most one episode at a time, on one server. It is safe for concurrent use: Reset, Step and Close wait for
// their turn; State and Interrupt go beside them. An episode that is not closed is left to the server's idle timeout.
type Env struct {
	connection *Connection
	owned      bool
	// Holds one token while a Reset, Step or Close runs.
	turn chan struct{}
	// Guards what follows.
	mu      sync.Mutex
	episode *episode
	// Episodes that a Reset may have made whose reply never came: ended with the next one, so that none is left over.
	unsure []*episode
}

type episode struct {
	id, server string
	// How many steps have run, as far as this client knows.
	steps uint32
	// One more may have run, or may be running: its reply never came.
	unsure bool
}

// Connect connects to a server, "http://HOST:PORT", and returns an environment with a connection of its own, which Close closes too.
// The error is a [ReasonURL], or a [ReasonConnect] when nobody answers within the deadline.
func Connect(ctx context.Context, serverURL string, options Options) (*Env, error) {
	connection, err := Dial(serverURL, options)
	if err != nil {
		return nil, err
	}
	if err := connection.Ready(ctx); err != nil {
		_ = connection.Close()
		return nil, err
	}
	env := connection.NewEnv()
	env.owned = true
	return env, nil
}

// EpisodeID is the id of the episode; empty when there is none.
func (e *Env) EpisodeID() string {
	if episode := e.current(); episode != nil {
		return episode.id
	}
	return ""
}

// Reset starts a fresh episode and ends the one before.
func (e *Env) Reset(ctx context.Context) (*pb.ResetResponse, error) {
	return e.ResetWith(ctx, ResetOptions{})
}

// ResetWith starts a fresh episode with options.
func (e *Env) ResetWith(ctx context.Context, options ResetOptions) (*pb.ResetResponse, error) {
	if err := e.enter(ctx); err != nil {
		return nil, err
	}
	defer e.leave()
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	requestID, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	request := &pb.ResetRequest{
		EpisodeId:   id.String(),
		RequestId:   requestID.String(),
		Seed:        options.Seed,
		Runtime:     options.Runtime,
		Limits:      options.Limits,
		Environment: options.Environment,
		Network:     options.Network,
	}
	fresh := &episode{id: request.EpisodeId}
	if previous := e.current(); previous != nil {
		request.PreviousEpisodeId = previous.id
		fresh.server = previous.server
	}
	response, header, err := e.reset(ctx, fresh, request)
	if ReasonOf(err) == ReasonEpisodeServerGone && fresh.server != "" {
		// The server of the episode before is gone, and so is that episode: any server will do.
		fresh.server = ""
		request.PreviousEpisodeId = ""
		response, header, err = e.reset(ctx, fresh, request)
	}
	if err != nil {
		return nil, err
	}
	if values := header.Get(serverHeader); len(values) > 0 {
		fresh.server = values[0]
	}
	e.mu.Lock()
	e.episode = fresh
	e.mu.Unlock()
	e.endUnsure(ctx)
	return response, nil
}

func (e *Env) reset(
	ctx context.Context, fresh *episode, request *pb.ResetRequest,
) (*pb.ResetResponse, metadata.MD, error) {
	deadline := e.connection.options.Deadline
	response, header, err := call(ctx, e.connection, fresh, deadline, e.connection.client.Reset, request)
	if isUnsure(err) {
		e.mu.Lock()
		e.unsure = append(e.unsure, &episode{id: fresh.id, server: fresh.server})
		e.mu.Unlock()
	}
	return response, header, err
}

// Step runs code in the episode.
//
// After an error that leaves open whether a step ran ([ReasonDeadline], [ReasonConnect], [ReasonCancelled]), the same code again gets
// the reply of that step; other code runs after it.
func (e *Env) Step(ctx context.Context, code string) (*pb.StepResponse, error) {
	return e.StepWith(ctx, code, StepOptions{})
}

// StepWith runs code with options.
func (e *Env) StepWith(ctx context.Context, code string, options StepOptions) (*pb.StepResponse, error) {
	return e.run(ctx, code, options, e.connection.client.Step)
}

// run runs a step, with whichever call can carry it.
func (e *Env) run(
	ctx context.Context,
	code string,
	options StepOptions,
	send func(context.Context, *pb.StepRequest, ...grpc.CallOption) (*pb.StepResponse, error),
) (*pb.StepResponse, error) {
	if err := e.enter(ctx); err != nil {
		return nil, err
	}
	defer e.leave()
	begun := e.current()
	if begun == nil {
		return nil, errNoEpisode
	}
	deadline := max(e.connection.options.Deadline, options.Timeout+callSlack)
	if options.Timeout == 0 {
		deadline = e.connection.options.Deadline
	}
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	index := begun.steps
	request := &pb.StepRequest{
		EpisodeId: begun.id,
		Action:    &pb.CodeAction{Code: code},
		StepIndex: &index,
		Limits:    options.Limits,
	}
	if options.Timeout != 0 {
		request.Timeout = durationpb.New(options.Timeout)
	}
	if options.MaxReplyBytes != 0 {
		request.MaxReplyBytes = &options.MaxReplyBytes
	}
	// The server tells where a step stands that this client knows nothing about: it was admitted, or dropped since.
	corrections := 0
	if begun.unsure {
		corrections = 2
	}
	for {
		response, _, err := call(ctx, e.connection, begun, deadline, send, request)
		if err == nil {
			e.setSteps(response.GetStepIndex()+1, false)
			return response, nil
		}
		failure := err.(*Error) //nolint:errorlint // call returns no other.
		expected, told := failure.expectedStep()
		if told && corrections > 0 && (expected == begun.steps || expected == begun.steps+1) {
			corrections--
			index = expected
			continue
		}
		switch {
		case failure.Reason == ReasonStepReplyDropped:
			e.setSteps(index+1, false)
		case failure.unsure():
			e.setSteps(index, true)
		default:
			// A refusal tells nothing about the step before it whose reply never came.
			e.setSteps(begun.steps, begun.unsure)
		}
		return nil, failure
	}
}

// State returns the state and life-cycle facts of the episode.
func (e *Env) State(ctx context.Context) (*pb.GetStateResponse, error) {
	episode := e.current()
	if episode == nil {
		return nil, errNoEpisode
	}
	request := &pb.GetStateRequest{EpisodeId: episode.id}
	response, _, err := call(ctx, e.connection, episode, e.connection.options.Deadline, e.connection.client.GetState, request)
	return response, err
}

// Interrupt interrupts whichever step of the episode runs, from another goroutine than the one that waits for it. It returns false when
// none did.
func (e *Env) Interrupt(ctx context.Context) (bool, error) {
	episode := e.current()
	if episode == nil {
		return false, errNoEpisode
	}
	request := &pb.InterruptRequest{EpisodeId: episode.id}
	response, _, err := call(ctx, e.connection, episode, e.connection.options.Deadline, e.connection.client.Interrupt, request)
	return response.GetInterrupted(), err
}

// Close ends the episode, if there is one, and the connection if [Connect] made it. It does not stop the server.
func (e *Env) Close(ctx context.Context) error {
	if err := e.enter(ctx); err != nil {
		return err
	}
	defer e.leave()
	e.endUnsure(ctx)
	e.mu.Lock()
	last := e.episode
	e.episode = nil
	e.mu.Unlock()
	var err error
	if last != nil {
		err = e.end(ctx, last)
	}
	if e.owned {
		if closed := e.connection.Close(); err == nil && closed != nil {
			err = &Error{Reason: ReasonConnect, Message: closed.Error(), cause: closed}
		}
		e.owned = false
	}
	return err
}

// enter waits until no other Reset, Step or Close runs.
func (e *Env) enter(ctx context.Context) error {
	if ctx.Err() != nil {
		return fromContext(ctx)
	}
	select {
	case e.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fromContext(ctx)
	}
}

func (e *Env) leave() { <-e.turn }

// current is a copy of the episode; nil when there is none.
func (e *Env) current() *episode {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.episode == nil {
		return nil
	}
	copied := *e.episode
	return &copied
}

func (e *Env) setSteps(steps uint32, unsure bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.episode != nil {
		e.episode.steps = steps
		e.episode.unsure = unsure
	}
}

// endUnsure ends what lost Resets may have made. What can't be ended now is left to the next time, or to the server's idle timeout.
func (e *Env) endUnsure(ctx context.Context) {
	for {
		e.mu.Lock()
		var last *episode
		if len(e.unsure) > 0 {
			last = e.unsure[len(e.unsure)-1]
		}
		e.mu.Unlock()
		if last == nil || isUnsure(e.end(ctx, last)) {
			return
		}
		e.mu.Lock()
		e.unsure = slices.Delete(e.unsure, len(e.unsure)-1, len(e.unsure))
		e.mu.Unlock()
	}
}

func (e *Env) end(ctx context.Context, episode *episode) error {
	request := &pb.CloseRequest{EpisodeId: episode.id}
	_, _, err := call(ctx, e.connection, episode, e.connection.options.Deadline, e.connection.client.Close, request)
	return err
}

func isUnsure(err error) bool {
	failure, ok := err.(*Error) //nolint:errorlint // call returns no other.
	return ok && failure.unsure()
}
