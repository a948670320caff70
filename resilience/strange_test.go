package resilience_test

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/msptoolbelt/toolbelt/resilience"
)

// A hook that panics whenever the breaker changes costs the request, but no
// body and no place.
func TestPanicOfTheStateHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := 0
		base := func(r *http.Request) (*http.Response, error) {
			open++
			resp := answer(r, 503, "")
			resp.Body = &counted{Reader: resp.Body, closed: func() { open-- }}
			return resp, nil
		}
		transport := newTransport(t, base, func(o *resilience.Options) {
			o.Breaker.Consecutive = 1
			o.Hooks.State = func(resilience.StateEvent) { panic("on purpose") }
		})
		for range 3 {
			func() {
				defer func() {
					if recover() == nil {
						t.Error("nothing panicked")
					}
				}()
				_, _ = send(t.Context(), t, transport, http.MethodGet)
			}()
			time.Sleep(time.Minute)
		}
		if s := transport.Snapshot().Throttles[0]; s.InFlight != 0 || open != 0 {
			t.Errorf("%d in flight, %d bodies are open", s.InFlight, open)
		}
	})
}

// Bases that are not net/http's may leave the body out.
func TestAnswerWithoutABody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		transport := newTransport(t, func(r *http.Request) (*http.Response, error) {
			calls++
			return &http.Response{StatusCode: http.StatusServiceUnavailable, Request: r}, nil
		})
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if text, err := io.ReadAll(resp.Body); err != nil || len(text) != 0 || calls != 4 {
			t.Errorf("%q, %v after %d calls", text, err, calls)
		}
	})
}

// Who copies a kept answer learns that the rest of it is missing.
func TestKeptPartDoesNotLookWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var transport *resilience.Transport
		transport = newTransport(t, func(r *http.Request) (*http.Response, error) {
			resp := answer(r, 503, "")
			resp.Body = io.NopCloser(strings.NewReader(strings.Repeat("x", 100<<10)))
			return resp, nil
		}, func(o *resilience.Options) {
			o.Hooks.Retry = func(e resilience.RetryEvent) { transport.Hold(e.Request, time.Hour) } // then there is no repetition
		})
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if n, err := io.Copy(io.Discard, resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) || n != 64<<10 {
			t.Errorf("%d bytes, %v", n, err)
		}
	})
}

// A write that was cancelled when it was on its way may have been done; one that
// never left has not.
func TestCancelledWriteIsDoubtful(t *testing.T) {
	for name, test := range map[string]struct {
		cancelled, doubtful bool
	}{
		"on its way": {false, true}, "before": {true, false},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			server, _ := serve(t, func(int64, http.ResponseWriter, *http.Request) { cancel(); time.Sleep(10 * time.Millisecond) })
			client := newClient(t, resilience.Options{Hosts: []string{server.URL}})
			if test.cancelled {
				cancel()
			}
			for _, method := range []string{"POST", "PUT"} {
				var stats resilience.Stats
				_, _, err := do(resilience.With(ctx, resilience.Call{Stats: &stats}), t, client, method, server.URL, "{}")
				if !errors.Is(err, context.Canceled) || stats.Doubtful != test.doubtful {
					t.Errorf("%s: %v, %+v", method, err, stats)
				}
				if !test.cancelled {
					break // the context is used up
				}
			}
		})
	}
}

// A request whose turn is lost again and again does not wait longer than one
// that waits for its turn once.
func TestPatienceIsNotRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := newTransport(t, always(200), func(o *resilience.Options) { o.Limits.MaxInFlight = 1 })
		request := func() *http.Request {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		held, err := transport.RoundTrip(request()) // has the only place
		if err != nil {
			t.Fatal(err)
		}
		transport.Hold(request(), 50*time.Second)
		time.AfterFunc(53*time.Second, func() { transport.Hold(request(), 50*time.Second) })
		time.AfterFunc(55*time.Second, func() { held.Body.Close() })
		start := time.Now()
		_, err = send(t.Context(), t, transport, http.MethodGet)
		if _, ok := errors.AsType[*resilience.ThrottledError](err); !ok || time.Since(start) > time.Minute {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// Options that say "no limit" do not wrap around.
func TestHugeOptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport, u := newBroken(t, func(o *resilience.Options) {
			o.Retry.AttemptTimeout, o.Retry.MaxRetryAfter = math.MaxInt64, math.MaxInt64
		})
		u.becomes(func(r *http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			return answer(r, 200, ""), nil
		})
		time.Sleep(3 * time.Second)
		go func() { _, _ = send(t.Context(), t, transport, http.MethodGet) }() // the probe
		time.Sleep(time.Second / 2)
		if !isOpen(t, transport) { // must not take the probe for lost
			t.Error("a second probe")
		}
		time.Sleep(time.Second)
		if isOpen(t, transport) {
			t.Error("the probe did not count")
		}
	})
}

// What a request took includes what led to a redirect.
func TestStatsOfARedirectedWrite(t *testing.T) {
	server, _ := serve(t, func(n int64, w http.ResponseWriter, r *http.Request) {
		switch n {
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 2:
			http.Redirect(w, r, "/elsewhere", http.StatusPermanentRedirect)
		}
	})
	client := newClient(t, resilience.Options{Hosts: []string{server.URL}, Retry: quick})
	var stats resilience.Stats
	ctx := resilience.With(t.Context(), resilience.Call{Stats: &stats})
	if status, _, err := do(ctx, t, client, http.MethodPut, server.URL, "x"); err != nil || status != 200 || stats.Attempts != 3 || !stats.Doubtful {
		t.Errorf("%d %v, %+v", status, err, stats)
	}
}

// A key that is being waited for, or used, is not forgotten while there are idle
// ones.
func TestBusyKeysAreRememberedLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := newTransport(t, always(200), func(o *resilience.Options) {
			o.MaxKeys = 4
			o.Keys = func(r *http.Request) resilience.Keys {
				return resilience.Keys{Breaker: site, Throttle: r.URL.Query().Get("key")}
			}
		})
		get := func(key string) (*http.Response, error) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site+"/?key="+url.QueryEscape(key), http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			if key == "throttled" {
				transport.Hold(r, time.Hour)
			}
			return transport.RoundTrip(r)
		}
		held, err := get("in use")
		if err != nil {
			t.Fatal(err)
		}
		defer held.Body.Close()
		for _, key := range []string{"throttled", "a", "b", "c", "d", "e", "f"} {
			if resp, err := get(key); err == nil {
				resp.Body.Close()
			}
		}
		var keys []string
		for _, s := range transport.Snapshot().Throttles {
			keys = append(keys, s.Key)
		}
		if want := []string{"f", "e", "throttled", "in use"}; !slices.Equal(keys, want) {
			t.Errorf("%q", keys)
		}
	})
}

// Who has just enough time for the gate gets through it.
func TestJitterLeavesTimeForTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := newTransport(t, always(200))
		for range 20 {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second+100*time.Millisecond)
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, site, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			transport.Hold(r, 10*time.Second)
			if _, err := send(ctx, t, transport, http.MethodGet); err != nil {
				t.Error(err)
			}
			cancel()
		}
	})
}

// Who has just enough time for the Retry-After repeats the request.
func TestRepetitionInTheNickOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 20 {
			calls := 0
			transport := newTransport(t, func(r *http.Request) (*http.Response, error) {
				if calls++; calls == 1 {
					return answer(r, 429, "10"), nil
				}
				return answer(r, 200, ""), nil
			}, func(o *resilience.Options) { o.Retry.BaseDelay = time.Millisecond })
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second+100*time.Millisecond)
			if status, err := send(ctx, t, transport, http.MethodGet); status != 200 {
				t.Error(status, err)
			}
			cancel()
		}
	})
}

// A key that was forgotten and met again is held, though the last request was
// one of its own.
func TestHoldAfterForgetting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := newTransport(t, always(200), func(o *resilience.Options) {
			o.MaxKeys = 2
			o.Keys = func(r *http.Request) resilience.Keys { return resilience.Keys{Breaker: "b", Throttle: r.URL.Path} }
		})
		request := func(path string) *http.Request {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.example"+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			return req
		}
		call := func() time.Duration {
			start := time.Now()
			resp, err := transport.RoundTrip(request("/a"))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			return time.Since(start)
		}
		call()
		transport.Hold(request("/b"), time.Second)
		transport.Hold(request("/c"), time.Second)
		transport.Hold(request("/a"), 10*time.Second)
		if waited := call(); waited < 10*time.Second {
			t.Errorf("waited for %s", waited)
		}
	})
}
