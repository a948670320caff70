package halopsa_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/mcptools"
	"github.com/msptoolbelt/toolbelt/resilience"
)

const rateLimitReached = "Rate Limit Reached - 300 Requests per rolling 5 minute window"

// limited is a HaloPSA that refuses its first requests. It notes when they came.
type limited struct {
	refuse int
	bare   bool // the refusals have no header at all
	retry  resilience.RetryPolicy
	start  time.Time
	times  []time.Duration
}

func (l *limited) RoundTrip(r *http.Request) (*http.Response, error) {
	l.times = append(l.times, time.Since(l.start))
	status, kind, body := http.StatusTooManyRequests, "text/plain; charset=utf-8", rateLimitReached
	if len(l.times) > l.refuse {
		status, kind, body = http.StatusOK, "application/json", `[{"id":1,"name":"Service Desk"}]`
	}
	header := http.Header{"Content-Type": {kind}}
	if l.bare && status != http.StatusOK {
		header = nil
	}
	return &http.Response{StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: header, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func (l *limited) tools(t *testing.T) mcptools.Set {
	t.Helper()
	l.start = time.Now()
	c, err := halopsa.New(auth.Static("token"), halopsa.Options{URL: "https://psa.example", Resilience: resilience.Options{Base: l, Retry: l.retry}})
	if err != nil {
		t.Fatal(err)
	}
	return c.Tools()
}

// around allows for the jitter and for what else paces requests.
func around(t *testing.T, got, want time.Duration) {
	t.Helper()
	if got < want || got > want+want/4+2*time.Second {
		t.Errorf("after %s, want %s", got, want)
	}
}

// Halo's 429 names no time: the waits begin at five seconds and double. Times that
// cannot be meant are the defaults.
func TestRateLimitIsWaitedOut(t *testing.T) {
	for name, halo := range map[string]*limited{
		"defaults":       {refuse: 3},
		"negative times": {refuse: 3, retry: resilience.RetryPolicy{BaseDelay: -1, MaxRetryAfter: -1}},
		"no headers":     {refuse: 3, bare: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if _, err := halo.tools(t).Call(t.Context(), "halo_teams_list", json.RawMessage(`{}`)); err != nil {
					t.Fatal(err)
				}
				if len(halo.times) != 4 {
					t.Fatalf("requests at %v", halo.times)
				}
				for i, want := range []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second} {
					around(t, halo.times[i+1]-halo.times[i], want)
				}
			})
		})
	}
}

// Who cannot wait so long is told at once when to try again, in Halo's own words,
// and so is the next one, without a request.
func TestRateLimitIsExplained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		halo := &limited{refuse: 100}
		tools := halo.tools(t)
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		for _, want := range []struct{ message, again string }{
			{"HaloPSA asks to slow down: " + rateLimitReached, "\nTry again in 5 s."},
			{"HaloPSA asked to slow down", "\nTry again in 3 s."},
		} {
			_, err := tools.Call(ctx, "halo_teams_list", json.RawMessage(`{}`))
			if !errors.Is(err, mcptools.CodeThrottled) || !strings.HasPrefix(err.Error(), "throttled: "+want.message+"\nWhat to do: wait") || !strings.HasSuffix(err.Error(), want.again) {
				t.Errorf("got %v", err)
			}
			if len(halo.times) != 1 {
				t.Errorf("requests at %v", halo.times)
			}
			time.Sleep(2 * time.Second)
		}
	})
}
