package otelresilience

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/msptoolbelt/toolbelt/resilience"
)

// tracing is the transport below a [resilience.Transport]: what it sees is one
// attempt.
type tracing struct {
	telemetry *Telemetry
	base      http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
//
// https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span
func (t *tracing) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	telemetry := t.telemetry
	d := telemetry.describe(req)
	ctx, span := telemetry.tracer.Start(req.Context(), d.spanName(), trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(d.atStart()...))
	out := outcome{errorType: "panic"}
	start := time.Now()
	// In a function of its own, so that the span is not told the text of a panic.
	defer func() {
		telemetry.record(ctx, time.Since(start), d, out)
		out.end(span)
	}()
	resp, err = t.base.RoundTrip(telemetry.prepare(ctx, req, span))
	out = outcomeOf(req.Context(), resp, err)
	return resp, err
}

// CloseIdleConnections lets [http.Client.CloseIdleConnections] reach the base.
func (t *tracing) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// prepare copies the request if the base has to see something else.
func (t *Telemetry) prepare(ctx context.Context, req *http.Request, span trace.Span) *http.Request {
	if t.options.Propagator == nil && !span.IsRecording() {
		return req
	}
	req = req.WithContext(ctx)
	if t.options.Propagator != nil {
		header := req.Header.Clone()
		if header == nil {
			header = http.Header{}
		}
		t.options.Propagator.Inject(ctx, propagation.HeaderCarrier(header))
		req.Header = header
	}
	return req
}

// description is what may be told of a request.
type description struct {
	method   string // as it is known, or "_OTHER"
	original string // if that is another
	scheme   string
	host     string // and port, as in the URL
	address  string
	port     int
	template string
	resends  int
}

func (t *Telemetry) describe(req *http.Request) description {
	d := description{
		method: req.Method, scheme: req.URL.Scheme, host: req.URL.Host, address: req.URL.Hostname(),
		resends: resilience.Resends(req.Context()),
	}
	if d.method == "" {
		d.method = http.MethodGet
	}
	if !slices.Contains(t.options.Methods, d.method) {
		d.method, d.original = "_OTHER", d.method
	}
	var err error
	if d.port, err = strconv.Atoi(req.URL.Port()); err != nil {
		d.port = 443
		if d.scheme == "http" {
			d.port = 80
		}
	}
	if t.options.Template != nil {
		d.template = t.options.Template(req)
	}
	return d
}

func (d *description) spanName() string {
	name := d.method
	if d.original != "" {
		name = "HTTP"
	}
	if d.template != "" {
		name += " " + d.template
	}
	return name
}

// atStart returns the attributes of a new span.
func (d *description) atStart() []attribute.KeyValue {
	attributes := make([]attribute.KeyValue, 0, 7)
	attributes = append(attributes,
		semconv.HTTPRequestMethodKey.String(d.method),
		semconv.ServerAddress(d.address),
		semconv.ServerPort(d.port),
		semconv.URLFull(d.scheme+"://"+d.host+d.template),
	)
	if d.original != "" {
		attributes = append(attributes, semconv.HTTPRequestMethodOriginal(d.original))
	}
	if d.template != "" {
		attributes = append(attributes, semconv.URLTemplate(d.template))
	}
	if d.resends > 0 {
		attributes = append(attributes, semconv.HTTPRequestResendCount(d.resends))
	}
	return attributes
}

// outcome is what may be told of an answer, or of its absence.
type outcome struct {
	status    int    // 0 without an answer
	protocol  string // "1.1", "2"
	errorType string // "" if it is none
}

func outcomeOf(ctx context.Context, resp *http.Response, err error) outcome {
	switch {
	case err != nil:
		return outcome{errorType: errorType(ctx, err)}
	case resp == nil:
		return outcome{errorType: "_OTHER"}
	}
	out := outcome{status: resp.StatusCode}
	switch {
	case resp.ProtoMajor > 1:
		out.protocol = strconv.Itoa(resp.ProtoMajor)
	case resp.ProtoMajor == 1:
		out.protocol = "1." + strconv.Itoa(resp.ProtoMinor)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		out.errorType = strconv.Itoa(resp.StatusCode)
	}
	return out
}

func (o *outcome) attributes(to []attribute.KeyValue) []attribute.KeyValue {
	if o.status > 0 {
		to = append(to, semconv.HTTPResponseStatusCode(o.status))
	}
	if o.protocol != "" {
		to = append(to, semconv.NetworkProtocolVersion(o.protocol))
	}
	if o.errorType != "" {
		to = append(to, semconv.ErrorTypeKey.String(o.errorType))
	}
	return to
}

func (o *outcome) end(span trace.Span) {
	if span.IsRecording() {
		span.SetAttributes(o.attributes(make([]attribute.KeyValue, 0, 3))...)
		if o.errorType != "" {
			span.SetStatus(codes.Error, "")
		}
	}
	span.End()
}

// record measures an attempt. The context is that of its span, for exemplars.
func (t *Telemetry) record(ctx context.Context, took time.Duration, d description, out outcome) {
	duration := t.instruments.duration
	if !duration.Enabled(ctx) {
		return
	}
	attributes := make([]attribute.KeyValue, 0, 7)
	attributes = append(attributes,
		semconv.HTTPRequestMethodKey.String(d.method),
		semconv.ServerAddress(d.address),
		semconv.ServerPort(d.port),
	)
	if d.template != "" {
		attributes = append(attributes, semconv.URLTemplate(d.template))
	}
	duration.RecordSet(ctx, took.Seconds(), attribute.NewSet(out.attributes(attributes)...))
}
