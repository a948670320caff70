package resilience_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/resilience"
)

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// BenchmarkOverhead compares a successful request through the transport with
// the same request without it, on a base that costs nothing and on loopback.
func BenchmarkOverhead(b *testing.B) {
	empty := roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	b.Cleanup(server.Close)
	network := resilience.NewBase()
	b.Cleanup(network.CloseIdleConnections)
	for _, base := range []struct {
		name string
		http.RoundTripper
	}{{"stub", empty}, {"loopback", network}} {
		wrapped, err := resilience.New(resilience.Options{Base: base, Hosts: []string{server.URL}})
		if err != nil {
			b.Fatal(err)
		}
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			b.Run(base.name+"/"+method+"/bare", func(b *testing.B) { benchmark(b, base, method, server.URL) })
			b.Run(base.name+"/"+method+"/resilient", func(b *testing.B) { benchmark(b, wrapped, method, server.URL) })
		}
	}
}

func benchmark(b *testing.B, transport http.RoundTripper, method, url string) {
	// Callers have a deadline; without one, each attempt needs a timer of its own.
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	b.Cleanup(cancel)
	b.ReportAllocs()
	for b.Loop() {
		req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader("x"))
		if err != nil {
			b.Fatal(err)
		}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			b.Fatal(err)
		}
		resp.Body.Close()
	}
}
