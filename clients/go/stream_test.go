package codingenv_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	codingenv "github.com/coding-env/coding-env/clients/go"
	pb "github.com/coding-env/coding-env/clients/go/codingenvv1"
)

func TestOutputIsToldOnceWhileTheCodeRunsAlsoWhenTheConnectionBreaks(t *testing.T) {
	address := serve(t)
	between := newProxy(t, address, nil)
	env := dial(t, between.url(), codingenv.Options{}).NewEnv()
	reset(t, env)
	code := "import os, sys, time\nprint('first')\nprint('error', file=sys.stderr)\n" +
		"while not os.path.exists('go'): time.sleep(0.01)\nprint('last')\n'end'"
	told := map[pb.OutputStream]string{}
	reply, err := env.StepStream(bounded(t), code, func(piece *pb.OutputPiece) {
		stream := piece.GetStream()
		if at := uint64(len(told[stream])); piece.GetOffset() != at || piece.GetDroppedBytes() != 0 {
			t.Errorf("%v at %d", piece, at)
		}
		told[stream] += string(piece.GetData())
		if stream == pb.OutputStream_OUTPUT_STREAM_STDERR {
			// The code runs yet, and goes on without a reader.
			between.cut()
			if err := env.Files().Write(bounded(t), map[string][]byte{"go": nil}); err != nil {
				t.Error(err)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr := told[pb.OutputStream_OUTPUT_STREAM_STDOUT], told[pb.OutputStream_OUTPUT_STREAM_STDERR]
	if stdout != "first\nlast\n" || stderr != "error\n" || reply.GetObservation().GetResult() != "'end'" {
		t.Fatalf("%q %q %v", stdout, stderr, reply)
	}
	// The next step follows it, and what is refused is refused as a step is.
	prints(t, env, "print(6 * 7)", "42\n")
	if err := env.Close(bounded(t)); err != nil {
		t.Fatal(err)
	}
	_, err = env.StepStream(bounded(t), "1", func(*pb.OutputPiece) {})
	reason(t, err, codingenv.ReasonNoEpisode)
}

func TestFilesGoInAndOut(t *testing.T) {
	env := dial(t, serve(t), codingenv.Options{}).NewEnv()
	_, err := env.Files().Read(bounded(t), "*")
	reason(t, err, codingenv.ReasonNoEpisode)
	reset(t, env)
	// Empty, in one message, in many, and many.
	want := map[string][]byte{"empty": {}, "deep/er/small": []byte("1"), "large": bytes.Repeat([]byte("0123456789abcdef"), 100_000)}
	for number := range 1500 {
		want[fmt.Sprintf("many/%d", number)] = []byte(strings.Repeat("x", number%7))
	}
	files := env.Files()
	if err := files.Write(bounded(t), want); err != nil {
		t.Fatal(err)
	}
	prints(t, env, "import os; print(os.path.getsize('large'), len(os.listdir('many')))", "1600000 1500\n")
	found, err := files.Read(bounded(t), "**")
	if err != nil || len(found) != len(want) {
		t.Fatalf("%d files: %v", len(found), err)
	}
	for path, data := range want {
		if got, ok := found[path]; !ok || !bytes.Equal(got, data) {
			t.Fatalf("%s: %d bytes instead of %d", path, len(got), len(data))
		}
	}
}

func TestWhatIsWrongWithSomeFilesIsTold(t *testing.T) {
	env := dial(t, serve(t), codingenv.Options{}).NewEnv()
	reset(t, env)
	files := env.Files()
	err := files.Write(bounded(t), map[string][]byte{"a": []byte("1"), "a/b": []byte("2"), "c": []byte("3")})
	reason(t, err, codingenv.ReasonFiles)
	var failure *codingenv.Error
	if !errors.As(err, &failure) || len(failure.Failures) != 1 || failure.Failures[0].GetPath() != "a/b" {
		t.Fatalf("%v", err)
	}
	found, err := files.Read(bounded(t), "none", "c")
	reason(t, err, codingenv.ReasonFiles)
	if string(found["c"]) != "3" || len(found) != 1 || !strings.Contains(err.Error(), "none") {
		t.Fatalf("%v %v", found, err)
	}
	_, err = files.Read(bounded(t), "/etc/passwd")
	reason(t, err, codingenv.ReasonInvalidField)
	if _, err := files.Read(bounded(t), "../../etc/passwd"); err == nil {
		t.Fatal("it left the workspace")
	}
}
