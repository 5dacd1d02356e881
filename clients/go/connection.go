package codingenv

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"

	pb "github.com/coding-env/coding-env/clients/go/codingenvv1"
)

const (
	// The headers of "Routing" in the contract.
	serverHeader  = "x-coding-env-server"
	episodeHeader = "x-episode-id"
	// The largest reply that this client decodes; a server sends less unless a step asks for more.
	replyBytesMax = 64 << 20
	// How long a call may wait beyond the step's own timeout: for its turn, for the grace and for the network.
	callSlack = 60 * time.Second
	// How long one attempt to connect may take.
	connectTimeout = 10 * time.Second
)

// Options say how a client behaves. The zero value is the default.
type Options struct {
	// Deadline is how long a call may take in all, retries included. Default 5 min. A step whose timeout is longer gets that and a minute.
	// A context with an earlier deadline ends the call earlier.
	Deadline time.Duration
	// RetryFirst is the first pause before a retry; it doubles each time and is spread at random. Default 20 ms.
	RetryFirst time.Duration
	// RetryMax is the longest pause before a retry, unless the server asks for a longer one. Default 2 s.
	RetryMax time.Duration
	// Keepalive is how often an idle connection is checked. Default 20 s; gRPC takes less than 10 s as 10 s.
	Keepalive time.Duration
	// Token is sent as "authorization: Bearer TOKEN". Over http:// it travels in the clear.
	Token string
	// TLS configures https://: own roots, a client certificate. Default: the system's roots. An http:// URL with it is an error.
	TLS *tls.Config
	// DialOptions are given to gRPC after this package's own.
	DialOptions []grpc.DialOption
}

func (o Options) withDefaults() Options {
	set := func(value *time.Duration, otherwise time.Duration) {
		if *value <= 0 {
			*value = otherwise
		}
	}
	set(&o.Deadline, 5*time.Minute)
	set(&o.RetryFirst, 20*time.Millisecond)
	set(&o.RetryMax, 2*time.Second)
	set(&o.Keepalive, 20*time.Second)
	return o
}

// Connection is a connection to one server. Thousands of environments can share it; it is safe for concurrent use.
type Connection struct {
	channel *grpc.ClientConn
	client  pb.CodingEnvClient
	options Options
}

// Dial prepares a connection to a server: "http://HOST:PORT" or "https://HOST:PORT". It connects with the first call; see
// [Connection.Ready]. The error is a [ReasonURL], or what gRPC says of the options.
func Dial(serverURL string, options Options) (*Connection, error) {
	options = options.withDefaults()
	target, secure, err := parse(serverURL)
	if err != nil {
		return nil, err
	}
	transport := insecure.NewCredentials()
	switch {
	case secure:
		transport = credentials.NewTLS(options.TLS)
	case options.TLS != nil:
		return nil, &Error{Reason: ReasonURL, Message: "TLS is set and `" + serverURL + "` is not https://"}
	}
	pause := backoff.DefaultConfig
	pause.BaseDelay = options.RetryFirst
	pause.MaxDelay = options.RetryMax
	dial := append([]grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(replyBytesMax)),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: pause, MinConnectTimeout: connectTimeout}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: options.Keepalive, PermitWithoutStream: true}),
		grpc.WithInitialWindowSize(1 << 20),
		grpc.WithInitialConnWindowSize(16 << 20),
		grpc.WithDisableServiceConfig(),
		grpc.WithIdleTimeout(0),
	}, options.DialOptions...)
	channel, err := grpc.NewClient(target, dial...)
	if err != nil {
		return nil, &Error{Reason: ReasonURL, Message: err.Error(), cause: err}
	}
	return &Connection{channel: channel, client: pb.NewCodingEnvClient(channel), options: options}, nil
}

// parse returns gRPC's target, and whether it is to be reached over TLS.
func parse(serverURL string) (target string, secure bool, err error) {
	text := serverURL
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	parsed, err := url.Parse(text)
	ports := map[string]string{"http": "80", "https": "443"}
	if err != nil || parsed.Hostname() == "" || ports[parsed.Scheme] == "" || strings.Trim(parsed.Path, "/") != "" {
		message := "`" + serverURL + "` is no URL of a server: it has to be like http://127.0.0.1:8000"
		return "", false, &Error{Reason: ReasonURL, Message: message, cause: err}
	}
	port := parsed.Port()
	if port == "" {
		port = ports[parsed.Scheme]
	}
	return net.JoinHostPort(parsed.Hostname(), port), parsed.Scheme == "https", nil
}

// Ready connects, and returns when the connection stands: an error when nobody answers within [Options.Deadline].
func (c *Connection) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.options.Deadline)
	defer cancel()
	for {
		c.channel.Connect()
		state := c.channel.GetState()
		switch state {
		case connectivity.Ready:
			return nil
		case connectivity.Shutdown:
			return &Error{Reason: ReasonConnect, Message: "the connection is closed"}
		}
		if !c.channel.WaitForStateChange(ctx, state) {
			message := "nobody answers at " + c.channel.Target()
			return &Error{Reason: ReasonConnect, Message: message, cause: context.Cause(ctx)}
		}
	}
}

// NewEnv returns an environment without an episode.
func (c *Connection) NewEnv() *Env {
	return &Env{connection: c, turn: make(chan struct{}, 1)}
}

// ServerInfo tells what the server is, what it allows, and what it is doing.
func (c *Connection) ServerInfo(ctx context.Context) (*pb.GetServerInfoResponse, error) {
	response, _, err := call(ctx, c, nil, c.options.Deadline, c.client.GetServerInfo, &pb.GetServerInfoRequest{})
	return response, err
}

// Client is the bare stub, for what this package does not cover. It neither retries nor sends the token.
func (c *Connection) Client() pb.CodingEnvClient { return c.client }

// Close closes the connection. Its episodes are left to the server's idle timeout, unless they were closed before.
func (c *Connection) Close() error { return c.channel.Close() }

// call sends a request until it is answered, refused, or the deadline has passed. Every request can be sent again: a Reset bears its
// request id, a Step its index, and the others do the same again.
func call[Q, R any](
	ctx context.Context,
	connection *Connection,
	episode *episode,
	deadline time.Duration,
	send func(context.Context, *Q, ...grpc.CallOption) (*R, error),
	request *Q,
) (*R, metadata.MD, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	var pairs []string
	if token := connection.options.Token; token != "" {
		pairs = append(pairs, "authorization", "Bearer "+token)
	}
	if episode != nil {
		pairs = append(pairs, episodeHeader, episode.id)
		if episode.server != "" {
			pairs = append(pairs, serverHeader, episode.server)
		}
	}
	outgoing := metadata.AppendToOutgoingContext(ctx, pairs...)
	retry := newRetry(connection.options)
	var before *Error
	for {
		var header metadata.MD
		response, err := send(outgoing, request, grpc.Header(&header))
		if err == nil {
			return response, header, nil
		}
		failure := fromGRPC(ctx, err)
		failure.follow(before)
		before = failure
		if !failure.retryable() || !retry.pause(ctx, failure) {
			return nil, nil, failure
		}
	}
}
