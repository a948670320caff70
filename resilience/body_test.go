package resilience_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/msptoolbelt/toolbelt/resilience"
)

func TestResponseSize(t *testing.T) {
	tests := []struct {
		size, limit int64
		want        error
	}{
		{1000, 1000, nil}, {1001, 1000, resilience.ErrResponseTooLarge}, {0, 1000, nil}, {999, 1000, nil},
		{1 << 20, 1000, resilience.ErrResponseTooLarge}, {1 << 20, -1, nil}, {1 << 20, 0, nil}, {1000, math.MaxInt64, nil},
	}
	for _, test := range tests {
		server, _ := serve(t, func(_ int64, w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(make([]byte, test.size)) // the client hangs up
		})
		client := newClient(t, resilience.Options{Hosts: []string{server.URL}, Limits: resilience.Limits{MaxResponseBytes: test.limit}})
		_, text, err := do(t.Context(), t, client, "GET", server.URL, "")
		if !errors.Is(err, test.want) || test.want == nil && int64(len(text)) != test.size || test.limit > 0 && int64(len(text)) > test.limit {
			t.Errorf("%d of %d: %d bytes, %v", test.size, test.limit, len(text), err)
		}
	}
}

func TestResponseSizeCountsAfterDecompression(t *testing.T) {
	var bomb bytes.Buffer
	packer := gzip.NewWriter(&bomb)
	if _, err := packer.Write(make([]byte, 10<<20)); err != nil {
		t.Fatal(err)
	}
	if err := packer.Close(); err != nil {
		t.Fatal(err)
	}
	server, _ := serve(t, func(_ int64, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes()) // the client hangs up
	})
	client := newClient(t, resilience.Options{Hosts: []string{server.URL}})
	ctx := resilience.With(t.Context(), resilience.Call{MaxResponseBytes: 1 << 20})
	_, text, err := do(ctx, t, client, "GET", server.URL, "")
	if !errors.Is(err, resilience.ErrResponseTooLarge) || len(text) != 1<<20 {
		t.Errorf("%d bytes, %v", len(text), err)
	}
}

// contexts has the two cases that attempts treat differently: a deadline that
// comes before the attempt's own timeout makes a context of its own needless.
func contexts(t *testing.T) map[string]context.Context {
	t.Helper()
	soon, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return map[string]context.Context{"no deadline": t.Context(), "deadline": soon}
}

func TestStalledBody(t *testing.T) {
	server, _ := serve(t, func(_ int64, w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "some")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	client := newClient(t, resilience.Options{Hosts: []string{server.URL}, Limits: resilience.Limits{BodyIdleTimeout: 20 * time.Millisecond}})
	for name, ctx := range contexts(t) {
		_, text, err := do(ctx, t, client, "GET", server.URL, "")
		if !errors.Is(err, resilience.ErrBodyIdle) || errors.Is(err, context.Canceled) || text != "some" {
			t.Errorf("%s: %q, %v", name, text, err)
		}
		if timeout, ok := errors.AsType[net.Error](err); !ok || !timeout.Timeout() {
			t.Errorf("%s: %v is not a timeout", name, err)
		}
	}
}

// Each of several reads that are under way has its own time, and a quarter more
// at most.
func TestStalledBodiesTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bodies := make(map[string]*io.PipeReader)
		transport := newTransport(t, func(r *http.Request) (*http.Response, error) {
			resp := answer(r, 200, "")
			resp.Body = bodies[r.URL.Path]
			return resp, nil
		}, func(o *resilience.Options) { o.Limits.BodyIdleTimeout = 10 * time.Second })
		start := time.Now()
		type stop struct {
			path  string
			after time.Duration
		}
		stops := make(chan stop, 2)
		read := func(path string) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.example"+path, nil)
			if err != nil {
				t.Error(err)
				return
			}
			resp, err := transport.RoundTrip(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if _, err := io.Copy(io.Discard, resp.Body); !errors.Is(err, resilience.ErrBodyIdle) {
				t.Errorf("%s: %v", path, err)
			}
			stops <- stop{path, time.Since(start)}
		}
		first, feed := io.Pipe()
		second, _ := io.Pipe()
		bodies["/first"], bodies["/second"] = first, second
		go read("/first")
		time.Sleep(4 * time.Second)
		go read("/second")
		time.Sleep(4 * time.Second)
		if _, err := feed.Write([]byte("some")); err != nil {
			t.Fatal(err)
		}
		for _, want := range []stop{{"/second", 14 * time.Second}, {"/first", 18 * time.Second}} {
			if got := <-stops; got.path != want.path || got.after < want.after || got.after > want.after+2500*time.Millisecond {
				t.Errorf("%v, want %v", got, want)
			}
		}
	})
}

// A slow reader is not a stalled server.
func TestSlowReaderIsNotCutOff(t *testing.T) {
	server, _ := serve(t, func(_ int64, w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1<<20)) })
	client := newClient(t, resilience.Options{Hosts: []string{server.URL}, Limits: resilience.Limits{BodyIdleTimeout: 20 * time.Millisecond}})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for range 3 {
		time.Sleep(30 * time.Millisecond)
		if _, err := io.CopyN(io.Discard, resp.Body, 1000); err != nil {
			t.Fatal(err)
		}
	}
}

// Failed answers are read to their end and closed, so that one connection
// serves all attempts, and nothing is left behind. (A machine that is too busy
// to read 64 KiB in the time for draining may need another one.)
func TestConnectionsAreUsedAgain(t *testing.T) {
	var connections, calls atomic.Int64
	page := strings.Repeat("x", 64<<10)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1)%2 == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = io.WriteString(w, page)
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	before := runtime.NumGoroutine()
	base := resilience.NewBase()
	retry := quick
	retry.BaseDelay = time.Microsecond
	client := newClient(t, resilience.Options{Hosts: []string{server.URL}, Base: base, Retry: retry})
	for range 100 {
		status, text, err := do(t.Context(), t, client, "GET", server.URL, "")
		if err != nil || status != 200 || text != page {
			t.Fatalf("%d %v", status, err)
		}
	}
	if connections.Load() > 3 || calls.Load() != 200 {
		t.Errorf("%d connections for %d requests", connections.Load(), calls.Load())
	}
	client.CloseIdleConnections()
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

// An endless error page does not hold up the repetition.
func TestEndlessErrorPage(t *testing.T) {
	server, count := serve(t, func(n int64, w http.ResponseWriter, r *http.Request) {
		if n%2 == 0 {
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "drip")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	client := newClient(t, resilience.Options{Hosts: []string{server.URL}, Retry: quick})
	for name, ctx := range contexts(t) {
		start := time.Now()
		status, _, err := do(ctx, t, client, "GET", server.URL, "")
		if err != nil || status != 200 || count.Load()%2 != 0 || time.Since(start) > 2*time.Second {
			t.Errorf("%s: %d %v after %v", name, status, err, time.Since(start))
		}
	}
}

func TestCallersRequestIsNotChanged(t *testing.T) {
	server, _ := serve(t, func(n int64, w http.ResponseWriter, _ *http.Request) {
		if n < 3 {
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
	transport, err := resilience.New(resilience.Options{Hosts: []string{server.URL}, Retry: quick})
	if err != nil {
		t.Fatal(err)
	}
	payload := make([]byte, 100)
	if _, err := rand.Read(payload); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, bytes.NewReader(payload))
	if err != nil {
		t.Fatal(err)
	}
	body, ctx := req.Body, req.Context()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if req.Body != body || req.Context() != ctx || len(req.Header) != 0 || req.ContentLength != 100 {
		t.Error("the request was changed")
	}
}
