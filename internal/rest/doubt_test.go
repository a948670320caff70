package rest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/mcptools"
	"github.com/msptoolbelt/toolbelt/resilience"
)

// A write that an earlier attempt may have done is in doubt, whatever the last
// attempt was answered.
func TestDoubtOutlivesTheAttempt(t *testing.T) {
	const cut = 0 // the connection is cut instead of an answer
	for name, test := range map[string]struct {
		request rest.Request
		answers []int // the last one is repeated
		want    mcptools.Code
	}{
		"in doubt, then refused":        {rest.Request{Method: "POST", Repeatable: true}, []int{503, 429}, mcptools.CodeUncertain},
		"cut, then refused":             {rest.Request{Method: "POST", Repeatable: true}, []int{cut, 429}, mcptools.CodeUncertain},
		"cut, then gone":                {rest.Request{Method: "DELETE"}, []int{cut, 404}, mcptools.CodeUncertain},
		"cut":                           {rest.Request{Method: "POST"}, []int{cut}, mcptools.CodeUncertain},
		"refused":                       {rest.Request{Method: "POST"}, []int{429}, mcptools.CodeThrottled},
		"refused, then gone":            {rest.Request{Method: "DELETE"}, []int{429, 404}, mcptools.CodeNotFound},
		"a read does nothing":           {rest.Request{Method: "GET"}, []int{503, cut, 429}, mcptools.CodeThrottled},
		"a safe POST does nothing":      {rest.Request{Method: "POST", Safe: true}, []int{503, 429}, mcptools.CodeThrottled},
		"in doubt, then done":           {rest.Request{Method: "POST", Repeatable: true}, []int{503, 200}, ""},
		"in doubt and never repeated":   {rest.Request{Method: "POST"}, []int{503, 200}, mcptools.CodeUncertain},
		"refused until it was in doubt": {rest.Request{Method: "POST"}, []int{429, 503}, mcptools.CodeUncertain},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var n atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				status := test.answers[min(int(n.Add(1)), len(test.answers))-1]
				if status == cut {
					panic(http.ErrAbortHandler)
				}
				w.WriteHeader(status)
			}))
			defer server.Close()
			base, err := url.Parse(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			client, err := rest.Stack(base, nil, resilience.Options{Retry: resilience.RetryPolicy{BaseDelay: time.Millisecond, MaxDelay: time.Millisecond}})
			if err != nil {
				t.Fatal(err)
			}
			defer client.CloseIdleConnections()
			service := &rest.Service{Name: "The service", Base: base, Client: client}
			test.request.Path, test.request.Body = "/things", map[string]any{"a": 1}
			_, err = service.Do(t.Context(), test.request, nil)
			code, _ := errors.AsType[*mcptools.Error](err)
			if test.want == "" && err != nil || test.want != "" && (code == nil || code.Code != test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if last := test.answers[len(test.answers)-1]; last == 404 && !errors.Is(err, mcptools.CodeNotFound) {
				t.Errorf("%v does not say that the thing is gone", err)
			}
		})
	}
}

// Who goes away while a refused write waits for its repetition knows that it was
// not done; who goes away while it is under way does not.
func TestCancelledWrites(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		want   mcptools.Code
	}{
		"refused before": {http.StatusTooManyRequests, mcptools.CodeCancelled},
		"under way":      {0, mcptools.CodeUncertain},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				time.AfterFunc(100*time.Millisecond, cancel)
				if test.status == 0 {
					_, _ = io.Copy(io.Discard, r.Body) // else the end of the connection goes unseen
					<-r.Context().Done()
					return
				}
				w.Header().Set("Retry-After", "5")
				w.WriteHeader(test.status)
			}))
			defer server.Close()
			base, err := url.Parse(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			client, err := rest.Stack(base, nil, resilience.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer client.CloseIdleConnections()
			service := &rest.Service{Name: "The service", Base: base, Client: client}
			_, err = service.Do(ctx, rest.Request{Method: "POST", Path: "/things", Body: map[string]any{"a": 1}}, nil)
			if code, _ := errors.AsType[*mcptools.Error](err); code == nil || code.Code != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}
