package resilience_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/msptoolbelt/toolbelt/resilience"
)

// A base that returns both an answer and an error, which it must not, costs no
// place: net/http's Client counts that as an error, and so does the transport.
func TestAnswerWithAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		both, closed := errors.New("both"), 0
		transport := newTransport(t, func(r *http.Request) (*http.Response, error) {
			resp := answer(r, 200, "")
			resp.Body = &counted{Reader: resp.Body, closed: func() { closed++ }}
			return resp, both
		}, func(o *resilience.Options) { o.Limits.MaxInFlight = 2 })
		for range 3 {
			if _, err := send(t.Context(), t, transport, http.MethodPost); !errors.Is(err, both) {
				t.Error(err)
			}
		}
		if got := transport.Snapshot().Throttles[0].InFlight; got != 0 || closed != 3 {
			t.Errorf("%d under way, %d closed", got, closed)
		}
	})
}

// The Timeout of an http.Client may end a request before its context has ended;
// that says nothing of the server either.
func TestTimeoutOfTheClientIsNoFailure(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(server.Close)
	var failed atomic.Int64
	transport, err := resilience.New(resilience.Options{Hosts: []string{server.URL}, Hooks: resilience.Hooks{Attempt: func(e resilience.AttemptEvent) {
		if e.Class != resilience.Cancelled {
			failed.Add(1)
		}
	}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	client := transport.Client()
	client.Timeout = 5 * time.Millisecond
	for range 100 {
		if _, _, err := do(t.Context(), t, client, http.MethodGet, server.URL, ""); err == nil {
			t.Fatal("it answered")
		}
	}
	if s := transport.Snapshot().Breakers[0]; failed.Load() != 0 || s.State != resilience.Closed {
		t.Errorf("%d failures, %+v", failed.Load(), s)
	}
}

// What net/http would repeat by itself on another connection, because of a
// header, is not repeated if it must not be.
func TestNothingIsRepeatedBehindOurBack(t *testing.T) {
	no := false
	for _, test := range []struct {
		name, header, value, body string
		call                      resilience.Call
	}{
		{"an empty key", "Idempotency-Key", "", "{}", resilience.Call{}},
		{"another empty key", "X-Idempotency-Key", "", "{}", resilience.Call{}},
		{"a key, but the caller forbids it", "Idempotency-Key", "k", "{}", resilience.Call{Idempotent: &no}},
		{"another key, but the caller forbids it", "X-Idempotency-Key", "k", "{}", resilience.Call{Idempotent: &no}},
		{"a key without a body, but the caller forbids it", "Idempotency-Key", "k", "", resilience.Call{Idempotent: &no}},
	} {
		var done atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if _, err := io.Copy(io.Discard, r.Body); err == nil && r.URL.Path != "/first" {
				done.Add(1)
				panic(http.ErrAbortHandler)
			}
		}))
		client := newClient(t, resilience.Options{Hosts: []string{server.URL}, Base: resilience.NewBase(), Retry: quick})
		if _, _, err := do(t.Context(), t, client, http.MethodGet, server.URL+"/first", ""); err != nil { // a connection to be used again
			t.Fatal(err)
		}
		test.call.Stats = new(resilience.Stats)
		req, err := http.NewRequestWithContext(resilience.With(t.Context(), test.call), http.MethodPost, server.URL, strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(test.header, test.value)
		if resp, err := client.Do(req); err == nil {
			resp.Body.Close()
			t.Errorf("%s: it answered", test.name)
		}
		if done.Load() != 1 || test.call.Stats.Attempts != 1 || !test.call.Stats.Doubtful {
			t.Errorf("%s: done %d times, %+v", test.name, done.Load(), test.call.Stats)
		}
		client.CloseIdleConnections()
		server.Close()
	}
}

// Probes that say nothing of the service are no reason for a longer cooldown.
func TestProbesWithoutAVerdictCostNoTime(t *testing.T) {
	for name, behave := range map[string]roundTripper{
		"cancelled": func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() },
		"no token":  func(*http.Request) (*http.Response, error) { return nil, hopeless{} },
	} {
		synctest.Test(t, func(t *testing.T) {
			transport, u := newBroken(t)
			u.becomes(behave)
			for range 9 {
				time.Sleep(3 * time.Second)
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				_, err := send(ctx, t, transport, http.MethodGet)
				cancel()
				if s := transport.Snapshot().Breakers[0]; err == nil || s.State != resilience.Open || s.RetryAfter > 2500*time.Millisecond {
					t.Fatalf("%s: %v, %+v", name, err, s)
				}
			}
		})
	}
}

// hopeless is an error that no repetition helps against.
type hopeless struct{}

func (hopeless) Error() string { return "nobody is signed in" }
func (hopeless) NoRetry() bool { return true }

// An origin has one gate, however its port is spelled.
func TestOneGateForOneOrigin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		transport := newTransport(t, func(r *http.Request) (*http.Response, error) { sent++; return answer(r, 429, "300"), nil })
		for _, url := range []string{site, site + ":443", "https://API.example", "https://API.example:443"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			if resp, err := transport.RoundTrip(req); err == nil {
				resp.Body.Close()
			}
		}
		if sent != 1 {
			t.Errorf("%d requests", sent)
		}
	})
}

// An answer of just the length that is kept is whole.
func TestKeptAnswerOfFullLength(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, length := range []int{64<<10 - 1, 64 << 10, 64<<10 + 1} {
			var transport *resilience.Transport
			transport = newTransport(t, func(r *http.Request) (*http.Response, error) {
				resp := answer(r, 503, "")
				resp.Body = io.NopCloser(strings.NewReader(strings.Repeat("x", length)))
				return resp, nil
			}, func(o *resilience.Options) {
				o.Hooks.Retry = func(e resilience.RetryEvent) { transport.Hold(e.Request, time.Hour) } // so there is none
			})
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := transport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if got != int64(min(length, 64<<10)) || (err == nil) != (length <= 64<<10) {
				t.Errorf("%d bytes: read %d, %v", length, got, err)
			}
		}
	})
}
