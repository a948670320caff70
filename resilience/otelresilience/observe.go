package otelresilience

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/msptoolbelt/toolbelt/resilience"
)

// Observe reads the gauges from snapshots whenever metrics are collected, such
// as from the method Snapshot of a transport, until stop is called. Several
// transports whose keys have the same names are to be observed as one: their
// snapshots are added up.
func (t *Telemetry) Observe(snapshots ...func() resilience.Snapshot) (stop func() error, err error) {
	read := func(_ context.Context, o metric.Observer) error {
		v := view{breakers: map[string]breaker{}, throttles: map[string]throttle{}}
		for _, snapshot := range snapshots {
			v.add(snapshot(), t.options.Key)
		}
		v.tell(o, &t.gauges)
		return nil
	}
	registration, err := t.meter.RegisterCallback(read, t.gauges.all()...)
	if err != nil {
		return nil, fmt.Errorf("otelresilience: %w", err)
	}
	return registration.Unregister, nil
}

// view is what snapshots say, by the names of keys.
type view struct {
	breakers  map[string]breaker
	throttles map[string]throttle
}

type breaker struct {
	closed, open, halfOpen int64
	budgeted               bool
	budget                 int64 // the least
}

type throttle struct {
	rate            float64       // the lowest; 0 is unlimited
	wait            time.Duration // the longest
	active, pending int64
}

func (v *view) add(s resilience.Snapshot, name func(string) string) {
	for _, state := range s.Breakers {
		key := name(state.Key)
		b := v.breakers[key]
		switch state.State {
		case resilience.Closed:
			b.closed++
		case resilience.Open:
			b.open++
		case resilience.HalfOpen:
			b.halfOpen++
		}
		if left := int64(state.Budget); left >= 0 && (!b.budgeted || left < b.budget) {
			b.budgeted, b.budget = true, left
		}
		v.breakers[key] = b
	}
	for _, state := range s.Throttles {
		key := name(state.Key)
		t := v.throttles[key]
		if state.Rate > 0 && (t.rate == 0 || state.Rate < t.rate) {
			t.rate = state.Rate
		}
		t.wait = max(t.wait, state.RetryAfter)
		t.active += int64(state.InFlight)
		t.pending += int64(state.Waiting)
		v.throttles[key] = t
	}
}

func (v *view) tell(o metric.Observer, g *gauges) {
	for name, b := range v.breakers {
		for state, n := range map[resilience.State]int64{resilience.Closed: b.closed, resilience.Open: b.open, resilience.HalfOpen: b.halfOpen} {
			o.ObserveInt64(g.breakers, n, named(name, stateKey.String(string(state))))
		}
		if b.budgeted {
			o.ObserveInt64(g.budget, b.budget, named(name))
		}
	}
	for name, t := range v.throttles {
		attributes := named(name)
		if t.rate > 0 {
			o.ObserveFloat64(g.rate, t.rate, attributes)
		}
		o.ObserveFloat64(g.wait, t.wait.Seconds(), attributes)
		o.ObserveInt64(g.active, t.active, attributes)
		o.ObserveInt64(g.pending, t.pending, attributes)
	}
}
