package otelresilience_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/msptoolbelt/toolbelt/resilience"
	"github.com/msptoolbelt/toolbelt/resilience/otelresilience"
)

func Example() {
	// A service that is busy once, and exporters that keep what they are given.
	server := httptest.NewServer(answers(http.StatusTooManyRequests))
	defer server.Close()
	spans, metrics := tracetest.NewInMemoryExporter(), sdkmetric.NewManualReader()

	telemetry, err := otelresilience.New(otelresilience.Options{
		TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)),
		MeterProvider:  sdkmetric.NewMeterProvider(sdkmetric.WithReader(metrics)),
		Template: func(r *http.Request) string {
			if strings.HasPrefix(r.URL.Path, "/users/") {
				return "/users/{id}"
			}
			return ""
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	transport, err := resilience.New(telemetry.Instrument(resilience.Options{Hosts: []string{server.URL}}))
	if err != nil {
		log.Fatal(err)
	}
	stop, err := telemetry.Observe(transport.Snapshot)
	if err != nil {
		log.Fatal(err)
	}
	defer stop() //nolint:errcheck // the program ends

	resp, err := transport.Client().Get(server.URL + "/users/ada@contoso.example")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()

	for _, span := range spans.GetSpans() {
		fmt.Println(span.Name, span.Status.Code)
	}
	var collected metricdata.ResourceMetrics
	if err := metrics.Collect(context.Background(), &collected); err != nil {
		log.Fatal(err)
	}
	for _, m := range collected.ScopeMetrics[0].Metrics {
		fmt.Println(m.Name, m.Unit)
	}
	// Unordered output:
	// GET /users/{id} Error
	// GET /users/{id} Unset
	// http.client.request.duration s
	// resilience.retries {retry}
	// resilience.throttles {answer}
	// resilience.wait.duration s
	// resilience.active_requests {request}
	// resilience.breaker.count {breaker}
	// resilience.pending_requests {request}
	// resilience.retry.budget {token}
	// resilience.throttle.wait s
}
