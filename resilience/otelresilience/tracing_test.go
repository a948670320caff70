package otelresilience_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"testing"

	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/msptoolbelt/toolbelt/resilience"
)

func TestSpanOfAnAttempt(t *testing.T) {
	b := newBench(t, func(_ http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"Traceparent", "Tracestate", "Baggage"} {
			if r.Header.Get(name) != "" {
				t.Errorf("the service is told %s", name)
			}
		}
	})
	ctx, parent := b.traces.Tracer("caller").Start(t.Context(), "call")
	if err := b.do(ctx, t, http.MethodGet, "/users/ada@contoso.example?$top=1"); err != nil {
		t.Fatal(err)
	}
	equal(t, "spans", b.told(), []string{
		"client GET Unset{http.request.method=GET,http.response.status_code=200,network.protocol.version=1.1,server.address=ADDRESS,server.port=PORT,url.full=http://HOST}",
	})
	span := b.spans.GetSpans()[0]
	if span.Parent.SpanID() != parent.SpanContext().SpanID() {
		t.Error("the span is not the child of the caller's")
	}
	if got := span.InstrumentationScope.SchemaURL; got != "https://opentelemetry.io/schemas/1.43.0" {
		t.Errorf("schema %q", got)
	}
	equal(t, "durations", b.measured(t, "http."), []string{
		"http.client.request.duration{http.request.method=GET,http.response.status_code=200,network.protocol.version=1.1,server.address=ADDRESS,server.port=PORT} 1",
	})
	equal(t, "others", b.measured(t, "resilience."), nil)
}

func TestEachAttemptIsASpan(t *testing.T) {
	b := newBench(t, answers(503, 502))
	if err := b.do(t.Context(), t, http.MethodPut, "/"); err != nil {
		t.Fatal(err)
	}
	const server = "network.protocol.version=1.1,server.address=ADDRESS,server.port=PORT"
	equal(t, "spans", b.told(), []string{
		"client PUT Error{error.type=503,http.request.method=PUT,http.response.status_code=503," + server + ",url.full=http://HOST}",
		"client PUT Error{error.type=502,http.request.method=PUT,http.request.resend_count=1,http.response.status_code=502," + server + ",url.full=http://HOST}",
		"client PUT Unset{http.request.method=PUT,http.request.resend_count=2,http.response.status_code=200," + server + ",url.full=http://HOST}",
	})
	equal(t, "durations", b.measured(t, "http."), []string{
		"http.client.request.duration{error.type=502,http.request.method=PUT,http.response.status_code=502," + server + "} 1",
		"http.client.request.duration{error.type=503,http.request.method=PUT,http.response.status_code=503," + server + "} 1",
		"http.client.request.duration{http.request.method=PUT,http.response.status_code=200," + server + "} 1",
	})
	equal(t, "retries", b.measured(t, "resilience."), []string{
		"resilience.retries{resilience.class=transient,resilience.key=HOST} 2",
		"resilience.wait.duration{resilience.key=HOST,resilience.wait.reason=retry} 2",
	})
}

func TestTemplateAndMethods(t *testing.T) {
	b := newBench(t, answers(), func(s *setup) {
		s.telemetry.Template = func(r *http.Request) string {
			if r.Method == http.MethodDelete {
				return ""
			}
			return "/users/{id}"
		}
	})
	for _, method := range []string{http.MethodGet, http.MethodDelete, "QUERY", "get", "COPY"} {
		if err := b.do(t.Context(), t, method, "/users/ada"); err != nil {
			t.Fatal(err)
		}
	}
	const rest = "http.response.status_code=200,network.protocol.version=1.1,server.address=ADDRESS,server.port=PORT,url.full=http://HOST"
	const template = rest + "/users/{id},url.template=/users/{id}}"
	equal(t, "spans", b.told(), []string{
		"client GET /users/{id} Unset{http.request.method=GET," + template,
		"client DELETE Unset{http.request.method=DELETE," + rest + "}",
		"client QUERY /users/{id} Unset{http.request.method=QUERY," + template,
		"client HTTP /users/{id} Unset{http.request.method=_OTHER,http.request.method_original=get," + template,
		"client HTTP /users/{id} Unset{http.request.method=_OTHER,http.request.method_original=COPY," + template,
	})
	const measured = "http.response.status_code=200,network.protocol.version=1.1,server.address=ADDRESS,server.port=PORT"
	equal(t, "durations", b.measured(t, "http."), []string{
		"http.client.request.duration{http.request.method=DELETE," + measured + "} 1",
		"http.client.request.duration{http.request.method=GET," + measured + ",url.template=/users/{id}} 1",
		"http.client.request.duration{http.request.method=QUERY," + measured + ",url.template=/users/{id}} 1",
		"http.client.request.duration{http.request.method=_OTHER," + measured + ",url.template=/users/{id}} 2",
	})
}

func TestPortOfTheScheme(t *testing.T) {
	b := newBench(t, answers(), func(s *setup) {
		s.resilience.Hosts = []string{"https://api.example"}
		s.resilience.Base = roundTripper(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Proto: "HTTP/2.0", ProtoMajor: 2, Body: http.NoBody, Request: r}, nil
		})
	})
	if err := b.do(t.Context(), t, http.MethodGet, "/x"); err != nil {
		t.Fatal(err)
	}
	equal(t, "spans", b.told(), []string{
		"client GET Unset{http.request.method=GET,http.response.status_code=200,network.protocol.version=2,server.address=ADDRESS,server.port=443,url.full=https://HOST}",
	})
}

func TestAnswersAreStreamedAndMayBeLeftUnread(t *testing.T) {
	more := make(chan struct{})
	b := newBench(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "first\n")
		_ = http.NewResponseController(w).Flush()
		<-more
		fmt.Fprint(w, "second\n")
	})
	get := func() *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := b.transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	resp := get()
	defer resp.Body.Close()
	unread := get()
	defer unread.Body.Close()
	if spans := b.spans.GetSpans(); len(spans) != 2 {
		t.Errorf("%d spans have ended before the bodies", len(spans))
	}
	lines := bufio.NewReader(resp.Body)
	if line, err := lines.ReadString('\n'); line != "first\n" || err != nil {
		t.Errorf("read %q, %v", line, err)
	}
	close(more)
	if line, err := lines.ReadString('\n'); line != "second\n" || err != nil {
		t.Errorf("read %q, %v", line, err)
	}
}

func TestPropagationIfAsked(t *testing.T) {
	told := make(chan string, 1)
	b := newBench(t, func(_ http.ResponseWriter, r *http.Request) { told <- r.Header.Get("Traceparent") }, func(s *setup) {
		s.telemetry.Propagator = propagation.TraceContext{}
	})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = nil
	resp, err := b.transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	span := b.spans.GetSpans()[0].SpanContext
	if got, want := <-told, "00-"+span.TraceID().String()+"-"+span.SpanID().String()+"-01"; got != want {
		t.Errorf("traceparent %q, want %q", got, want)
	}
	if req.Header != nil {
		t.Error("the caller's request was changed")
	}
}

func TestNothingIsCopiedForASpanThatIsNotRecorded(t *testing.T) {
	var seen *http.Request
	var within trace.SpanContext
	base := roundTripper(func(r *http.Request) (*http.Response, error) {
		seen, within = r, trace.SpanContextFromContext(r.Context())
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
	})
	send := func(sampler sdktrace.Sampler) (*http.Request, *bench) {
		b := newBench(t, answers(), func(s *setup) { s.trace = append(s.trace, sdktrace.WithSampler(sampler)) })
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, b.url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := b.Instrument(resilience.Options{Base: base}).Base.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return req, b
	}
	if req, b := send(sdktrace.NeverSample()); seen != req || len(b.spans.GetSpans()) != 0 {
		t.Error("the request was copied for nothing")
	} else if len(b.measured(t, "http.")) != 1 {
		t.Error("the attempt was not measured")
	}
	if _, b := send(sdktrace.AlwaysSample()); within.SpanID() != b.spans.GetSpans()[0].SpanContext.SpanID() {
		t.Error("the base does not know the span that it is in")
	}
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	closed := false
	b := newBench(t, answers(), func(s *setup) {
		s.resilience.Base = idle{resilience.NewBase(), func() { closed = true }}
	})
	b.transport.CloseIdleConnections()
	if !closed {
		t.Error("the base was not told")
	}
}

type idle struct {
	http.RoundTripper
	close func()
}

func (i idle) CloseIdleConnections() { i.close() }
