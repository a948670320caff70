package otelresilience

import (
	"context"
	"net/http"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/msptoolbelt/toolbelt/resilience"
)

const scope = "github.com/msptoolbelt/toolbelt/resilience/otelresilience"

// Attributes that the conventions do not have.
const (
	keyKey    = attribute.Key("resilience.key")
	classKey  = attribute.Key("resilience.class")
	reasonKey = attribute.Key("resilience.wait.reason")
	stateKey  = attribute.Key("resilience.breaker.state")
)

// Options configure [New]. The zero value uses the global providers.
type Options struct {
	TracerProvider trace.TracerProvider // nil: the global one
	MeterProvider  metric.MeterProvider // nil: the global one
	// Propagator adds the span's context to the headers of requests. Nil adds
	// nothing, which is right for services of others.
	Propagator propagation.TextMapPropagator
	// Template returns what a request's path is made from, such as
	// "/users/{id}/messages", for url.template, url.full and the span's name,
	// or "". It begins with a slash, is one of few, and has nothing of the
	// request itself in it.
	Template func(*http.Request) string
	// Key names a breaker or throttle key of package resilience in attributes;
	// nil names it as it is. Use it if keys are personal or too many: those of
	// the same name are added up, and "" leaves the attribute out.
	Key func(string) string
	// Methods are the known ones: any other is "_OTHER". Nil are those of
	// RFC 9110, PATCH and QUERY.
	Methods []string
}

// Telemetry tells of transports. It is safe for concurrent use.
type Telemetry struct {
	options     Options
	tracer      trace.Tracer
	meter       metric.Meter
	instruments instruments
	gauges      gauges
}

// New returns a Telemetry. It fails if the MeterProvider does not make an
// instrument.
func New(options Options) (*Telemetry, error) {
	if options.TracerProvider == nil {
		options.TracerProvider = otel.GetTracerProvider()
	}
	if options.MeterProvider == nil {
		options.MeterProvider = otel.GetMeterProvider()
	}
	if options.Key == nil {
		options.Key = func(key string) string { return key }
	}
	if options.Methods == nil {
		options.Methods = []string{
			http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete,
			http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodConnect, "QUERY",
		}
	}
	t := &Telemetry{
		options: options,
		tracer:  options.TracerProvider.Tracer(scope, trace.WithSchemaURL(semconv.SchemaURL)),
		meter:   options.MeterProvider.Meter(scope, metric.WithSchemaURL(semconv.SchemaURL)),
	}
	m := maker{meter: t.meter}
	t.instruments, t.gauges = m.instruments(), m.gauges()
	if m.err != nil {
		return nil, m.err
	}
	return t, nil
}

// Instrument returns options whose transport tells t of its attempts. Hooks
// that are set are kept, and called first. A nil Base becomes
// [resilience.NewBase]: for a service on premises, set Base to
// [resilience.NewPrivateBase] before.
func (t *Telemetry) Instrument(options resilience.Options) resilience.Options {
	if options.Base == nil {
		options.Base = resilience.NewBase()
	}
	options.Base = &tracing{t, options.Base}
	hooks := &options.Hooks
	hooks.Attempt = both(hooks.Attempt, t.attempted)
	hooks.Retry = both(hooks.Retry, t.retries)
	hooks.Throttle = both(hooks.Throttle, t.throttled)
	hooks.Refuse = both(hooks.Refuse, t.refused)
	hooks.State = both(hooks.State, t.changed)
	return options
}

func both[Event any](first, second func(Event)) func(Event) {
	if first == nil {
		return second
	}
	return func(e Event) {
		first(e)
		second(e)
	}
}

func (t *Telemetry) attempted(e resilience.AttemptEvent) {
	if e.Waited > 0 {
		t.waits(e.Request.Context(), e.Keys.Breaker, "turn", e.Waited)
	}
}

func (t *Telemetry) retries(e resilience.RetryEvent) {
	ctx := e.Request.Context()
	t.count(ctx, t.instruments.retries, e.Keys.Breaker, classKey.String(e.Class.String()))
	t.waits(ctx, e.Keys.Breaker, "retry", e.Wait)
}

func (t *Telemetry) throttled(e resilience.ThrottleEvent) {
	t.count(e.Request.Context(), t.instruments.throttles, e.Keys.Breaker, classKey.String(e.Class.String()))
}

func (t *Telemetry) refused(e resilience.RefuseEvent) {
	ctx := e.Request.Context()
	t.count(ctx, t.instruments.refusals, e.Keys.Breaker, semconv.ErrorTypeKey.String(refusalType(ctx, e.Err)))
}

func (t *Telemetry) changed(e resilience.StateEvent) {
	t.count(context.Background(), t.instruments.changes, e.Key, stateKey.String(string(e.To)))
}

func (t *Telemetry) count(ctx context.Context, counter metric.Int64Counter, key string, attributes ...attribute.KeyValue) {
	if counter.Enabled(ctx) {
		counter.Add(ctx, 1, t.labelled(key, attributes...))
	}
}

func (t *Telemetry) waits(ctx context.Context, key, reason string, wait time.Duration) {
	if h := t.instruments.waits; h.Enabled(ctx) {
		h.Record(ctx, wait.Seconds(), t.labelled(key, reasonKey.String(reason)))
	}
}

// labelled returns attributes with the name of a key.
func (t *Telemetry) labelled(key string, attributes ...attribute.KeyValue) metric.MeasurementOption {
	return named(t.options.Key(key), attributes...)
}

func named(name string, attributes ...attribute.KeyValue) metric.MeasurementOption {
	if name != "" {
		attributes = append(attributes, keyKey.String(name))
	}
	return metric.WithAttributeSet(attribute.NewSet(attributes...))
}
