package resilience_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/resilience"
)

// A write that may have happened is sent once, and its failure is reported.
func TestWriteIsNeverDoubled(t *testing.T) {
	tests := []struct {
		name   string
		writes int
		failed func(w http.ResponseWriter, r *http.Request) // how the server fails after it committed
	}{
		{"commit, then 503", 60, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
		}},
		{"commit, then 504", 60, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGatewayTimeout) }},
		{"commit, then reset", 60, reset},
		{"commit, then silence", 6, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var committed atomic.Int64
			server, _ := serve(t, func(n int64, w http.ResponseWriter, r *http.Request) {
				if _, err := io.Copy(io.Discard, r.Body); err != nil {
					t.Error(err)
				}
				committed.Add(1)
				if n%3 != 0 {
					test.failed(w, r)
				}
			})
			retry := quick
			retry.AttemptTimeout = 500 * time.Millisecond
			client := newClient(t, resilience.Options{
				Hosts: []string{server.URL}, Retry: retry,
				Breaker: resilience.BreakerPolicy{Consecutive: 1000, FailureRatio: 2},
			})
			good := 0
			for range test.writes {
				if status, _, err := do(t.Context(), t, client, "POST", server.URL, "{}"); err == nil && status == 200 {
					good++
				}
			}
			if committed.Load() != int64(test.writes) || good != test.writes/3 {
				t.Errorf("%d writes committed %d times, %d reported good", test.writes, committed.Load(), good)
			}
		})
	}
}

// reset ends the connection without an answer.
func reset(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // without it the end is merely ruder
	}
	_ = conn.Close()
}

// What was refused before it was read is repeated, whatever the method.
func TestUnsentWriteIsRepeated(t *testing.T) {
	server, count := serve(t, func(_ int64, _ http.ResponseWriter, r *http.Request) {
		if text, err := io.ReadAll(r.Body); err != nil || string(text) != "{}" {
			t.Errorf("body %q, %v", text, err)
		}
	})
	base := resilience.NewBase()
	dials := 0
	var dialer net.Dialer
	base.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if dials++; dials < 3 {
			address = "127.0.0.1:1" // nobody listens there
		}
		return dialer.DialContext(ctx, network, address)
	}
	t.Cleanup(base.CloseIdleConnections)
	client := newClient(t, resilience.Options{Hosts: []string{server.URL}, Base: base, Retry: quick})
	status, _, err := do(t.Context(), t, client, "POST", server.URL, "{}")
	if err != nil || status != 200 || count.Load() != 1 || dials != 3 {
		t.Errorf("%d %v after %d dials and %d requests", status, err, dials, count.Load())
	}
}

// A base that tells nothing of what it did is not trusted to have done nothing.
func TestUnknownFailureOfAWriteIsNotRepeated(t *testing.T) {
	calls := 0
	base := roundTripper(func(*http.Request) (*http.Response, error) {
		calls++
		return nil, errors.New("something broke")
	})
	client := newClient(t, resilience.Options{Hosts: []string{"https://api.example"}, Base: base, Retry: quick})
	if _, _, err := do(t.Context(), t, client, "POST", "https://api.example/", "{}"); err == nil || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
	calls = 0
	if _, _, err := do(t.Context(), t, client, "GET", "https://api.example/", "{}"); err == nil || calls != 4 {
		t.Errorf("GET: %v after %d calls", err, calls)
	}
}

type finalError struct{ error }

func (finalError) NoRetry() bool { return true }

func TestFinalErrors(t *testing.T) {
	tls, _ := serveTLS(t)
	tests := []struct {
		name string
		url  string
		base http.RoundTripper
	}{
		{"no token", "https://api.example", roundTripper(func(*http.Request) (*http.Response, error) {
			return nil, finalError{errors.New("no token")}
		})},
		{"unknown host", "https://api.example", roundTripper(func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true}}
		})},
		{"unknown certificate", tls, resilience.NewBase()},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			attempts := 0
			client := newClient(t, resilience.Options{
				Hosts: []string{test.url}, Base: test.base, Retry: quick,
				Breaker: resilience.BreakerPolicy{Consecutive: 1},
				Hooks: resilience.Hooks{Attempt: func(e resilience.AttemptEvent) {
					if attempts++; e.Class != resilience.Fatal {
						t.Errorf("class %s, %v", e.Class, e.Err)
					}
				}},
			})
			for range 2 { // the second would meet an open breaker if the first had counted
				if _, _, err := do(t.Context(), t, client, "GET", test.url, ""); err == nil || errors.As(err, new(*resilience.OpenError)) {
					t.Errorf("error = %v", err)
				}
			}
			if attempts != 2 {
				t.Errorf("%d attempts", attempts)
			}
		})
	}
}

func TestBodyIsNeverBuffered(t *testing.T) {
	server, count := serve(t, func(_ int64, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) })
	client := newClient(t, resilience.Options{Hosts: []string{server.URL}, Retry: quick})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, server.URL, io.MultiReader(strings.NewReader("once")))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusTooManyRequests || count.Load() != 1 {
		t.Errorf("%d after %d requests", resp.StatusCode, count.Load())
	}
}
