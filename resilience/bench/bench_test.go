package main

import (
	"context"
	"net/http"
	"testing"
	"time"
)

// BenchmarkSuccess is a call that goes well, on a base transport that costs
// nothing and over loopback.
func BenchmarkSuccess(b *testing.B) {
	server := serve(func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, 100) })
	b.Cleanup(server.end)
	for _, base := range []struct {
		name string
		http.RoundTripper
	}{{"stub", stub{}}, {"loopback", server.base}} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			for _, c := range contenders() {
				b.Run(base.name+"/"+method+"/"+c.Name, func(b *testing.B) {
					client, err := c.open(server.URL, base.RoundTripper)
					if err != nil {
						b.Fatal(err)
					}
					ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
					defer cancel()
					r := rig{url: server.URL, method: method}
					b.ReportAllocs()
					for b.Loop() {
						if err := r.call(ctx, client); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}
