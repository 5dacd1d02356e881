package codingenv_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	codingenv "github.com/coding-env/coding-env/clients/go"
	pb "github.com/coding-env/coding-env/clients/go/codingenvv1"
)

// Counts how often it ran, and takes its time.
const counting = "import time\nn = globals().get('n', 0) + 1\ntime.sleep(0.5)\nprint(n)"

func reason(t *testing.T, err error, want codingenv.Reason) {
	t.Helper()
	if got := codingenv.ReasonOf(err); got != want {
		t.Fatalf("%v instead of %s", err, want)
	}
}

func reset(t *testing.T, env *codingenv.Env) {
	t.Helper()
	if _, err := env.Reset(bounded(t)); err != nil {
		t.Fatal(err)
	}
}

// prints runs a step that has to complete and to print this.
func prints(t *testing.T, env *codingenv.Env, code, want string) *pb.StepResponse {
	t.Helper()
	reply, err := env.Step(bounded(t), code)
	if err != nil {
		t.Fatal(err)
	}
	if got := reply.GetObservation().GetStdout(); got != want || reply.GetOutcome() != pb.Outcome_OUTCOME_COMPLETED {
		t.Fatalf("%s: %q instead of %q: %v", code, got, want, reply)
	}
	return reply
}

// stateOf asks the server past the proxy.
func stateOf(t *testing.T, direct *codingenv.Connection, env *codingenv.Env) *pb.GetStateResponse {
	t.Helper()
	state, err := direct.Client().GetState(bounded(t), &pb.GetStateRequest{EpisodeId: env.EpisodeID()})
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func TestAStepRunsOnceWhenTheConnectionBreaksInIt(t *testing.T) {
	address := serve(t)
	direct := dial(t, address, codingenv.Options{})
	for _, back := range []string{"while the step runs", "after the step has run"} {
		t.Run(back, func(t *testing.T) {
			between := newProxy(t, address, nil)
			env := dial(t, between.url(), codingenv.Options{}).NewEnv()
			reset(t, env)
			replies := make(chan string, 1)
			go func() {
				reply, err := env.Step(context.Background(), counting)
				replies <- fmt.Sprint(reply.GetObservation().GetStdout(), err)
			}()
			waitUntil(t, "the step runs", func() bool {
				return stateOf(t, direct, env).GetStatus() == pb.EpisodeStatus_EPISODE_STATUS_RUNNING
			})
			if back == "after the step has run" {
				between.set(func(p *proxy) { p.down = true })
				between.cut()
				waitUntil(t, "the step has run", func() bool { return stateOf(t, direct, env).GetState().GetStepCount() == 1 })
				between.set(func(p *proxy) { p.down = false })
			} else {
				between.cut()
			}
			if got := <-replies; got != "1\n<nil>" {
				t.Fatalf("%q", got)
			}
			prints(t, env, "print(n)", "1\n")
			if count := stateOf(t, direct, env).GetState().GetStepCount(); count != 2 {
				t.Fatalf("%d steps", count)
			}
		})
	}
}

func TestAResetWhoseReplyWasLostLeavesOneEpisode(t *testing.T) {
	address := serve(t)
	direct := dial(t, address, codingenv.Options{})
	episodes := func() uint32 {
		info, err := direct.ServerInfo(bounded(t))
		if err != nil {
			t.Fatal(err)
		}
		return info.GetCapacity().GetEpisodes()
	}
	between := newProxy(t, address, nil)
	connection := dial(t, between.url(), codingenv.Options{})
	if err := connection.Ready(bounded(t)); err != nil {
		t.Fatal(err)
	}
	env := connection.NewEnv()

	// Tried again: the same episode.
	between.set(func(p *proxy) { p.muted = true })
	done := make(chan error, 1)
	go func() {
		_, err := env.Reset(context.Background())
		done <- err
	}()
	waitUntil(t, "the episode is there", func() bool { return episodes() == 1 })
	between.set(func(p *proxy) { p.muted = false })
	between.cut()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := episodes(); got != 1 {
		t.Fatalf("%d episodes", got)
	}
	prints(t, env, "print('here')", "here\n")

	// Given up: ended with the next one.
	between.set(func(p *proxy) { p.muted = true })
	ctx, cancel := context.WithCancel(context.Background())
	other := connection.NewEnv()
	go func() {
		_, err := other.Reset(ctx)
		done <- err
	}()
	waitUntil(t, "the episode is there", func() bool { return episodes() == 2 })
	cancel()
	reason(t, <-done, codingenv.ReasonCancelled)
	between.set(func(p *proxy) { p.muted = false })
	between.cut()
	reset(t, other)
	if got := episodes(); got != 2 {
		t.Fatalf("%d episodes", got)
	}
	if err := other.Close(bounded(t)); err != nil {
		t.Fatal(err)
	}
	if got := episodes(); got != 1 {
		t.Fatalf("%d episodes", got)
	}
}

func TestAfterADeadlineTheSameCodeGetsItsReplyAndOtherCodeRunsAfterIt(t *testing.T) {
	env := dial(t, serve(t), codingenv.Options{}).NewEnv()
	reset(t, env)
	timeout := codingenv.StepOptions{Timeout: 10 * time.Second}
	giveUp := func(code string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		_, err := env.StepWith(ctx, code, timeout)
		reason(t, err, codingenv.ReasonDeadline)
		if !errors.Is(err, context.DeadlineExceeded) && err.(*codingenv.Error).Code != codes.DeadlineExceeded {
			t.Fatalf("%v does not tell of a deadline", err)
		}
	}
	giveUp(counting)
	prints(t, env, counting, "1\n")

	giveUp(counting)
	// A refusal between them settles nothing.
	huge := uint32(1 << 30)
	_, err := env.StepWith(bounded(t), "1", codingenv.StepOptions{Limits: &pb.StepLimits{OutputBytes: &huge}})
	reason(t, err, codingenv.ReasonInvalidField)
	prints(t, env, "print('then', n)", "then 2\n")
	prints(t, env, "print(n)", "2\n")
}

func TestARefusalWithATimeToTryAgainIsTriedAgain(t *testing.T) {
	connection := dial(t, serve(t, "--max-running-steps", "1", "--max-waiting-steps", "0"), codingenv.Options{})
	busy, env := connection.NewEnv(), connection.NewEnv()
	reset(t, busy)
	reset(t, env)
	ended := make(chan error, 1)
	go func() {
		_, err := busy.Step(context.Background(), "import time\ntime.sleep(60)")
		ended <- err
	}()
	waitUntil(t, "the step runs", func() bool {
		return stateOf(t, connection, busy).GetStatus() == pb.EpisodeStatus_EPISODE_STATUS_RUNNING
	})
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	_, err := env.Step(ctx, "1")
	reason(t, err, codingenv.ReasonStepLimit)
	var failure *codingenv.Error
	if !errors.As(err, &failure) || failure.RetryAfter == nil || failure.Code != codes.ResourceExhausted {
		t.Fatalf("%+v", failure)
	}
	replies := make(chan error, 1)
	go func() {
		_, err := env.Step(context.Background(), "1")
		replies <- err
	}()
	waitUntil(t, "it is interrupted", func() bool {
		hit, err := busy.Interrupt(bounded(t))
		return hit && err == nil
	})
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if err := <-replies; err != nil {
		t.Fatal(err)
	}
}

func TestNobodyThere(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	options := codingenv.Options{Deadline: 300 * time.Millisecond}
	_, err = codingenv.Connect(bounded(t), address, options)
	reason(t, err, codingenv.ReasonConnect)
	_, err = dial(t, address, options).ServerInfo(bounded(t))
	reason(t, err, codingenv.ReasonConnect)
	for _, url := range []string{"", "ftp://127.0.0.1:1", "http://", "http://127.0.0.1:1/path"} {
		_, err := codingenv.Dial(url, options)
		reason(t, err, codingenv.ReasonURL)
	}
}

func TestAnotherServerInItsPlace(t *testing.T) {
	between := newProxy(t, serve(t, "--server-id", "first"), nil)
	env := dial(t, between.url(), codingenv.Options{}).NewEnv()
	reset(t, env)
	second := serve(t, "--server-id", "second")
	between.set(func(p *proxy) { p.target = second })
	between.cut()
	_, err := env.Step(bounded(t), "1")
	reason(t, err, codingenv.ReasonEpisodeServerGone)
	reset(t, env)
	if reply := prints(t, env, "print(1)", "1\n"); reply.GetServerId() != "second" {
		t.Fatal(reply.GetServerId())
	}
}

func TestManyEpisodesOverOneConnection(t *testing.T) {
	connection := dial(t, serve(t), codingenv.Options{})
	var group sync.WaitGroup
	failures := make(chan error, 200)
	for number := range cap(failures) {
		group.Go(func() {
			env := connection.NewEnv()
			_, err := env.Reset(context.Background())
			for step := range 3 {
				var reply *pb.StepResponse
				if err == nil {
					reply, err = env.Step(context.Background(), fmt.Sprintf("x = %d + globals().get('x', 0)\nprint(x)", number))
				}
				if want := fmt.Sprintf("%d\n", number*(step+1)); err == nil && reply.GetObservation().GetStdout() != want {
					err = fmt.Errorf("episode %d: %q instead of %q", number, reply.GetObservation().GetStdout(), want)
				}
			}
			failures <- errors.Join(err, env.Close(context.Background()))
		})
	}
	group.Wait()
	close(failures)
	for err := range failures {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestCallsOfOneEnvWaitForTheirTurn(t *testing.T) {
	env := dial(t, serve(t), codingenv.Options{}).NewEnv()
	reset(t, env)
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if _, err := env.Step(context.Background(), "n = globals().get('n', 0) + 1"); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	prints(t, env, "print(n)", "20\n")
}
