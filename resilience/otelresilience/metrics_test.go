package otelresilience_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/msptoolbelt/toolbelt/resilience"
	"github.com/msptoolbelt/toolbelt/resilience/otelresilience"
)

func TestThrottled(t *testing.T) {
	b := newBench(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "300")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	if err := b.do(t.Context(), t, http.MethodGet, "/"); err != nil {
		t.Fatal(err)
	}
	if err := b.do(t.Context(), t, http.MethodGet, "/"); err == nil {
		t.Fatal("the gate is open")
	}
	equal(t, "spans", b.told(), []string{
		"client GET Error{error.type=429,http.request.method=GET,http.response.status_code=429,network.protocol.version=1.1,server.address=ADDRESS,server.port=PORT,url.full=http://HOST}",
	})
	equal(t, "metrics", b.measured(t, "resilience."), []string{
		"resilience.refusals{error.type=throttled,resilience.key=HOST} 1",
		"resilience.throttles{resilience.class=throttled,resilience.key=HOST} 1",
	})
}

func TestBreakerOpen(t *testing.T) {
	b := newBench(t, answers(503), func(s *setup) {
		s.resilience.Breaker.Consecutive, s.resilience.Retry.MaxAttempts = 1, 1
		s.resilience.Breaker.Cooldown = time.Minute
	})
	stop, err := b.Observe(b.transport.Snapshot)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.do(t.Context(), t, http.MethodGet, "/"); err != nil {
		t.Fatal(err)
	}
	if err := b.do(t.Context(), t, http.MethodGet, "/"); err == nil {
		t.Fatal("the breaker is closed")
	}
	if spans := b.told(); len(spans) != 1 {
		t.Errorf("spans: %q", spans)
	}
	events := []string{
		"resilience.breaker.changes{resilience.breaker.state=open,resilience.key=HOST} 1",
		"resilience.refusals{error.type=breaker_open,resilience.key=HOST} 1",
	}
	gauges := []string{
		"resilience.active_requests{resilience.key=HOST} 0",
		"resilience.breaker.count{resilience.breaker.state=closed,resilience.key=HOST} 0",
		"resilience.breaker.count{resilience.breaker.state=half-open,resilience.key=HOST} 0",
		"resilience.breaker.count{resilience.breaker.state=open,resilience.key=HOST} 1",
		"resilience.pending_requests{resilience.key=HOST} 0",
		"resilience.retry.budget{resilience.key=HOST} 500",
		"resilience.throttle.wait{resilience.key=HOST} 0",
	}
	want := slices.Concat(events, gauges)
	slices.Sort(want)
	equal(t, "metrics", b.measured(t, "resilience."), want)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	equal(t, "metrics without gauges", b.measured(t, "resilience."), events)
}

func TestObserveAddsUpWhatHasTheSameName(t *testing.T) {
	b := newBench(t, answers(), func(s *setup) {
		s.telemetry.Key = func(key string) string {
			service, _, _ := strings.Cut(key, "/")
			return service
		}
	})
	first := resilience.Snapshot{
		Breakers: []resilience.BreakerState{{Key: "graph", State: resilience.Closed, Budget: 12}},
		Throttles: []resilience.ThrottleState{
			{Key: "graph/ada", Rate: 8, InFlight: 3},
			{Key: "graph/bob", Rate: 5, InFlight: 1, Waiting: 2, RetryAfter: 1500 * time.Millisecond},
			{Key: "graph/cyd", RetryAfter: time.Second},
		},
	}
	second := resilience.Snapshot{
		Breakers: []resilience.BreakerState{
			{Key: "graph", State: resilience.HalfOpen, Budget: 7},
			{Key: "halo", State: resilience.Open, Budget: -1},
			{Key: "", State: resilience.Closed, Budget: -1},
		},
	}
	_, err := b.Observe(func() resilience.Snapshot { return first }, func() resilience.Snapshot { return second })
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "gauges", b.measured(t, "resilience."), []string{
		"resilience.active_requests{resilience.key=graph} 4",
		"resilience.breaker.count{resilience.breaker.state=closed,resilience.key=graph} 1",
		"resilience.breaker.count{resilience.breaker.state=closed,resilience.key=halo} 0",
		"resilience.breaker.count{resilience.breaker.state=closed} 1",
		"resilience.breaker.count{resilience.breaker.state=half-open,resilience.key=graph} 1",
		"resilience.breaker.count{resilience.breaker.state=half-open,resilience.key=halo} 0",
		"resilience.breaker.count{resilience.breaker.state=half-open} 0",
		"resilience.breaker.count{resilience.breaker.state=open,resilience.key=graph} 0",
		"resilience.breaker.count{resilience.breaker.state=open,resilience.key=halo} 1",
		"resilience.breaker.count{resilience.breaker.state=open} 0",
		"resilience.pending_requests{resilience.key=graph} 2",
		"resilience.retry.budget{resilience.key=graph} 7",
		"resilience.throttle.rate{resilience.key=graph} 5",
		"resilience.throttle.wait{resilience.key=graph} 1.5",
	})
}

func TestWaitsForATurn(t *testing.T) {
	b := newBench(t, answers(), func(s *setup) {
		s.resilience.Limits.Pacing = resilience.Pacing{Rate: 2, Burst: 1}
	})
	for range 2 {
		if err := b.do(t.Context(), t, http.MethodGet, "/"); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "waits", b.measured(t, "resilience.wait"), []string{
		"resilience.wait.duration{resilience.key=HOST,resilience.wait.reason=turn} 1",
	})
}

func TestDurationHasTheBucketsOfTheConventions(t *testing.T) {
	b := newBench(t, answers())
	if err := b.do(t.Context(), t, http.MethodGet, "/"); err != nil {
		t.Fatal(err)
	}
	var all metricdata.ResourceMetrics
	if err := b.metrics.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	m := all.ScopeMetrics[0].Metrics[0]
	data, ok := m.Data.(metricdata.Histogram[float64])
	if !ok || m.Unit != "s" {
		t.Fatalf("%s is a %T in %q", m.Name, m.Data, m.Unit)
	}
	want := []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}
	if point := data.DataPoints[0]; !slices.Equal(point.Bounds, want) || point.Sum <= 0 || point.Sum > 60 {
		t.Errorf("buckets %v, sum %v s", point.Bounds, point.Sum)
	}
}

func TestHooksAreKept(t *testing.T) {
	var told []string
	b := newBench(t, answers(503, 503), func(s *setup) {
		s.resilience.Breaker.Consecutive = 2
		s.resilience.Hooks = resilience.Hooks{
			Attempt:  func(e resilience.AttemptEvent) { told = append(told, "attempt "+e.Class.String()) },
			Retry:    func(e resilience.RetryEvent) { told = append(told, "retry "+e.Class.String()) },
			Throttle: func(e resilience.ThrottleEvent) { told = append(told, "throttle "+e.Class.String()) },
			Refuse:   func(resilience.RefuseEvent) { told = append(told, "refuse") },
			State:    func(e resilience.StateEvent) { told = append(told, "state "+string(e.To)) },
		}
	})
	_ = b.do(t.Context(), t, http.MethodGet, "/") // it is refused after two attempts, or returns the last answer
	_ = b.do(t.Context(), t, http.MethodGet, "/")
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, b.url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	b.transport.Hold(req, time.Minute)
	for _, want := range []string{"attempt transient", "retry transient", "throttle throttled", "refuse", "state open"} {
		if !slices.Contains(told, want) {
			t.Errorf("not told %q, but %q", want, told)
		}
	}
	if len(b.measured(t, "resilience.")) < 5 {
		t.Errorf("metrics: %q", b.measured(t, "resilience."))
	}
}

func TestCollectingWhileRequestsAreMade(t *testing.T) {
	b := newBench(t, answers(503, 503, 503))
	stop, err := b.Observe(b.transport.Snapshot)
	if err != nil {
		t.Fatal(err)
	}
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range 8 {
				if err := b.do(t.Context(), t, http.MethodGet, "/"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 20 {
		b.measured(t, "")
	}
	callers.Wait()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if n := len(b.spans.GetSpans()); n != 64+3 {
		t.Errorf("%d spans of 64 requests and 3 repetitions", n)
	}
}

func TestGlobalProviders(t *testing.T) {
	telemetry, err := otelresilience.New(otelresilience.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, answers())
	b.Telemetry = telemetry
	if b.transport, err = resilience.New(telemetry.Instrument(resilience.Options{Hosts: []string{b.url}})); err != nil {
		t.Fatal(err)
	}
	defer b.transport.CloseIdleConnections()
	if err := b.do(t.Context(), t, http.MethodGet, "/"); err != nil {
		t.Fatal(err)
	}
}

// broken makes no counters.
type broken struct{ noop.MeterProvider }

type brokenMeter struct{ noop.Meter }

var errBroken = errors.New("no counters here")

func (broken) Meter(string, ...metric.MeterOption) metric.Meter { return brokenMeter{} }

func (brokenMeter) Int64Counter(string, ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return nil, errBroken
}

func TestNewFailsWithoutInstruments(t *testing.T) {
	if _, err := otelresilience.New(otelresilience.Options{MeterProvider: broken{}}); !errors.Is(err, errBroken) {
		t.Errorf("error %v", err)
	}
}
