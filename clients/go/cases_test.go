package codingenv_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/protobuf/encoding/protojson"

	codingenv "github.com/coding-env/coding-env/clients/go"
	pb "github.com/coding-env/coding-env/clients/go/codingenvv1"
)

type raw = map[string]json.RawMessage

// TestCases runs the table that the clients of all languages share: clients/README.md.
func TestCases(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var table struct {
		Cases []struct {
			Name  string
			Reset raw
			Calls []raw
		}
	}
	if err := json.Unmarshal(text, &table); err != nil {
		t.Fatal(err)
	}
	if len(table.Cases) < 30 {
		t.Fatalf("only %d cases", len(table.Cases))
	}
	connection := dial(t, "http://"+serve(t), codingenv.Options{})
	for _, each := range table.Cases {
		t.Run(each.Name, func(t *testing.T) {
			ctx := bounded(t)
			env := connection.NewEnv()
			if _, err := env.ResetWith(ctx, resetOptions(t, each.Reset)); err != nil {
				t.Fatal(err)
			}
			for at, call := range each.Calls {
				got, err := run(t, ctx, connection, env, call)
				compare(t, at, call, got, err)
			}
			if err := env.Close(ctx); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// run makes one call and returns what there is to compare.
func run(
	t *testing.T, ctx context.Context, connection *codingenv.Connection, env *codingenv.Env, call raw,
) (map[string]any, error) {
	t.Helper()
	switch {
	case call["step"] != nil:
		code, options := stepOptions(t, call["step"])
		if call["interrupt"] != nil {
			stepping, stop := context.WithCancel(ctx)
			interrupted := make(chan error, 1)
			go func() { interrupted <- interrupt(stepping, env) }()
			defer func() {
				stop()
				if err := <-interrupted; err != nil {
					t.Errorf("interrupt: %v", err)
				}
			}()
		}
		reply, err := env.StepWith(ctx, code, options)
		return ofStep(reply), err
	case call["reset"] != nil:
		var fields raw
		decode(t, call["reset"], &fields)
		reply, err := env.ResetWith(ctx, resetOptions(t, fields))
		var reward any
		if reply != nil && reply.Reward != nil {
			reward = reply.GetReward()
		}
		return map[string]any{
			"stdout":    reply.GetObservation().GetStdout(),
			"stderr":    reply.GetObservation().GetStderr(),
			"exit_code": reply.GetObservation().GetExitCode(),
			"done":      reply.GetDone(),
			"reward":    reward,
			"metadata":  reply.GetMetadata(),
		}, err
	case call["state"] != nil:
		reply, err := env.State(ctx)
		return map[string]any{
			"step_count":     reply.GetState().GetStepCount(),
			"last_exit_code": reply.GetState().GetLastExitCode(),
			"status":         reply.GetStatus().String(),
		}, err
	case call["close"] != nil:
		return nil, env.Close(ctx)
	case call["end"] != nil:
		_, err := connection.Client().Close(ctx, &pb.CloseRequest{EpisodeId: env.EpisodeID()})
		return nil, err
	}
	t.Fatalf("no such call: %s", call)
	return nil, nil
}

// interrupt interrupts the running step, again and again until an interrupt has hit.
func interrupt(ctx context.Context, env *codingenv.Env) error {
	for ctx.Err() == nil {
		hit, err := env.Interrupt(ctx)
		if hit || err != nil && ctx.Err() == nil {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
	return errors.New("none has hit before the step ended")
}

func ofStep(reply *pb.StepResponse) map[string]any {
	var result any
	if reply.GetObservation() != nil && reply.GetObservation().Result != nil {
		result = reply.GetObservation().GetResult()
	}
	var reward any
	if reply != nil && reply.Reward != nil {
		reward = reply.GetReward()
	}
	return map[string]any{
		"stdout":           reply.GetObservation().GetStdout(),
		"stderr":           reply.GetObservation().GetStderr(),
		"exit_code":        reply.GetObservation().GetExitCode(),
		"result":           result,
		"outcome":          reply.GetOutcome().String(),
		"state_after":      reply.GetStateAfter().String(),
		"done":             reply.GetDone(),
		"reward":           reward,
		"metadata":         reply.GetMetadata(),
		"exception":        reply.GetReported().GetException().GetType(),
		"stdout_truncated": reply.GetObserved().GetStdoutTruncated(),
	}
}

func compare(t *testing.T, at int, call raw, got map[string]any, err error) {
	t.Helper()
	if call["expect_error"] != nil {
		var want struct {
			Code, Reason string
			Fields       []string
		}
		decode(t, call["expect_error"], &want)
		var failure *codingenv.Error
		if !errors.As(err, &failure) {
			t.Fatalf("call %d: %v instead of %+v", at, err, want)
		}
		if want.Code == "" {
			want.Code = "OK"
		}
		if got := code.Code(failure.Code).String(); string(failure.Reason) != want.Reason || got != want.Code {
			t.Errorf("call %d: %s %v instead of %+v", at, got, failure, want)
		}
		var fields []string
		for _, violation := range failure.Fields {
			fields = append(fields, violation.Field)
		}
		slices.Sort(fields)
		if want.Fields != nil && !slices.Equal(fields, want.Fields) {
			t.Errorf("call %d: %v instead of %v", at, fields, want.Fields)
		}
		return
	}
	if err != nil {
		t.Fatalf("call %d: %v", at, err)
	}
	var wants map[string]any
	if call["expect"] != nil {
		decode(t, call["expect"], &wants)
	}
	for key, want := range wants {
		field, part := strings.CutSuffix(key, "_contains")
		value, known := got[field]
		if !known {
			t.Fatalf("call %d: no such key: %s", at, key)
		}
		if text, ok := value.(string); part && ok && strings.Contains(text, want.(string)) {
			continue
		}
		if part || !equal(value, want) {
			t.Errorf("call %d: %s is %.200q instead of %.200q", at, key, value, want)
		}
	}
}

// equal compares with what came from JSON, where each number is a float64.
func equal(got, want any) bool {
	if number, ok := want.(float64); ok {
		switch got := got.(type) {
		case int32:
			return float64(got) == number
		case uint32:
			return float64(got) == number
		case float64:
			return math.Abs(got-number) < 1e-9
		}
		return false
	}
	if entries, ok := want.(map[string]any); ok {
		labels, ok := got.(map[string]string)
		for name, value := range entries {
			ok = ok && labels[name] == value
		}
		return ok && len(labels) == len(entries)
	}
	return got == want
}

func decode(t *testing.T, text json.RawMessage, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func resetOptions(t *testing.T, fields raw) codingenv.ResetOptions {
	t.Helper()
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	var request pb.ResetRequest
	if fields != nil {
		if err := protojson.Unmarshal(text, &request); err != nil {
			t.Fatal(err)
		}
	}
	return codingenv.ResetOptions{
		Seed:        request.Seed,
		Runtime:     request.GetRuntime(),
		Limits:      request.GetLimits(),
		Environment: request.GetEnvironment(),
		Network:     request.GetNetwork(),
	}
}

func stepOptions(t *testing.T, text json.RawMessage) (string, codingenv.StepOptions) {
	t.Helper()
	var fields raw
	decode(t, text, &fields)
	var code string
	decode(t, fields["code"], &code)
	delete(fields, "code")
	rest, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	var request pb.StepRequest
	if err := protojson.Unmarshal(rest, &request); err != nil {
		t.Fatal(err)
	}
	options := codingenv.StepOptions{Limits: request.GetLimits(), MaxReplyBytes: request.GetMaxReplyBytes()}
	if request.GetTimeout() != nil {
		options.Timeout = request.GetTimeout().AsDuration()
	}
	return code, options
}
