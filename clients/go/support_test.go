package codingenv_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	codingenv "github.com/coding-env/coding-env/clients/go"
)

// patience is how long anything that is waited for may take; a test that needs it has failed.
const patience = 30 * time.Second

// program is the server under test.
func program() (string, error) {
	path := os.Getenv("CODING_ENV_BIN")
	if path == "" {
		path = filepath.Join("..", "..", "target", "release", "coding-env")
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("no server to test with, set CODING_ENV_BIN: %w", err)
	}
	return filepath.Abs(path)
}

// start starts a server on a free port. It returns its address, and what kills it.
func start(flags ...string) (address string, kill func(), err error) {
	path, err := program()
	if err != nil {
		return "", nil, err
	}
	state, err := os.MkdirTemp("", "coding-env-go")
	if err != nil {
		return "", nil, err
	}
	arguments := []string{"serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--drain-timeout", "0s", "--interrupt-grace", "5s", "--state-dir", state}
	command := exec.Command(path, append(arguments, flags...)...)
	log, err := command.StderrPipe()
	if err != nil {
		return "", nil, err
	}
	if err := command.Start(); err != nil {
		return "", nil, err
	}
	var once sync.Once
	ended := make(chan struct{})
	kill = func() {
		once.Do(func() {
			_ = command.Process.Signal(syscall.SIGTERM)
			select {
			case <-ended:
			case <-time.After(patience):
				_ = command.Process.Kill()
				<-ended
			}
			_ = os.RemoveAll(state)
		})
	}
	addresses := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(log)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var line struct{ Message, Address string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Message == "serving" {
				addresses <- line.Address
			}
		}
		_, _ = io.Copy(io.Discard, log)
		_ = command.Wait()
		close(ended)
	}()
	select {
	case address = <-addresses:
		return address, kill, nil
	case <-ended:
		return "", nil, fmt.Errorf("the server ended: %v", command.ProcessState)
	case <-time.After(patience):
		kill()
		return "", nil, fmt.Errorf("the server does not serve after %v", patience)
	}
}

// serve starts a server that ends with the test, and returns its address.
func serve(t testing.TB, flags ...string) string {
	t.Helper()
	address, kill, err := start(flags...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kill)
	return address
}

func dial(t testing.TB, url string, options codingenv.Options) *codingenv.Connection {
	t.Helper()
	connection, err := codingenv.Dial(url, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return connection
}

// bounded is a context that ends long after a passing test.
func bounded(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	t.Cleanup(cancel)
	return ctx
}

// waitUntil asks again and again, until it is so.
func waitUntil(t testing.TB, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if so() {
			return
		}
	}
	t.Fatalf("not in %v: %s", patience, what)
}

// proxy passes connections on, and fails as networks do.
type proxy struct {
	listener net.Listener
	mu       sync.Mutex
	target   string
	// What the server answers is thrown away.
	muted bool
	// Connections are closed at once.
	down  bool
	conns map[net.Conn]bool
}

func newProxy(t testing.TB, target string, secure *tls.Config) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if secure != nil {
		listener = tls.NewListener(listener, secure)
	}
	p := &proxy{listener: listener, target: target, conns: map[net.Conn]bool{}}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go p.pass(client)
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		p.cut()
	})
	return p
}

func (p *proxy) pass(client net.Conn) {
	p.mu.Lock()
	target, down := p.target, p.down
	p.mu.Unlock()
	defer client.Close()
	if down {
		return
	}
	server, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	p.mu.Lock()
	p.conns[client], p.conns[server] = true, true
	p.mu.Unlock()
	go func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := server.Read(buffer)
		p.mu.Lock()
		muted := p.muted
		p.mu.Unlock()
		if err != nil {
			break
		}
		if muted {
			continue
		}
		if _, err := client.Write(buffer[:n]); err != nil {
			break
		}
	}
	_ = server.Close()
	p.mu.Lock()
	delete(p.conns, client)
	delete(p.conns, server)
	p.mu.Unlock()
}

// set changes what the proxy does from now on.
func (p *proxy) set(change func(*proxy)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

// cut breaks every connection.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		_ = conn.Close()
	}
}

func (p *proxy) url() string { return "http://" + p.listener.Addr().String() }
