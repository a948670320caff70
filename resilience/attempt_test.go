package resilience_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/msptoolbelt/toolbelt/resilience"
)

// A write is watched to tell whether it was sent. What one was seen doing does
// not count for the next, though they share what watches them.
func TestWatchingBeginsAnewWithEachRequest(t *testing.T) {
	broken := errors.New("broken")
	attempts, outcome := 0, ""
	transport := newTransport(t, func(r *http.Request) (*http.Response, error) {
		if attempts++; attempts > 1 {
			return answer(r, 200, ""), nil
		}
		trace := httptrace.ContextClientTrace(r.Context())
		if outcome == "strange" {
			return nil, broken // it knows of no traces
		}
		trace.GetConn("api.example:443")
		switch outcome {
		case "no connection":
			return nil, broken
		case "no connection in time":
			return nil, os.ErrDeadlineExceeded
		}
		trace.GotConn(httptrace.GotConnInfo{})
		trace.WroteHeaders()
		if outcome == "cut" {
			return nil, broken
		}
		return answer(r, 200, ""), nil
	}, func(o *resilience.Options) {
		o.Retry.BaseDelay, o.Retry.Budget = time.Nanosecond, -1
		o.Breaker.Consecutive, o.Breaker.MinRequests = 1000, 1_000_000
	})
	repeated := map[string]bool{"good": false, "no connection": true, "no connection in time": true, "cut": false, "strange": false}
	for range 300 {
		for outcome = range repeated {
			attempts = 0
			_, err := send(t.Context(), t, transport, http.MethodPost)
			if again := attempts > 1; again != repeated[outcome] || (err == nil) != (again || outcome == "good") {
				t.Fatalf("%s: %d attempts, %v", outcome, attempts, err)
			}
		}
	}
}

// A caller that watches its own request sees it, and no other, however often
// what watches them for us is used again.
func TestCallersTraceSeesItsOwnRequest(t *testing.T) {
	type key struct{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "fine") }))
	defer server.Close()
	var values []any
	base := server.Client().Transport
	transport := newTransport(t, func(r *http.Request) (*http.Response, error) {
		values = append(values, r.Context().Value(key{}))
		return base.RoundTrip(r)
	}, func(o *resilience.Options) { o.Hosts = []string{server.URL} })
	var seen [100]int
	for i := range seen {
		ctx := context.WithValue(t.Context(), key{}, i)
		if i%2 == 0 {
			ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { seen[i]++ }})
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	for i, n := range seen {
		if n != 1-i%2 || values[i] != i {
			t.Fatalf("request %d was seen %d times, with %v", i, n, values[i])
		}
	}
}

// An attempt ends after its time or at the caller's deadline, whichever comes
// first, however long ago the last answer was.
func TestAttemptTimeoutAndDeadline(t *testing.T) {
	const timeout = 10 * time.Second
	for _, since := range []time.Duration{-1, 0, time.Second, time.Hour} { // the last answer; none
		for _, deadline := range []time.Duration{timeout - time.Millisecond, timeout + time.Millisecond, 3 * timeout} {
			synctest.Test(t, func(t *testing.T) {
				base := always(200)
				transport := newTransport(t, func(r *http.Request) (*http.Response, error) { return base(r) }, func(o *resilience.Options) {
					o.Retry.AttemptTimeout, o.Retry.MaxAttempts = timeout, 1
				})
				if since >= 0 {
					if _, err := send(t.Context(), t, transport, "GET"); err != nil {
						t.Fatal(err)
					}
					time.Sleep(since)
				}
				base = hang
				ctx, cancel := context.WithTimeout(t.Context(), deadline)
				defer cancel()
				start := time.Now()
				_, err := send(ctx, t, transport, "GET")
				want := context.DeadlineExceeded
				if deadline > timeout {
					want = resilience.ErrAttemptTimeout
				}
				if took := time.Since(start); !errors.Is(err, want) || took != min(timeout, deadline) {
					t.Errorf("%v after an answer, %v before the deadline: %v after %v", since, deadline, err, took)
				}
			})
		}
	}
}

// The answer is to the request of the caller, and not to a copy which has the
// token that a transport below has added.
func TestAnswerKnowsTheCallersRequest(t *testing.T) {
	transport := newTransport(t, func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer fictional")
		return answer(r, 200, ""), nil
	})
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		req, err := http.NewRequestWithContext(t.Context(), method, site, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.Request != req {
			t.Errorf("%s: the answer is to %v", method, resp.Request.Header)
		}
	}
}

// Without Options.Keys each host fails for itself, also when requests to them
// take turns.
func TestHostsFailForThemselves(t *testing.T) {
	const dead, alive = "https://dead.example", "https://alive.example"
	transport := newTransport(t, func(r *http.Request) (*http.Response, error) {
		if r.URL.Host == "dead.example" {
			return answer(r, 503, ""), nil
		}
		return answer(r, 200, ""), nil
	}, func(o *resilience.Options) {
		o.Hosts = []string{dead, alive}
		o.Retry.MaxAttempts, o.Breaker.Consecutive = 1, 3
	})
	var refused int
	for range 10 {
		for _, url := range []string{dead, alive} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := transport.RoundTrip(req)
			if err == nil {
				resp.Body.Close()
			} else if url == alive {
				t.Fatal(err)
			} else {
				refused++
			}
		}
	}
	if refused != 7 {
		t.Errorf("%d of 10 requests to the dead host were refused, want 7", refused)
	}
}
