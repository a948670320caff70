package resilience_test

import (
	"net/http"
	"testing"

	"github.com/msptoolbelt/toolbelt/resilience"
)

// What a caller says holds for the requests of a library that says more.
func TestCallsWithinCalls(t *testing.T) {
	no, yes := false, true
	for _, test := range []struct {
		name         string
		method       string
		outer, inner resilience.Call
		want         int64 // requests
	}{
		{"not to be repeated", "PUT", resilience.Call{Idempotent: &no}, resilience.Call{}, 1},
		{"not to be repeated, whatever the library says", "PUT", resilience.Call{Idempotent: &no}, resilience.Call{Idempotent: &yes}, 1},
		{"to be repeated, but the library knows better", "PUT", resilience.Call{Idempotent: &yes}, resilience.Call{Idempotent: &no}, 1},
		{"to be repeated", "POST", resilience.Call{Idempotent: &yes}, resilience.Call{}, 4},
		{"twice at most", "PUT", resilience.Call{MaxAttempts: 2}, resilience.Call{MaxResponseBytes: 1 << 20}, 2},
		{"the inner number counts", "PUT", resilience.Call{MaxAttempts: 2}, resilience.Call{MaxAttempts: 3}, 3},
	} {
		server, count := serve(t, func(_ int64, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
		client := newClient(t, resilience.Options{Hosts: []string{server.URL}, Retry: quick})
		var outer, inner resilience.Stats
		test.outer.Stats, test.inner.Stats = &outer, &inner
		ctx := resilience.With(t.Context(), test.outer)
		if _, _, err := do(resilience.With(ctx, test.inner), t, client, test.method, server.URL, "payload"); err != nil {
			t.Fatal(err)
		}
		if count.Load() != test.want || int64(outer.Attempts) != test.want || outer != inner {
			t.Errorf("%s: %d requests, stats %+v and %+v", test.name, count.Load(), outer, inner)
		}
	}
}
