package rediskv_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/auth/authtest"
	"github.com/msptoolbelt/toolbelt/auth/rediskv"
)

func connect(t testing.TB, address string) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: address})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// The fake's clock stands still unless it is told: this one runs.
func fake(t testing.TB) string {
	t.Helper()
	server, err := miniredis.Run()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		last := time.Now()
		for {
			select {
			case <-done:
				return
			case now := <-time.After(5 * time.Millisecond):
				server.FastForward(now.Sub(last))
				last = now
			}
		}
	}()
	t.Cleanup(func() {
		close(done)
		<-stopped
		server.Close()
	})
	return server.Addr()
}

// server is a redis-server on loopback that can be killed and started anew.
type server struct {
	program, address string
	process          *exec.Cmd
}

// real starts a server.
func real(t *testing.T) *server {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		if os.Getenv("TOOLBELT_REQUIRE_REDIS") != "" {
			t.Fatal("TOOLBELT_REQUIRE_REDIS is set, and redis-server is not installed")
		}
		t.Skip("NOT TESTED against a real Redis: redis-server is not installed")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{program: program, address: listener.Addr().String()}
	_ = listener.Close()
	s.start(t)
	t.Cleanup(func() { s.kill(t) })
	return s
}

func (s *server) start(t *testing.T) {
	t.Helper()
	host, port, err := net.SplitHostPort(s.address)
	if err != nil {
		t.Fatal(err)
	}
	var output bytes.Buffer
	s.process = exec.Command(s.program, "--bind", host, "--port", port, "--save", "", "--dir", t.TempDir()) //nolint:noctx // kill ends it
	s.process.Stdout, s.process.Stderr = &output, &output
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	client := connect(t, s.address)
	for range 100 {
		if client.Ping(t.Context()).Err() == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.kill(t)
	t.Fatalf("redis-server does not answer: %s", output.String())
}

// kill ends the server by SIGKILL.
func (s *server) kill(t *testing.T) {
	t.Helper()
	if s.process.ProcessState != nil {
		return
	}
	if err := s.process.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = s.process.Wait() // says that it was killed
}

// stop makes the server hang until resume.
func (s *server) stop(t *testing.T)   { s.signal(t, syscall.SIGSTOP) }
func (s *server) resume(t *testing.T) { s.signal(t, syscall.SIGCONT) }

func (s *server) signal(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if err := s.process.Process.Signal(signal); err != nil {
		t.Error(err)
	}
}

func contract(t *testing.T, address string) {
	authtest.TestKV(t, func() auth.KV { return rediskv.New(connect(t, address), "test:") })
}

func TestContractFake(t *testing.T) { contract(t, fake(t)) }

func TestContractRealServer(t *testing.T) { contract(t, real(t).address) }

// Prefixes keep applications apart.
func TestPrefix(t *testing.T) {
	client := connect(t, fake(t))
	one, two := rediskv.New(client, "one:"), rediskv.New(client, "two:")
	if ok, err := one.CompareAndSwap(t.Context(), "id", nil, []byte("1"), time.Hour); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if value, err := two.Get(t.Context(), "id"); value != nil || err != nil {
		t.Errorf("%q, %v", value, err)
	}
	if err := two.Delete(t.Context(), "id"); err != nil {
		t.Fatal(err)
	}
	if value, err := one.Get(t.Context(), "id"); string(value) != "1" || err != nil {
		t.Errorf("%q, %v", value, err)
	}
	if ttl := client.PTTL(t.Context(), "one:id").Val(); ttl < 50*time.Minute || ttl > time.Hour {
		t.Errorf("life %v, want an hour", ttl)
	}
}

// A server that is gone is an error, not an absent record: nobody is signed out.
func TestServerGone(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	kv := rediskv.New(redis.NewClient(&redis.Options{Addr: listener.Addr().String(), MaxRetries: -1}), "")
	if value, err := kv.Get(t.Context(), "id"); value != nil || err == nil {
		t.Errorf("%q, %v", value, err)
	}
	if ok, err := kv.CompareAndSwap(t.Context(), "id", nil, []byte("v"), 0); ok || err == nil {
		t.Errorf("%v, %v", ok, err)
	}
	if err := kv.Delete(t.Context(), "id"); err == nil {
		t.Error("deleted")
	}
}

// A server that hangs is waited for until the context's deadline, whatever the
// client's timeouts.
func TestServerHangs(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	kv := rediskv.New(connect(t, listener.Addr().String()), "")
	for name, call := range map[string]func(context.Context) error{
		"get": func(ctx context.Context) error { _, err := kv.Get(ctx, "id"); return err },
		"swap": func(ctx context.Context) error {
			_, err := kv.CompareAndSwap(ctx, "id", nil, []byte("v"), 0)
			return err
		},
		"delete": func(ctx context.Context) error { return kv.Delete(ctx, "id") },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		start := time.Now()
		err := call(ctx)
		cancel()
		if took := time.Since(start); err == nil || took > time.Second {
			t.Errorf("%s: %v after %v", name, err, took)
		}
	}
}
