package main

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Flaky is how a contender fares on a server that fails three times in ten.
type Flaky struct {
	Calls       int
	Success     float64 // %
	PerCall     float64 // requests that reached the server
	Connections int64   // TCP connections opened
	P99         float64 // ms, of the good calls
}

// flaky lets 64 workers make GETs of which the server fails 30 % with a 503
// and an error page of 16 KiB; until there are that many, or the time is up.
func flaky(c contender, calls int, limit time.Duration) (Flaky, error) {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // chance that repeats
	server := serve(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		fail := random.Float64() < 0.3
		mu.Unlock()
		time.Sleep(2 * time.Millisecond)
		if fail {
			answer(w, http.StatusServiceUnavailable, len(filler))
			return
		}
		answer(w, http.StatusOK, 1<<10)
	})
	defer server.end()
	client, err := c.open(server.URL, server.base)
	if err != nil {
		return Flaky{}, err
	}
	var left atomic.Int64
	left.Store(int64(calls))
	until := time.Now().Add(limit)
	done := load(client, server.URL, 10*time.Millisecond, func() bool { return left.Add(-1) >= 0 && time.Now().Before(until) })
	good := make([]call, 0, len(done))
	for _, d := range done {
		if d.good {
			good = append(good, d)
		}
	}
	return Flaky{
		Calls:       len(done),
		Success:     100 * float64(len(good)) / float64(len(done)),
		PerCall:     float64(server.requests.Load()) / float64(len(done)),
		Connections: server.opened.Load(),
		P99:         milliseconds(percentile(good, 0.99)),
	}, nil
}
