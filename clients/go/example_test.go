package codingenv_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	codingenv "github.com/coding-env/coding-env/clients/go"
	pb "github.com/coding-env/coding-env/clients/go/codingenvv1"
)

// The flow of the README: reset, a few steps, the state, close.
func Example() {
	url, stop, err := start()
	if err != nil {
		log.Fatal(err)
	}
	defer stop()

	ctx := context.Background()
	env, err := codingenv.Connect(ctx, url, codingenv.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer env.Close(ctx)

	reset, err := env.Reset(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("Reset complete: exit_code =", reset.GetObservation().GetExitCode())

	for _, code := range []string{
		"print('Hello, World!')",
		"x = 5 + 3\nprint(f'Result: {x}')",
		"import math\nprint(math.pi)",
	} {
		reply, err := env.Step(ctx, code)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(reply.GetObservation().GetStdout())
		fmt.Println("exit_code =", reply.GetObservation().GetExitCode())
	}

	state, err := env.State(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("steps =", state.GetState().GetStepCount())

	// Output:
	// Reset complete: exit_code = 0
	// Hello, World!
	// exit_code = 0
	// Result: 8
	// exit_code = 0
	// 3.141592653589793
	// exit_code = 0
	// steps = 3
}

// Output while it is printed, an interrupt, and files.
func Example_more() {
	url, stop, err := start()
	if err != nil {
		log.Fatal(err)
	}
	defer stop()
	ctx := context.Background()
	env, err := codingenv.Connect(ctx, url, codingenv.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer env.Close(ctx)
	if _, err := env.Reset(ctx); err != nil {
		log.Fatal(err)
	}

	reply, err := env.StepStream(ctx, "for n in range(3): print(n)", func(piece *pb.OutputPiece) {
		fmt.Printf("%s", piece.GetData())
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("exit_code =", reply.GetObservation().GetExitCode())

	_, err = env.StepStream(ctx, "import time\nprint('begun')\ntime.sleep(600)", func(*pb.OutputPiece) {
		_, _ = env.Interrupt(ctx) // from any goroutine
	})
	if err != nil {
		log.Fatal(err)
	}

	err = env.Files().Write(ctx, map[string][]byte{"data/a.csv": []byte("1,2"), "data/b.csv": []byte("3,4")})
	if err != nil {
		log.Fatal(err)
	}
	found, err := env.Files().Read(ctx, "data/*.csv")
	fmt.Printf("%s %v\n", found["data/b.csv"], err)

	// Output:
	// 0
	// 1
	// 2
	// exit_code = 0
	// 3,4 <nil>
}

func TestTheReadmeShowsTheExample(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	snippets := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	if len(snippets) != 4 {
		t.Fatalf("%d snippets", len(snippets))
	}
	for _, snippet := range snippets {
		text := strings.TrimPrefix(snippet[1], "url := \"http://127.0.0.1:8000\"\n")
		indented := regexp.MustCompile("(?m)^(.)").ReplaceAllString(text, "\t$1")
		if !strings.Contains(string(source), indented) {
			t.Fatalf("README.md and example_test.go differ: %s", text)
		}
	}
}

func cpuTime() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkStep tells what a step costs the client's process: go test -run - -bench Step -benchtime 5000x
func BenchmarkStep(b *testing.B) {
	env := dial(b, serve(b), codingenv.Options{}).NewEnv()
	if _, err := env.Reset(context.Background()); err != nil {
		b.Fatal(err)
	}
	before := cpuTime()
	for b.Loop() {
		if _, err := env.Step(context.Background(), "x = 1"); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpuTime()-before).Microseconds())/float64(b.N), "cpu-µs/op")
}
