package resilience

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

type baseFunc func(*http.Request) (*http.Response, error)

func (f baseFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// metered is a server of fake time with a quota.
type metered struct {
	mu                sync.Mutex
	quota             quota
	start             time.Time
	accepted, refused int
}

func (m *metered) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(time.Millisecond + rand.N(time.Millisecond))
	m.mu.Lock()
	ok, wait := m.quota.ask(time.Since(m.start))
	if ok {
		m.accepted++
	} else {
		m.refused++
	}
	m.mu.Unlock()
	time.Sleep(time.Millisecond + rand.N(time.Millisecond))
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: r}
	if !ok {
		resp.StatusCode = http.StatusTooManyRequests
		resp.Header.Set("Retry-After", strconv.Itoa(int(wait/time.Second)))
	}
	return resp, nil
}

func get(ctx context.Context, t *testing.T, transport http.RoundTripper, path string) (status int, err error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.example/"+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

func build(t *testing.T, o Options) *Transport {
	t.Helper()
	o.Hosts = []string{"https://api.example"}
	transport, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return transport
}

// Callers who have time all succeed on a server that allows far less than they
// want, which is used to the full, and little is wasted on refusals.
func TestThrottledServerIsUsedToTheFull(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		quota func() quota
		used  float64 // a second, of 100 that are allowed
	}{
		"window":        {func() quota { return &window{allow: 100, period: time.Second, phase: 300 * time.Millisecond} }, 95},
		"bucket":        {func() quota { return &bucket{rate: 100, size: 100, tokens: 100} }, 95},
		"rolling":       {func() quota { return &rolling{allow: 100, span: time.Second} }, 95},
		"starting late": {func() quota { return &bucket{rate: 100, size: 100, tokens: 1} }, 70},
		"five seconds":  {func() quota { return &window{allow: 500, period: 5 * time.Second} }, 95},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := &metered{quota: test.quota(), start: time.Now()}
				transport := build(t, Options{Base: server})
				var failed atomic.Int64
				var workers sync.WaitGroup
				for range 64 {
					workers.Go(func() {
						for time.Since(server.start) < 15*time.Second {
							ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
							if status, err := get(ctx, t, transport, "x"); err != nil || status != http.StatusOK {
								failed.Add(1)
								time.Sleep(time.Second)
							}
							cancel()
						}
					})
				}
				workers.Wait()
				all := float64(server.accepted + server.refused)
				used := float64(server.accepted) / time.Since(server.start).Seconds()
				wasted := 100 * float64(server.refused) / all
				t.Logf("%.1f a second used, %.1f %% wasted", used, wasted)
				if used < test.used || wasted > 5 || failed.Load() > 0 {
					t.Errorf("%.1f of 100 a second used, %.1f %% wasted, %d failed", used, wasted, failed.Load())
				}
			})
		})
	}
}

// The configured pace is never exceeded, in any span of time.
func TestConfiguredPacing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var times []time.Time
		var mu sync.Mutex
		base := baseFunc(func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			times = append(times, time.Now())
			mu.Unlock()
			return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
		})
		transport := build(t, Options{Base: base, Limits: Limits{Pacing: Pacing{Rate: 0.8, Burst: 60}}, Retry: RetryPolicy{MaxRetryAfter: time.Hour}})
		var workers sync.WaitGroup
		for range 400 {
			workers.Go(func() {
				time.Sleep(rand.N(10 * time.Minute))
				if _, err := get(t.Context(), t, transport, "x"); err != nil {
					t.Error(err)
				}
			})
		}
		workers.Wait()
		for range 200 {
			workers.Go(func() {
				if _, err := get(t.Context(), t, transport, "x"); err != nil {
					t.Error(err)
				}
			})
		}
		workers.Wait()
		if len(times) != 600 {
			t.Fatal(len(times))
		}
		for i, first := range times {
			if last := i + 300; last < len(times) && times[last].Sub(first) < 5*time.Minute {
				t.Fatalf("301 requests in %s", times[last].Sub(first))
			}
		}
		// A burst goes at once; who has no time learns when to come again.
		time.Sleep(10 * time.Minute)
		start := time.Now()
		for range 60 {
			if _, err := get(t.Context(), t, transport, "x"); err != nil {
				t.Error(err)
			}
		}
		if d := time.Since(start); d > 0 {
			t.Errorf("a burst took %s", d)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := get(ctx, t, transport, "x")
		refusal, ok := errors.AsType[*ThrottledError](err)
		if !ok || refusal.RetryAfter != 1250*time.Millisecond || time.Since(start) > 0 {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
}

// Requests that had to wait for a place keep to the pace when they get one.
func TestPacingAfterWaitingForAPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var times []time.Time
		var mu sync.Mutex
		base := baseFunc(func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			times = append(times, time.Now())
			stalls := len(times) <= 2
			mu.Unlock()
			if stalls {
				time.Sleep(20 * time.Second)
			}
			return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
		})
		transport := build(t, Options{Base: base, Limits: Limits{Pacing: Pacing{Rate: 1, Burst: 2}, MaxInFlight: 2}})
		var workers sync.WaitGroup
		for range 30 {
			workers.Go(func() {
				if _, err := get(t.Context(), t, transport, "x"); err != nil {
					t.Error(err)
				}
			})
		}
		workers.Wait()
		for i, first := range times {
			for j, last := range times[i:] {
				if span := last.Sub(first); float64(j+1) > 2+span.Seconds() {
					t.Fatalf("%d requests in %s", j+1, span)
				}
			}
		}
		if took := times[29].Sub(times[0]); took > 50*time.Second { // nothing is lost by it
			t.Errorf("30 requests took %s", took)
		}
	})
}

// Who goes away while it waits for its turn leaves it to others.
func TestCancelledTurnsAreNotLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		base := baseFunc(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
		})
		transport := build(t, Options{Base: base, Limits: Limits{Pacing: Pacing{Rate: 0.1}}})
		start := time.Now()
		if _, err := get(t.Context(), t, transport, "x"); err != nil {
			t.Error(err)
		}
		for range 3 {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			if _, err := get(ctx, t, transport, "x"); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
		if _, err := get(t.Context(), t, transport, "x"); err != nil || time.Since(start) != 10*time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
}

// No request of a key is sent before the time that an answer named, whatever
// form and status it had, whoever got it, and whatever else happens.
func TestRetryAfterIsNeverViolated(t *testing.T) {
	t.Parallel()
	runs := fromEnvironment(t, "TOOLBELT_RETRY_AFTER_RUNS", 1000)
	for seed := range runs {
		synctest.Test(t, func(t *testing.T) { randomRun(t, uint64(seed)) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func randomRun(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 2))
	var mu sync.Mutex
	until := map[string]time.Time{} // by key, as told by answers that have arrived
	draw := func(n int) int {
		mu.Lock()
		defer mu.Unlock()
		return random.IntN(n)
	}
	base := baseFunc(func(r *http.Request) (*http.Response, error) {
		key := r.URL.Path
		mu.Lock()
		if early := time.Until(until[key]); early > 0 {
			t.Errorf("a request to %s, %s too early", key, early)
		}
		mu.Unlock()
		time.Sleep(time.Duration(draw(50)) * time.Millisecond)
		resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: r}
		if draw(3) > 0 {
			return resp, r.Context().Err()
		}
		resp.StatusCode = []int{429, 503, 509}[draw(3)]
		wait := time.Duration(1+draw(20)) * time.Second
		at := time.Now().Add(wait)
		switch draw(3) {
		case 0:
			resp.Header.Set("Retry-After", at.UTC().Format(http.TimeFormat))
			at = at.Truncate(time.Second)
		case 1:
			resp.Header.Set("Retry-After", strconv.Itoa(int(wait/time.Second)))
		default:
			return resp, r.Context().Err() // it does not say
		}
		if r.Context().Err() != nil {
			return nil, r.Context().Err() // so nobody was told
		}
		// Told is who has the answer, which is a moment later.
		time.AfterFunc(1, func() {
			mu.Lock()
			defer mu.Unlock()
			if at.After(until[key]) {
				until[key] = at
			}
		})
		return resp, nil
	})
	transport := build(t, Options{Base: base, Keys: func(r *http.Request) Keys { return Keys{r.URL.Host, r.URL.Path, 0} }})
	var callers sync.WaitGroup
	for range 1 + draw(8) {
		callers.Go(func() {
			for range 1 + draw(8) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+draw(90_000))*time.Millisecond)
				_, _ = get(ctx, t, transport, strconv.Itoa(draw(2))) // whatever comes of it
				cancel()
				time.Sleep(time.Duration(draw(3000)) * time.Millisecond)
			}
		})
	}
	callers.Wait()
}

// A service that says that little is left is spared, before it refuses.
func TestHints(t *testing.T) {
	t.Parallel()
	header := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return h
	}
	for _, test := range []struct {
		name string
		h    http.Header
		wait time.Duration // of the fifth request that follows
	}{
		{"nothing", header(), 0},
		{"plenty", header("RateLimit-Limit", "1200", "RateLimit-Remaining", "1000", "RateLimit-Reset", "30"), 0},
		{"little", header("RateLimit-Limit", "1200", "RateLimit-Remaining", "60", "RateLimit-Reset", "30"), 2 * time.Second},
		{"none", header("RateLimit-Limit", "1200", "RateLimit-Remaining", "0", "RateLimit-Reset", "30"), 30 * time.Second},
		{"none, limit unknown", header("RateLimit-Remaining", "0", "RateLimit-Reset", "7"), 7 * time.Second},
		{"some, limit unknown", header("RateLimit-Remaining", "5", "RateLimit-Reset", "7"), 0},
		{"draft: little", header("RateLimit-Policy", `"default";q=100;w=60`, "RateLimit", `"default";r=10;t=5`), 2 * time.Second},
		{"draft: plenty", header("RateLimit-Policy", `"default";q=100;w=60`, "RateLimit", `"default";r=90;t=5`), 0},
		{"nonsense", header("RateLimit-Limit", "-1", "RateLimit-Remaining", "NaN", "RateLimit-Reset", "soon", "RateLimit", `;;;r`, "x-ms-throttle-limit-percentage", "lots"), 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				transport := build(t, Options{Base: baseFunc(func(r *http.Request) (*http.Response, error) {
					resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: r}
					if calls++; calls == 1 {
						resp.Header = test.h
					}
					return resp, nil
				})})
				start := time.Now()
				for range 6 {
					if _, err := get(t.Context(), t, transport, "x"); err != nil {
						t.Fatal(err)
					}
				}
				if d := time.Since(start); d < test.wait || d > test.wait+test.wait/5+time.Second {
					t.Errorf("five more requests took %s, not %s", d, test.wait)
				}
			})
		})
	}
}

// Graph says how much of a limit is in use before it throttles.
func TestNearlyThrottled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		transport := build(t, Options{Base: baseFunc(func(r *http.Request) (*http.Response, error) {
			time.Sleep(10 * time.Millisecond)
			calls++
			resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: r}
			if calls >= 200 {
				resp.Header.Set("x-ms-throttle-limit-percentage", "1.2")
			}
			return resp, nil
		})})
		for range 200 {
			if _, err := get(t.Context(), t, transport, "x"); err != nil {
				t.Fatal(err)
			}
		}
		start := time.Now()
		for range 100 {
			if _, err := get(t.Context(), t, transport, "x"); err != nil {
				t.Fatal(err)
			}
		}
		if rate := 100 / time.Since(start).Seconds(); rate > 85 {
			t.Errorf("%.0f a second after 100 a second was 120 %% of the limit", rate)
		}
	})
}

func fromEnvironment(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text, ok := os.LookupEnv(name)
	if !ok {
		return otherwise
	}
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
