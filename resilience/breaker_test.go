package resilience_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/msptoolbelt/toolbelt/resilience"
)

// upstream is a base that can be told how to behave.
type upstream struct {
	mu     sync.Mutex
	calls  int
	behave roundTripper
}

func (u *upstream) RoundTrip(r *http.Request) (*http.Response, error) {
	u.mu.Lock()
	u.calls++
	behave := u.behave
	u.mu.Unlock()
	return behave(r)
}

func (u *upstream) becomes(f roundTripper) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.behave, u.calls = f, 0
}

// always answers every request with the same status.
func always(code int) roundTripper {
	return func(r *http.Request) (*http.Response, error) { return answer(r, code, ""), nil }
}

func hang(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, context.Cause(r.Context())
}

// newBroken returns a transport whose breaker has just opened.
func newBroken(t *testing.T, change ...func(*resilience.Options)) (*resilience.Transport, *upstream) {
	t.Helper()
	u := &upstream{behave: always(503)}
	once := func(o *resilience.Options) { o.Retry.MaxAttempts = 1 }
	transport := newTransport(t, u.RoundTrip, append([]func(*resilience.Options){once}, change...)...)
	for range 10 {
		if _, err := send(t.Context(), t, transport, "GET"); err != nil {
			t.Fatal(err)
		}
	}
	if !isOpen(t, transport) {
		t.Fatal("ten failures in a row did not open the breaker")
	}
	return transport, u
}

func isOpen(t *testing.T, transport *resilience.Transport) bool {
	t.Helper()
	_, err := send(t.Context(), t, transport, "GET")
	open, ok := errors.AsType[*resilience.OpenError](err)
	if ok && (open.RetryAfter <= 0 || open.Key != "api.example") {
		t.Errorf("%+v", open)
	}
	return ok
}

func TestBreakerOpensProbesAndCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var states []string
		transport, u := newBroken(t, func(o *resilience.Options) {
			o.Hooks.State = func(e resilience.StateEvent) { states = append(states, fmt.Sprintf("%s→%s", e.From, e.To)) }
		})
		if u.calls != 10 {
			t.Errorf("%d calls reached the server", u.calls)
		}
		for range 5 { // probes that fail
			time.Sleep(3 * time.Second)
			if _, err := send(t.Context(), t, transport, "GET"); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(3 * time.Second) // the cooldown has doubled only now
		if !isOpen(t, transport) {
			t.Error("five failed probes did not open it for longer")
		}
		time.Sleep(2 * time.Second)
		u.becomes(always(200))
		for range 5 {
			if _, err := send(t.Context(), t, transport, "GET"); err != nil {
				t.Error(err)
			}
		}
		want := append([]string{"closed→open"}, slices.Repeat([]string{"open→half-open", "half-open→open"}, 5)...)
		want = append(want, "open→half-open", "half-open→closed")
		if !slices.Equal(states, want) {
			t.Errorf("states %v", states)
		}
	})
}

func TestOneProbeAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport, u := newBroken(t)
		u.becomes(func(r *http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			return answer(r, 200, ""), nil
		})
		time.Sleep(3 * time.Second)
		var all sync.WaitGroup
		for range 64 {
			all.Go(func() {
				if _, err := send(t.Context(), t, transport, "GET"); err != nil && !errors.As(err, new(*resilience.OpenError)) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if u.calls != 1 {
			t.Errorf("%d probes", u.calls)
		}
	})
}

// Nothing that can happen to a probe keeps the breaker from trying again.
func TestProbeCannotWedgeTheBreaker(t *testing.T) {
	deaf := make(chan struct{})
	tests := map[string]struct {
		behave roundTripper
		wait   time.Duration // until the next probe must be possible
	}{
		"hangs":              {hang, 3 * time.Second},
		"is cancelled":       {func(*http.Request) (*http.Response, error) { return nil, context.Canceled }, 6 * time.Second},
		"panics":             {func(*http.Request) (*http.Response, error) { panic("probe") }, 6 * time.Second},
		"ends its goroutine": {nil, 6 * time.Second},
		"ignores its end":    {func(*http.Request) (*http.Response, error) { <-deaf; return nil, errors.New("late") }, 110 * time.Second},
		"gets a 429":         {always(429), 0},
		"is not allowed":     {func(*http.Request) (*http.Response, error) { return nil, finalError{errors.New("no token")} }, 6 * time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				deaf = make(chan struct{})
				transport, u := newBroken(t)
				time.Sleep(3 * time.Second)
				u.becomes(test.behave)
				if test.behave == nil {
					u.becomes(func(*http.Request) (*http.Response, error) { runtime.Goexit(); return nil, nil })
				}
				probe := make(chan struct{})
				go func() {
					defer close(probe)
					defer func() { _ = recover() }()
					if status, err := send(t.Context(), t, transport, "GET"); err == nil && status != 429 {
						t.Errorf("the probe got %d", status)
					}
				}()
				synctest.Wait()
				if name != "ignores its end" {
					<-probe
				}
				u.becomes(always(200))
				time.Sleep(test.wait)
				if name == "ignores its end" && !isOpen(t, transport) { // the next caller finds that it is lost
					t.Error("the lost probe counted as a success")
				}
				time.Sleep(test.wait)
				if isOpen(t, transport) {
					t.Error("still open")
				}
				close(deaf)
				<-probe
			})
		})
	}
}

func TestWhatNeverCounts(t *testing.T) {
	cancelled := func(r *http.Request) (*http.Response, error) { return nil, r.Context().Err() }
	tests := map[string]roundTripper{
		"429": always(429), "400": always(400), "404": always(404), "409": always(409), "500": always(500), "cancelled caller": cancelled,
	}
	for name, behave := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &upstream{behave: behave}
				transport := newTransport(t, u.RoundTrip, func(o *resilience.Options) { o.Retry.MaxAttempts = 1 })
				for range 100 {
					ctx, cancel := context.WithCancel(t.Context())
					if name == "cancelled caller" {
						cancel()
					}
					if _, err := send(ctx, t, transport, "GET"); errors.As(err, new(*resilience.OpenError)) {
						t.Fatal(err)
					}
					cancel()
				}
			})
		})
	}
}

// A cancelled caller must not end a streak of failures either.
func TestCancelledCallerDoesNotHideAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{behave: func(r *http.Request) (*http.Response, error) {
			if err := r.Context().Err(); err != nil {
				return nil, err
			}
			return answer(r, 503, ""), nil
		}}
		transport := newTransport(t, u.RoundTrip, func(o *resilience.Options) { o.Retry.MaxAttempts = 1; o.Breaker.FailureRatio = 2 })
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		for range 10 {
			if _, err := send(gone, t, transport, "GET"); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			time.Sleep(20 * time.Second) // longer than the window: the streak does not forget
			if _, err := send(t.Context(), t, transport, "GET"); err != nil {
				t.Fatal(err)
			}
		}
		if !isOpen(t, transport) {
			t.Error("the breaker is closed")
		}
	})
}

// Thirty failures in a hundred are survivable; seventy are not.
func TestBreakerRatio(t *testing.T) {
	for _, test := range []struct {
		bad  int
		open bool
	}{{3, false}, {7, true}} {
		synctest.Test(t, func(t *testing.T) {
			n := 0
			u := &upstream{behave: func(r *http.Request) (*http.Response, error) {
				n++
				if n*test.bad%10 < test.bad {
					return answer(r, 503, ""), nil
				}
				return answer(r, 200, ""), nil
			}}
			transport := newTransport(t, u.RoundTrip, func(o *resilience.Options) { o.Retry.MaxAttempts = 1 })
			opened := false
			for range 200 {
				if _, err := send(t.Context(), t, transport, "GET"); errors.As(err, new(*resilience.OpenError)) {
					opened = true
				}
			}
			if opened != test.open {
				t.Errorf("%d of 10 fail: opened %t", test.bad, opened)
			}
		})
	}
}

// What succeeded in the window before the first failure counts; what succeeded
// before that window does not.
func TestBreakerRatioBeforeTheFirstFailure(t *testing.T) {
	for _, test := range []struct {
		name  string
		pause time.Duration // between the successes and the failures
		bad   int           // failures that the breaker bears
	}{
		{"lately", 9 * time.Second, 149}, // of 100 + 149 are fewer than 60 %
		{"long ago", 11 * time.Second, 49},
	} {
		synctest.Test(t, func(t *testing.T) {
			u := &upstream{behave: always(200)}
			transport := newTransport(t, u.RoundTrip, func(o *resilience.Options) {
				o.Retry.MaxAttempts = 1
				o.Breaker.Consecutive = 1000
			})
			call := func() {
				t.Helper()
				if _, err := send(t.Context(), t, transport, "GET"); err != nil {
					t.Fatal(test.name, err)
				}
			}
			for range 100 {
				call()
			}
			time.Sleep(test.pause)
			u.becomes(always(503))
			for range test.bad {
				call()
			}
			if isOpen(t, transport) { // with one failure more
				t.Errorf("%s: open after %d failures", test.name, test.bad)
			}
			if !isOpen(t, transport) {
				t.Errorf("%s: closed after %d failures", test.name, test.bad+1)
			}
		})
	}
}

// One failure in a hundred is not three in ten, however few requests it takes to
// judge.
func TestBreakerRatioOfFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		u := &upstream{behave: func(r *http.Request) (*http.Response, error) {
			if n++; n%100 == 0 {
				return answer(r, 503, ""), nil
			}
			return answer(r, 200, ""), nil
		}}
		transport := newTransport(t, u.RoundTrip, func(o *resilience.Options) {
			o.Retry.MaxAttempts = 1
			o.Breaker.MinRequests, o.Breaker.FailureRatio = 2, 0.3
		})
		for range 1000 {
			if _, err := send(t.Context(), t, transport, "GET"); err != nil {
				t.Fatal("after", n, err)
			}
			time.Sleep(time.Millisecond)
		}
	})
}

// Successes between failures count one by one, however many came before.
func TestBreakerRatioBetweenFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		u := &upstream{behave: func(r *http.Request) (*http.Response, error) {
			if n++; n%2 == 0 {
				return answer(r, 503, ""), nil
			}
			return answer(r, 200, ""), nil
		}}
		transport := newTransport(t, u.RoundTrip, func(o *resilience.Options) { o.Retry.MaxAttempts = 1 })
		for range 1000 {
			if _, err := send(t.Context(), t, transport, "GET"); err != nil {
				t.Fatal("every second call fails, and after", n, err)
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
}

// Attempts that outlast the window still count.
func TestSlowFailuresOpenTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{behave: hang}
		transport := newTransport(t, u.RoundTrip, func(o *resilience.Options) { o.Retry.MaxAttempts = 1 })
		for range 10 {
			if _, err := send(t.Context(), t, transport, "GET"); !errors.Is(err, resilience.ErrAttemptTimeout) {
				t.Fatal(err)
			}
		}
		if !isOpen(t, transport) {
			t.Error("the breaker is closed")
		}
	})
}

// The last answer is worth more than the news that the breaker opened.
func TestAnswerIsKeptWhenTheBreakerOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var transport *resilience.Transport
		u := &upstream{behave: always(503)}
		opened := false
		transport = newTransport(t, u.RoundTrip, func(o *resilience.Options) {
			o.Hooks.Retry = func(resilience.RetryEvent) {
				if opened {
					return
				}
				opened = true
				for range 9 { // others bring it down meanwhile
					if _, err := send(resilience.With(t.Context(), resilience.Call{MaxAttempts: 1}), t, transport, "GET"); err != nil {
						t.Error(err)
					}
				}
			}
		})
		status, err := send(t.Context(), t, transport, "GET")
		if err != nil || status != http.StatusServiceUnavailable || !isOpen(t, transport) || u.calls != 10 {
			t.Errorf("%v, %d calls", err, u.calls)
		}
	})
}

func TestKeysAreSeparateAndBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{behave: always(503)}
		transport := newTransport(t, u.RoundTrip, func(o *resilience.Options) {
			o.Keys = func(r *http.Request) resilience.Keys {
				tenant := r.Header.Get("Tenant")
				return resilience.Keys{Breaker: tenant, Throttle: tenant}
			}
			o.Retry.MaxAttempts, o.MaxKeys = 1, 8
		})
		tenant := func(name string) error {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Tenant", name)
			resp, err := transport.RoundTrip(req)
			if err == nil {
				resp.Body.Close()
			}
			return err
		}
		for range 10 {
			if err := tenant("a"); err != nil {
				t.Fatal(err)
			}
		}
		if err := tenant("a"); !errors.As(err, new(*resilience.OpenError)) {
			t.Errorf("a: %v", err)
		}
		for i := range 8 {
			if err := tenant(fmt.Sprint(i)); err != nil {
				t.Errorf("another tenant: %v", err)
			}
		}
		if err := tenant("a"); err != nil {
			t.Errorf("the least recently used key is still known: %v", err)
		}
	})
}

// Whatever a run of good, bad, cancelled, hanging and panicking calls does, a
// healthy server is in use again within two of the longest cooldowns.
func TestBreakerAlwaysRecovers(t *testing.T) {
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			u := &upstream{}
			transport := newTransport(t, u.RoundTrip, func(o *resilience.Options) {
				o.Breaker.Consecutive = 2
				o.Retry.AttemptTimeout = 5 * time.Second
			})
			for range 60 {
				u.becomes([]roundTripper{
					always(200), always(503), always(429), hang, func(*http.Request) (*http.Response, error) { panic("base") },
				}[random.IntN(5)])
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(8000))*time.Millisecond)
				func() {
					defer cancel()
					defer func() { _ = recover() }()
					if status, err := send(ctx, t, transport, []string{"GET", "POST"}[random.IntN(2)]); err == nil && status == 0 {
						t.Error("neither answer nor error")
					}
				}()
				time.Sleep(time.Duration(random.IntN(3000)) * time.Millisecond)
			}
			u.becomes(always(200))
			time.Sleep(40 * time.Second)
			if _, err := send(t.Context(), t, transport, "GET"); err != nil {
				t.Errorf("seed %d: %v", seed, err)
			}
		})
	}
}
