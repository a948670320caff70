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
	"time"

	"github.com/msptoolbelt/toolbelt/resilience"
)

// quick makes waits short; the defaults are tried in a bubble of fake time.
var quick = resilience.RetryPolicy{BaseDelay: time.Millisecond, MaxDelay: 5 * time.Millisecond}

func newClient(t *testing.T, options resilience.Options) *http.Client {
	t.Helper()
	transport, err := resilience.New(options)
	if err != nil {
		t.Fatal(err)
	}
	return transport.Client()
}

// serve starts a server whose nth request (from 1) is answered by handle.
func serve(t *testing.T, handle func(n int64, w http.ResponseWriter, r *http.Request)) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	var count atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handle(count.Add(1), w, r)
	}))
	t.Cleanup(server.Close)
	return server, &count
}

func do(ctx context.Context, t *testing.T, c *http.Client, method, url, body string) (int, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

func TestRepeatsByStatusAndMethod(t *testing.T) {
	no := false
	yes := true
	tests := []struct {
		name   string
		method string
		status int
		header string // of the request, "Name: value"
		call   resilience.Call
		want   int64 // requests
	}{
		{"GET 503", "GET", 503, "", resilience.Call{}, 4},
		{"GET 502", "GET", 502, "", resilience.Call{}, 4},
		{"GET 504", "GET", 504, "", resilience.Call{}, 4},
		{"GET 408", "GET", 408, "", resilience.Call{}, 4},
		{"GET 500", "GET", 500, "", resilience.Call{}, 1},
		{"GET 404", "GET", 404, "", resilience.Call{}, 1},
		{"GET 501", "GET", 501, "", resilience.Call{}, 1},
		{"HEAD 503", "HEAD", 503, "", resilience.Call{}, 4},
		{"PUT 503", "PUT", 503, "", resilience.Call{}, 4},
		{"DELETE 503", "DELETE", 503, "", resilience.Call{}, 4},
		{"POST 503", "POST", 503, "", resilience.Call{}, 1},
		{"PATCH 503", "PATCH", 503, "", resilience.Call{}, 1},
		{"POST 429", "POST", 429, "", resilience.Call{}, 4},
		{"POST 509", "POST", 509, "", resilience.Call{}, 4},
		{"PATCH 503 with a version", "PATCH", 503, `If-Match: "7"`, resilience.Call{}, 4},
		{"PATCH 503 with any version", "PATCH", 503, `If-Match: *`, resilience.Call{}, 1},
		{"POST 503 with a version", "POST", 503, `If-Match: "7"`, resilience.Call{}, 1},
		{"POST 503 with a key", "POST", 503, `Idempotency-Key: a1`, resilience.Call{}, 4},
		{"POST 503 said to be idempotent", "POST", 503, "", resilience.Call{Idempotent: &yes}, 4},
		{"GET 503 said not to be", "GET", 503, "", resilience.Call{Idempotent: &no}, 1},
		{"GET 503 twice at most", "GET", 503, "", resilience.Call{MaxAttempts: 2}, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server, count := serve(t, func(_ int64, w http.ResponseWriter, r *http.Request) {
				text, err := io.ReadAll(r.Body)
				if err != nil || string(text) != "payload" {
					t.Errorf("body %q, %v", text, err)
				}
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, "why")
			})
			client := newClient(t, resilience.Options{Hosts: []string{server.URL}, Retry: quick})
			var stats resilience.Stats
			test.call.Stats = &stats
			req, err := http.NewRequestWithContext(resilience.With(t.Context(), test.call), test.method, server.URL, strings.NewReader("payload"))
			if err != nil {
				t.Fatal(err)
			}
			if name, value, ok := strings.Cut(test.header, ": "); ok {
				req.Header.Set(name, value)
			}
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			text, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != test.status || string(text) != "why" && test.method != "HEAD" {
				t.Errorf("final answer: %d %q %v", resp.StatusCode, text, err)
			}
			if count.Load() != test.want || int64(stats.Attempts) != test.want {
				t.Errorf("requests = %d, stats say %d, want %d", count.Load(), stats.Attempts, test.want)
			}
		})
	}
}

func TestSucceedsAfterFailures(t *testing.T) {
	server, count := serve(t, func(n int64, w http.ResponseWriter, r *http.Request) {
		if n < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		text, _ := io.ReadAll(r.Body)
		_, _ = w.Write(text)
	})
	client := newClient(t, resilience.Options{Hosts: []string{server.URL}, Retry: quick})
	status, text, err := do(t.Context(), t, client, "PUT", server.URL, "again")
	if err != nil || status != 200 || text != "again" || count.Load() != 3 {
		t.Errorf("%d %q %v after %d requests", status, text, err, count.Load())
	}
}

func TestHostsAreRequired(t *testing.T) {
	for _, hosts := range [][]string{nil, {"graph.microsoft.com"}, {"http://graph.microsoft.com"}, {"https://user@graph.microsoft.com"}, {"://"}} {
		if _, err := resilience.New(resilience.Options{Hosts: hosts}); err == nil {
			t.Errorf("%q is accepted", hosts)
		}
	}
	if _, err := resilience.New(resilience.Options{Hosts: []string{"http://graph.microsoft.com"}}); !errors.Is(err, resilience.ErrInsecureURL) {
		t.Errorf("error = %v", err)
	}
}
