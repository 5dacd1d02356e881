package codingenv_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	codingenv "github.com/coding-env/coding-env/clients/go"
	pb "github.com/coding-env/coding-env/clients/go/codingenvv1"
)

// certificate makes a certificate for 127.0.0.1 that signs itself, and a pool that trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{
		SerialNumber:          big.NewInt(1),
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool
}

func TestTLS(t *testing.T) {
	own, pool := certificate(t)
	proxy := newProxy(t, serve(t), &tls.Config{
		Certificates: []tls.Certificate{own},
		NextProtos:   []string{"h2"},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    pool,
	})
	url := strings.Replace(proxy.url(), "http", "https", 1)
	both := &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{own}}
	env := dial(t, url, codingenv.Options{TLS: both}).NewEnv()
	reset(t, env)
	prints(t, env, "print('over TLS')", "over TLS\n")

	short := 2 * time.Second
	for name, options := range map[string]codingenv.Options{
		"an unknown authority":        {Deadline: short},
		"without a certificate":       {Deadline: short, TLS: &tls.Config{RootCAs: pool}},
		"with a name that it has not": {Deadline: short, TLS: &tls.Config{RootCAs: pool, Certificates: both.Certificates, ServerName: "else"}},
	} {
		_, err := dial(t, url, options).NewEnv().Reset(bounded(t))
		if err == nil || !strings.Contains(err.Error(), string(codingenv.ReasonConnect)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := codingenv.Dial(proxy.url(), codingenv.Options{TLS: both})
	reason(t, err, codingenv.ReasonURL)
}

// recorder answers anything, and keeps the headers of each call.
type recorder struct {
	pb.UnimplementedCodingEnvServer
	headers chan metadata.MD
}

func (r *recorder) record(ctx context.Context) {
	headers, _ := metadata.FromIncomingContext(ctx)
	_ = grpc.SetHeader(ctx, metadata.Pairs("x-coding-env-server", "lab"))
	r.headers <- headers
}

func (r *recorder) Reset(ctx context.Context, _ *pb.ResetRequest) (*pb.ResetResponse, error) {
	r.record(ctx)
	return &pb.ResetResponse{}, nil
}

func (r *recorder) Step(ctx context.Context, request *pb.StepRequest) (*pb.StepResponse, error) {
	r.record(ctx)
	return &pb.StepResponse{StepIndex: request.GetStepIndex()}, nil
}

func TestHeaders(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, kept := grpc.NewServer(), &recorder{headers: make(chan metadata.MD, 2)}
	pb.RegisterCodingEnvServer(server, kept)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	env := dial(t, listener.Addr().String(), codingenv.Options{Token: "secret"}).NewEnv()
	reset(t, env)
	if _, err := env.Step(bounded(t), "1"); err != nil {
		t.Fatal(err)
	}
	for _, servers := range []string{"", "lab"} {
		headers := <-kept.headers
		for name, want := range map[string]string{
			"authorization":       "Bearer secret",
			"x-episode-id":        env.EpisodeID(),
			"x-coding-env-server": servers,
		} {
			if got := strings.Join(headers.Get(name), ", "); got != want {
				t.Errorf("%s: %q instead of %q", name, got, want)
			}
		}
	}
}
