package otelresilience_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/msptoolbelt/toolbelt/resilience"
	"github.com/msptoolbelt/toolbelt/resilience/otelresilience"
)

// bench is a transport whose telemetry is kept in memory.
type bench struct {
	*otelresilience.Telemetry
	traces    *sdktrace.TracerProvider
	spans     *tracetest.InMemoryExporter
	metrics   *sdkmetric.ManualReader
	transport *resilience.Transport
	url       string // of the server
}

type setup struct {
	telemetry  otelresilience.Options
	resilience resilience.Options
	trace      []sdktrace.TracerProviderOption
}

func newBench(t *testing.T, handler http.HandlerFunc, change ...func(*setup)) *bench {
	t.Helper()
	b := &bench{spans: tracetest.NewInMemoryExporter(), metrics: sdkmetric.NewManualReader()}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	s := setup{trace: []sdktrace.TracerProviderOption{sdktrace.WithSyncer(b.spans)}}
	s.resilience.Hosts = []string{server.URL}
	s.resilience.Retry.BaseDelay = time.Millisecond
	for _, f := range change {
		f(&s)
	}
	b.url = s.resilience.Hosts[0]
	b.traces = sdktrace.NewTracerProvider(s.trace...)
	s.telemetry.TracerProvider = b.traces
	s.telemetry.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(b.metrics))
	var err error
	if b.Telemetry, err = otelresilience.New(s.telemetry); err != nil {
		t.Fatal(err)
	}
	if b.transport, err = resilience.New(b.Instrument(s.resilience)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.transport.CloseIdleConnections)
	return b
}

// do sends a request and reads its answer.
func (b *bench) do(ctx context.Context, t *testing.T, method, path string) error {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, b.url+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := b.transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// host is the server's, as it is in keys and addresses.
func (b *bench) host() string { return b.url[strings.Index(b.url, "//")+2:] }

// told returns the spans that have ended: name, status and attributes.
func (b *bench) told() []string {
	var told []string
	for _, s := range b.spans.GetSpans() {
		set := attribute.NewSet(s.Attributes...)
		told = append(told, b.plain(fmt.Sprintf("%s %s %s{%s}", s.SpanKind, s.Name, s.Status.Code, set.Encoded(attribute.DefaultEncoder()))))
	}
	return told
}

func (b *bench) plain(text string) string {
	address, port, found := strings.Cut(b.host(), ":")
	names := []string{b.host(), "HOST", "server.address=" + address, "server.address=ADDRESS"}
	if found {
		names = append(names, "server.port="+port, "server.port=PORT")
	}
	return strings.NewReplacer(names...).Replace(text)
}

// measured returns each series of the metrics whose names have the prefix, with
// its value, or its count if it is a histogram.
func (b *bench) measured(t *testing.T, prefix string) []string {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := b.metrics.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if !strings.HasPrefix(m.Name, prefix) {
				continue
			}
			tell := func(set attribute.Set, value any) {
				told = append(told, b.plain(fmt.Sprintf("%s{%s} %v", m.Name, set.Encoded(attribute.DefaultEncoder()), value)))
			}
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				points(data.DataPoints, tell)
			case metricdata.Gauge[int64]:
				points(data.DataPoints, tell)
			case metricdata.Gauge[float64]:
				points(data.DataPoints, tell)
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					tell(p.Attributes, p.Count)
				}
			default:
				t.Errorf("%s is a %T", m.Name, data)
			}
		}
	}
	slices.Sort(told)
	return told
}

func points[N int64 | float64](points []metricdata.DataPoint[N], tell func(attribute.Set, any)) {
	for _, p := range points {
		tell(p.Attributes, p.Value)
	}
}

func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n%s\nwant:\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answers returns a handler that answers with each status in turn, then 200.
func answers(statuses ...int) http.HandlerFunc {
	next := make(chan int, len(statuses))
	for _, status := range statuses {
		next <- status
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		select {
		case status := <-next:
			w.WriteHeader(status)
		default:
		}
	}
}
