package otelresilience

import (
	"errors"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/semconv/v1.43.0/httpconv"
)

// instruments are told what happens when it does.
type instruments struct {
	duration  httpconv.ClientRequestDuration
	retries   metric.Int64Counter
	throttles metric.Int64Counter
	refusals  metric.Int64Counter
	changes   metric.Int64Counter
	waits     metric.Float64Histogram
}

// gauges are read from a snapshot.
type gauges struct {
	breakers metric.Int64ObservableUpDownCounter
	budget   metric.Int64ObservableGauge
	rate     metric.Float64ObservableGauge
	wait     metric.Float64ObservableGauge
	active   metric.Int64ObservableUpDownCounter
	pending  metric.Int64ObservableUpDownCounter
}

// all returns the gauges that a callback observes.
func (g *gauges) all() []metric.Observable {
	return []metric.Observable{g.breakers, g.budget, g.rate, g.wait, g.active, g.pending}
}

// maker makes instruments, and keeps the errors.
type maker struct {
	meter metric.Meter
	err   error
}

func (m *maker) instruments() instruments {
	duration, err := httpconv.NewClientRequestDuration(m.meter)
	m.err = errors.Join(m.err, err)
	waits, err := m.meter.Float64Histogram("resilience.wait.duration",
		metric.WithUnit("s"), metric.WithDescription("Waits before attempts."),
		metric.WithExplicitBucketBoundaries(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300))
	m.err = errors.Join(m.err, err)
	return instruments{
		duration:  duration,
		retries:   m.counter("resilience.retries", "{retry}", "Repetitions of requests."),
		throttles: m.counter("resilience.throttles", "{answer}", "Answers that refuse or ask for a wait."),
		refusals:  m.counter("resilience.refusals", "{request}", "Requests that may not be attempted, or not again."),
		changes:   m.counter("resilience.breaker.changes", "{change}", "Changes of circuit breakers, by their new state."),
		waits:     waits,
	}
}

func (m *maker) gauges() gauges {
	budget, err := m.meter.Int64ObservableGauge("resilience.retry.budget",
		metric.WithUnit("{token}"), metric.WithDescription("What is left for repetitions."))
	m.err = errors.Join(m.err, err)
	return gauges{
		breakers: m.sum("resilience.breaker.count", "{breaker}", "Circuit breakers in each state."),
		budget:   budget,
		rate:     m.gauge("resilience.throttle.rate", "{request}/s", "Requests a second that are let through."),
		wait:     m.gauge("resilience.throttle.wait", "s", "Time until the server may be asked again."),
		active:   m.sum("resilience.active_requests", "{request}", "Requests whose answers are not read yet."),
		pending:  m.sum("resilience.pending_requests", "{request}", "Requests that have not been let through."),
	}
}

func (m *maker) counter(name, unit, description string) metric.Int64Counter {
	c, err := m.meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(description))
	m.err = errors.Join(m.err, err)
	return c
}

func (m *maker) sum(name, unit, description string) metric.Int64ObservableUpDownCounter {
	c, err := m.meter.Int64ObservableUpDownCounter(name, metric.WithUnit(unit), metric.WithDescription(description))
	m.err = errors.Join(m.err, err)
	return c
}

func (m *maker) gauge(name, unit, description string) metric.Float64ObservableGauge {
	g, err := m.meter.Float64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(description))
	m.err = errors.Join(m.err, err)
	return g
}
