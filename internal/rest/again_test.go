package rest_test

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/mcptools"
	"github.com/msptoolbelt/toolbelt/resilience"
)

// Errors that have to do with waiting say how long, and what to do; the others
// name no time of their own.
func TestErrorsSayWhen(t *testing.T) {
	status, retryAfter := 0, ""
	service, _ := newService(t, func(w http.ResponseWriter, _ *http.Request) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(status)
	})
	for _, c := range []struct {
		status     int
		retryAfter string
		want       time.Duration
	}{
		// Times that grow: the service is left alone for as long as it asked.
		{403, "", 0}, {404, "", 0}, {429, "", 30 * time.Second}, {429, "0", 30 * time.Second}, {503, "", 30 * time.Second}, {500, "", 30 * time.Second}, {503, "317", 317 * time.Second},
	} {
		status, retryAfter = c.status, c.retryAfter
		_, err := service.Do(t.Context(), rest.Request{Method: http.MethodGet, Path: "/x"}, nil)
		e, ok := errors.AsType[*mcptools.Error](err)
		if !ok || e.RetryAfter != c.want || e.Retryable() && !strings.Contains(e.Hint, "wait until then before you call Test API again") {
			t.Errorf("%d %q: %v", c.status, c.retryAfter, err)
		}
	}
	_, err := service.Do(t.Context(), rest.Request{Method: http.MethodGet, Path: "/x"}, nil)
	if e, ok := errors.AsType[*mcptools.Error](err); !ok || e.Code != mcptools.CodeThrottled || e.RetryAfter < 300*time.Second || e.RetryAfter > 317*time.Second {
		t.Errorf("the next caller: %v", err)
	}
}

// Hold is for what the transport does not see.
func TestHold(t *testing.T) {
	service, _ := newService(t, func(http.ResponseWriter, *http.Request) {})
	request := rest.Request{Method: http.MethodGet, Path: "/x"}
	if _, err := service.Send(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	service.Hold(t.Context(), request, 90*time.Second)
	_, err := service.Send(t.Context(), request)
	if e, ok := errors.AsType[*mcptools.Error](err); !ok || e.Code != mcptools.CodeThrottled || e.RetryAfter > 90*time.Second || e.RetryAfter < 80*time.Second {
		t.Errorf("%v", err)
	}
}

// What must be done once is not repeated after an attempt that may have been
// carried out, whatever its method, but after one that was refused.
func TestOnce(t *testing.T) {
	for first, want := range map[int]int64{http.StatusServiceUnavailable: 1, http.StatusTooManyRequests: 2} {
		var n atomic.Int64
		service, _ := newService(t, func(w http.ResponseWriter, _ *http.Request) {
			if n.Add(1) == 1 {
				w.WriteHeader(first)
			}
		})
		service.Look = func(r rest.Request) string { return "look at " + r.Path }
		_, err := service.Send(t.Context(), rest.Request{Method: http.MethodPut, Path: "/x", Raw: []byte("x"), Once: true})
		if n.Load() != want || (err == nil) != (want == 2) {
			t.Errorf("%d: %d requests, %v", first, n.Load(), err)
		}
		if e, ok := errors.AsType[*mcptools.Error](err); ok && (e.Code != mcptools.CodeUncertain || e.Hint != "look at /x" || e.RetryAfter != 0) {
			t.Errorf("%d: %v", first, err)
		}
	}
}

// A caller may forbid repetitions of what this package would repeat.
func TestCallersHaveASayInRepetitions(t *testing.T) {
	var sent atomic.Int64
	service, _ := newService(t, func(w http.ResponseWriter, _ *http.Request) {
		sent.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	no := false
	for _, method := range []string{http.MethodGet, http.MethodDelete, http.MethodPut} {
		sent.Store(0)
		ctx := resilience.With(t.Context(), resilience.Call{Idempotent: &no})
		if _, err := service.Do(ctx, rest.Request{Method: method, Path: "/x"}, nil); err == nil || sent.Load() != 1 {
			t.Errorf("%s: %d requests, %v", method, sent.Load(), err)
		}
	}
}
