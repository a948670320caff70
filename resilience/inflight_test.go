package resilience_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/msptoolbelt/toolbelt/resilience"
)

// No more requests of a key are under way than allowed, until their answers are
// read; the others wait, but not for ever.
func TestInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		now, most := 0, 0
		transport := newTransport(t, func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(time.Second)
			resp := answer(r, 200, "")
			resp.Body = &counted{Reader: strings.NewReader("why"), closed: func() {
				mu.Lock()
				defer mu.Unlock()
				now--
			}}
			return resp, nil
		}, func(o *resilience.Options) {
			o.Keys = func(r *http.Request) resilience.Keys {
				if r.Header.Get("Mailbox") != "" {
					return resilience.Keys{Breaker: "host", Throttle: "mailbox", MaxInFlight: 4}
				}
				return resilience.Keys{Breaker: "host", Throttle: "host"}
			}
			o.Limits.MaxInFlight = 16
			o.Limits.MaxWait = 10 * time.Second
		})
		run := func(mailbox string, callers int) (good, overloaded int) {
			var workers sync.WaitGroup
			for range callers {
				workers.Go(func() {
					req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site, http.NoBody)
					if err != nil {
						t.Error(err)
						return
					}
					req.Header.Set("Mailbox", mailbox)
					resp, err := transport.RoundTrip(req)
					if err == nil {
						time.Sleep(time.Second) // it takes its time to read
						_, err = io.Copy(io.Discard, resp.Body)
						resp.Body.Close()
					}
					mu.Lock()
					defer mu.Unlock()
					switch {
					case err == nil:
						good++
					case errors.Is(err, resilience.ErrOverloaded):
						overloaded++
					default:
						t.Error(err)
					}
				})
			}
			workers.Wait()
			return good, overloaded
		}
		if good, _ := run("", 32); good != 32 || most != 16 {
			t.Errorf("%d good, at most %d at once", good, most)
		}
		most = 0
		if good, overloaded := run("m", 40); good < 20 || good+overloaded != 40 || overloaded < 10 || most != 4 {
			t.Errorf("%d good, %d overloaded, at most %d at once", good, overloaded, most)
		}
		if s := transport.Snapshot(); len(s.Throttles) != 2 || s.Throttles[0] != (resilience.ThrottleState{Key: "mailbox"}) {
			t.Errorf("left: %+v", s.Throttles)
		}
	})
}

// counted tells, once, that it was read to its end or closed.
type counted struct {
	io.Reader
	closed func()
	once   sync.Once
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if err != nil {
		c.once.Do(c.closed)
	}
	return n, err
}

func (c *counted) Close() error { c.once.Do(c.closed); return nil }

// Neither a panic, nor a cancelled caller, nor an answer without a body keeps a
// place.
func TestPlacesAreGivenBack(t *testing.T) {
	panics := func() { panic("on purpose") }
	tests := map[string]func(o *resilience.Options, base *roundTripper){
		"a panic of the base": func(_ *resilience.Options, base *roundTripper) {
			*base = func(*http.Request) (*http.Response, error) { panics(); return nil, nil }
		},
		"a panic of the attempt hook": func(o *resilience.Options, _ *roundTripper) {
			o.Hooks.Attempt = func(resilience.AttemptEvent) { panics() }
		},
		"a panic of the retry hook": func(o *resilience.Options, base *roundTripper) {
			*base = always(503)
			o.Hooks.Retry = func(resilience.RetryEvent) { panics() }
		},
		"a panic of the throttle hook": func(o *resilience.Options, base *roundTripper) {
			*base = func(r *http.Request) (*http.Response, error) { return answer(r, 503, "1"), nil }
			o.Hooks.Throttle = func(resilience.ThrottleEvent) { panics() }
		},
		"a panic of the classifier": func(o *resilience.Options, _ *roundTripper) {
			o.Retry.Classify = func(*http.Response, error, resilience.Class) resilience.Class { panics(); return 0 }
		},
		"no body": func(_ *resilience.Options, base *roundTripper) {
			*base = func(r *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody, Request: r}, nil
			}
		},
		"a cancelled caller": func(_ *resilience.Options, base *roundTripper) { *base = hang },
		"repetitions":        func(_ *resilience.Options, base *roundTripper) { *base = always(503) },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := always(200)
				options := resilience.Options{Hosts: []string{site}, Limits: resilience.Limits{MaxInFlight: 2, MaxWait: time.Second}}
				options.Breaker.Consecutive, options.Breaker.FailureRatio = 1000, 2
				change(&options, &base)
				closed := 0
				options.Base = roundTripper(func(r *http.Request) (*http.Response, error) {
					resp, err := base(r)
					if resp != nil && resp.Body != http.NoBody {
						closed--
						resp.Body = &counted{Reader: resp.Body, closed: func() { closed++ }}
					}
					return resp, err
				})
				transport, err := resilience.New(options)
				if err != nil {
					t.Fatal(err)
				}
				for range 5 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					func() {
						defer cancel()
						defer func() { _ = recover() }()
						req, err := http.NewRequestWithContext(ctx, http.MethodGet, site, http.NoBody)
						if err != nil {
							t.Fatal(err)
						}
						resp, err := transport.RoundTrip(req)
						if err == nil {
							resp.Body.Close()
						}
						if errors.Is(err, resilience.ErrOverloaded) {
							t.Error(err)
						}
					}()
				}
				if s := transport.Snapshot().Throttles[0]; s.InFlight != 0 || s.Waiting != 0 || closed != 0 {
					t.Errorf("%+v, %d bodies are open", s, -closed)
				}
			})
		})
	}
}

// A snapshot tells what a health tool wants to know.
func TestSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport, u := newBroken(t)
		s := transport.Snapshot()
		if len(s.Breakers) != 1 || len(s.Throttles) != 1 {
			t.Fatalf("%+v", s)
		}
		if b := s.Breakers[0]; b.Key != "api.example" || b.State != resilience.Open || b.Failures != 10 || b.RetryAfter < 2*time.Second || b.Budget != 500 {
			t.Errorf("%+v", b)
		}
		u.becomes(func(r *http.Request) (*http.Response, error) { return answer(r, 429, "30"), nil })
		time.Sleep(3 * time.Second)
		if s := transport.Snapshot().Breakers[0].State; s != resilience.HalfOpen {
			t.Error(s)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if status, err := send(ctx, t, transport, "GET"); status != 429 {
			t.Error(status, err)
		}
		s = transport.Snapshot()
		if b, q := s.Breakers[0], s.Throttles[0]; b.State != resilience.Closed || b.Failures != 0 || q.RetryAfter != 30*time.Second || q.Rate != 10 {
			t.Errorf("%+v %+v", b, q)
		}
	})
}
