package resilience_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/msptoolbelt/toolbelt/resilience"
)

const site = "https://api.example"

// answer is a response of a base without a network, for bubbles of fake time.
func answer(r *http.Request, status int, retryAfter string) *http.Response {
	resp := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("why")), Request: r}
	if retryAfter != "" {
		resp.Header.Set("Retry-After", retryAfter)
	}
	return resp
}

func newTransport(t *testing.T, base roundTripper, change ...func(*resilience.Options)) *resilience.Transport {
	t.Helper()
	options := resilience.Options{Hosts: []string{site}, Base: base}
	for _, f := range change {
		f(&options)
	}
	transport, err := resilience.New(options)
	if err != nil {
		t.Fatal(err)
	}
	return transport
}

func send(ctx context.Context, t *testing.T, transport http.RoundTripper, method string) (int, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, site+"/x", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	text, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil || string(text) != "why" {
		t.Errorf("body %q, %v", text, err)
	}
	return resp.StatusCode, nil
}

func TestBackoffGrowsAndIsCapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var waits []time.Duration
		transport := newTransport(t, func(r *http.Request) (*http.Response, error) { return answer(r, 503, ""), nil },
			func(o *resilience.Options) {
				o.Retry = resilience.RetryPolicy{MaxAttempts: 8, BaseDelay: time.Second, MaxDelay: 10 * time.Second}
				o.Breaker.Consecutive, o.Breaker.FailureRatio = math.MaxInt, 2
				o.Retry.Budget = -1
				o.Hooks.Retry = func(e resilience.RetryEvent) { waits = append(waits, e.Wait) }
			})
		start := time.Now()
		var sum time.Duration
		for range 50 {
			waits = waits[:0]
			if _, err := send(t.Context(), t, transport, "GET"); err != nil {
				t.Fatal(err)
			}
			for i, wait := range waits {
				limit := min(time.Second<<i, 10*time.Second)
				if wait < 0 || wait > limit+1 {
					t.Errorf("wait %d is %v, more than %v", i, wait, limit)
				}
				sum += wait
			}
		}
		if got := time.Since(start); got != sum {
			t.Errorf("waited %v, announced %v", got, sum)
		}
		if mean := sum / 50; mean < 15*time.Second || mean > 28*time.Second { // 1+2+4+8+10+10+10 = 45, half of it expected
			t.Errorf("mean wait of a request %v", mean)
		}
	})
}

func TestRetryAfterIsKeptToAndNeverShortened(t *testing.T) {
	for _, form := range []string{"7", time.Date(2000, 1, 1, 0, 0, 7, 0, time.UTC).Format(http.TimeFormat)} {
		for _, status := range []int{429, 503} {
			t.Run(fmt.Sprint(status, form), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					start, calls := time.Now(), 0
					transport := newTransport(t, func(r *http.Request) (*http.Response, error) {
						if calls++; calls == 1 {
							return answer(r, status, form), nil
						}
						return answer(r, 200, ""), nil
					})
					status, err := send(t.Context(), t, transport, "GET")
					if err != nil || status != http.StatusOK {
						t.Fatal(err)
					}
					if waited := time.Since(start); waited < 7*time.Second || waited > 9*time.Second {
						t.Errorf("waited %v", waited)
					}
				})
			})
		}
	}
}

// A wait beyond the cap or the caller's deadline comes back at once as the
// answer itself, and the next caller is told without a request.
func TestLongRetryAfterComesBackAtOnce(t *testing.T) {
	tests := []struct {
		name       string
		retryAfter string
		timeout    time.Duration
		opensAfter time.Duration
	}{
		{"beyond the cap", "3600", 0, time.Hour},
		{"beyond the deadline", "30", 5 * time.Second, 30 * time.Second},
		{"beyond reason", "99999999999999999999", 0, 24 * time.Hour},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				transport := newTransport(t, func(r *http.Request) (*http.Response, error) {
					calls++
					return answer(r, 429, test.retryAfter), nil
				})
				start, ctx := time.Now(), t.Context()
				if test.timeout > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.timeout)
					defer cancel()
				}
				status, err := send(ctx, t, transport, "GET")
				if err != nil || status != http.StatusTooManyRequests || time.Since(start) != 0 {
					t.Fatalf("%v after %v", err, time.Since(start))
				}
				_, err = send(ctx, t, transport, "GET")
				var throttled *resilience.ThrottledError
				if !errors.As(err, &throttled) || throttled.RetryAfter != test.opensAfter || throttled.Key != "api.example" || calls != 1 {
					t.Fatalf("error %v after %d calls", err, calls)
				}
				time.Sleep(test.opensAfter)
				once := resilience.With(t.Context(), resilience.Call{MaxAttempts: 1})
				if _, err := send(once, t, transport, "GET"); err != nil || calls != 2 {
					t.Errorf("after the wait: %v, %d calls", err, calls)
				}
			})
		})
	}
}

// One caller's 429 holds the others of the key, who then all succeed.
func TestShortRetryAfterHoldsOtherCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var mu sync.Mutex
		var early, calls int
		transport := newTransport(t, func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			calls++
			if calls == 1 {
				return answer(r, 429, "10"), nil
			}
			if time.Since(start) < 10*time.Second {
				early++
			}
			return answer(r, 200, ""), nil
		})
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				if status, err := send(t.Context(), t, transport, "POST"); err != nil || status != http.StatusOK {
					t.Errorf("caller %d: %v", i, err)
				}
			})
		}
		all.Wait()
		if early != 0 || calls != 21 {
			t.Errorf("%d early of %d calls", early, calls)
		}
	})
}

func TestCancelDuringWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := newTransport(t, func(*http.Request) (*http.Response, error) { return nil, errors.New("broken pipe") },
			func(o *resilience.Options) { o.Retry.BaseDelay = time.Hour; o.Retry.MaxDelay = time.Hour })
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Millisecond, cancel)
		_, err := send(ctx, t, transport, "GET")
		if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "broken pipe") {
			t.Errorf("error = %v", err)
		}
	})
}

func TestAttemptTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, calls := time.Now(), 0
		transport := newTransport(t, func(r *http.Request) (*http.Response, error) {
			calls++
			<-r.Context().Done()
			return nil, context.Cause(r.Context())
		}, func(o *resilience.Options) { o.Retry.MaxAttempts = 2; o.Retry.BaseDelay = 1 })
		_, err := send(t.Context(), t, transport, "GET")
		if !errors.Is(err, resilience.ErrAttemptTimeout) || errors.Is(err, context.Canceled) || calls != 2 {
			t.Errorf("error %v after %d calls", err, calls)
		}
		if took := time.Since(start).Round(time.Second); took != 200*time.Second {
			t.Errorf("took %v", took)
		}
		if _, err := send(t.Context(), t, transport, "POST"); !errors.Is(err, resilience.ErrAttemptTimeout) || calls != 3 {
			t.Errorf("POST: error %v after %d calls", err, calls)
		}
	})
}

// When nothing works, repetitions stop long before the calls do.
func TestBudgetEndsRepetitions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls, mend := 0, false
		transport := newTransport(t, func(r *http.Request) (*http.Response, error) {
			if calls++; mend {
				return answer(r, 200, ""), nil
			}
			return answer(r, 503, ""), nil
		}, func(o *resilience.Options) { o.Breaker.Consecutive, o.Breaker.FailureRatio = math.MaxInt, 2 })
		for range 1000 {
			if _, err := send(t.Context(), t, transport, "GET"); err != nil {
				t.Fatal(err)
			}
		}
		if calls != 1000+500/5 {
			t.Errorf("%d calls", calls)
		}
		mend = true
		for range 5 { // fill the bucket with what one repetition costs
			if _, err := send(t.Context(), t, transport, "GET"); err != nil {
				t.Fatal(err)
			}
		}
		mend, calls = false, 0
		if _, err := send(t.Context(), t, transport, "GET"); err != nil || calls != 2 {
			t.Errorf("%v after %d calls", err, calls)
		}
	})
}
