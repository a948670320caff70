package otelresilience_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/msptoolbelt/toolbelt/resilience"
)

const canary = "c4n4ry"

func TestNothingPersonalIsTold(t *testing.T) {
	fails := 0
	b := newBench(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Secret", canary)
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusTooManyRequests)
		fmt.Fprint(w, canary)
	}, func(s *setup) {
		s.resilience.Retry.MaxAttempts = 2 // each of its 429 makes the transport slower
		base := resilience.NewBase()
		s.resilience.Base = roundTripper(func(r *http.Request) (*http.Response, error) {
			switch fails++; fails {
			case 2:
				return nil, fmt.Errorf("no way to %s: %w", canary, told(canary))
			case 3:
				panic(canary)
			}
			return base.RoundTrip(r)
		})
		s.telemetry.Template = func(*http.Request) string { return "/users/{id}" }
	})
	stop, err := b.Observe(b.transport.Snapshot)
	if err != nil {
		t.Fatal(err)
	}
	defer stop() //nolint:errcheck // the test is over
	for range 3 {
		send(t, b)
	}
	if len(b.spans.GetSpans()) < 4 {
		t.Fatalf("only %d spans", len(b.spans.GetSpans()))
	}
	if all := fmt.Sprintf("%+v", b.spans.GetSpans()); strings.Contains(all, canary) {
		t.Errorf("in the spans: %s", all)
	}
	for _, span := range b.spans.GetSpans() {
		if len(span.Events) > 0 || span.Status.Description != "" {
			t.Errorf("more than attributes: %v, %q", span.Events, span.Status.Description)
		}
	}
	var all metricdata.ResourceMetrics
	if err := b.metrics.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprintf("%+v", all) + strings.Join(b.measured(t, ""), "\n"); strings.Contains(text, canary) {
		t.Errorf("in the metrics: %s", text)
	}
}

// send sends a request full of secrets, and survives.
func send(t *testing.T, b *bench) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil && p != canary {
			panic(p)
		}
	}()
	address := b.url + "/users/" + canary + "@contoso.example?$search=" + canary + "#" + canary
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(canary))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+canary)
	req.Header.Set("User-Agent", canary)
	if resp, err := b.transport.RoundTrip(req); err == nil {
		resp.Body.Close()
	}
}

// told is an error with something to hide in all that it says.
type told string

func (e told) Error() string     { return string(e) }
func (e told) ErrorType() string { return string(e) }

func TestErrorTypes(t *testing.T) {
	fail := func(err error) func(*setup) {
		return func(s *setup) {
			s.resilience.Base = roundTripper(func(*http.Request) (*http.Response, error) { return nil, err })
		}
	}
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	defer untrusted.Close()
	release := make(chan struct{})
	defer close(release)
	hang := func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}
	drop := func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			conn.Close()
		}
	}
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		change  func(*setup)
		cancel  bool
		want    string
	}{
		"no answer in time":  {handler: hang, change: func(s *setup) { s.resilience.Retry.AttemptTimeout = 20 * time.Millisecond }, want: "timeout"},
		"caller gone":        {handler: hang, cancel: true, want: "cancelled"},
		"dropped":            {handler: drop, want: "connection_closed"},
		"certificate":        {change: func(s *setup) { s.resilience.Hosts = []string{untrusted.URL} }, want: "certificate"},
		"other certificate":  {change: fail(x509.HostnameError{Certificate: &x509.Certificate{}}), want: "certificate"},
		"nobody listens":     {change: func(s *setup) { s.resilience.Hosts = []string{unused(t)} }, want: "connection_refused"},
		"reset":              {change: fail(&net.OpError{Op: "read", Err: syscall.ECONNRESET}), want: "connection_reset"},
		"reset on Windows":   {change: fail(&net.OpError{Op: "read", Err: syscall.Errno(10054)}), want: "connection_reset"},
		"unreachable":        {change: fail(&net.OpError{Op: "dial", Err: errors.New("no route")}), want: "connection_failed"},
		"no such name":       {change: fail(&net.DNSError{Err: "no such host", Name: canary, IsNotFound: true}), want: "name_resolution"},
		"private address":    {change: fail(fmt.Errorf("dial: %w", resilience.ErrPrivateAddress)), want: "private_address"},
		"unknown":            {change: fail(told(canary)), want: "otelresilience_test.told"},
		"neither of the two": {change: fail(nil), want: "_OTHER"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, test.handler, func(s *setup) {
				s.resilience.Retry.MaxAttempts = 1
				if test.change != nil {
					test.change(s)
				}
			})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if test.cancel {
				time.AfterFunc(20*time.Millisecond, cancel)
			}
			if err := b.do(ctx, t, http.MethodGet, "/"+canary); err == nil {
				t.Fatal("no error")
			}
			spans := b.told()
			if len(spans) != 1 || !strings.HasPrefix(spans[0], "client GET Error{error.type="+test.want+",") {
				t.Errorf("spans: %q", spans)
			}
			metrics := b.measured(t, "http.")
			if len(metrics) != 1 || !strings.HasPrefix(metrics[0], "http.client.request.duration{error.type="+test.want+",") {
				t.Errorf("metrics: %q", metrics)
			}
		})
	}
}

func TestTypesOfRefusals(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	for want, test := range map[string]struct {
		ctx context.Context
		err error
	}{
		"breaker_open": {over, fmt.Errorf("%w (after %w)", &resilience.OpenError{Err: told(canary)}, told(canary))},
		"throttled":    {t.Context(), &resilience.ThrottledError{Err: told(canary)}},
		"overloaded":   {t.Context(), resilience.ErrOverloaded},
		"cancelled":    {over, context.Canceled},
		"timeout":      {late, context.DeadlineExceeded},
	} {
		b := newBench(t, answers())
		req, err := http.NewRequestWithContext(test.ctx, http.MethodGet, b.url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		b.Instrument(resilience.Options{}).Hooks.Refuse(resilience.RefuseEvent{Request: req, Err: test.err})
		equal(t, "refusals", b.measured(t, "resilience."), []string{"resilience.refusals{error.type=" + want + "} 1"})
	}
}

// unused returns an address where nobody listens.
func unused(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return "http://" + listener.Addr().String()
}
