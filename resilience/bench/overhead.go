package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Overhead is what a call costs, and what it costs more than with the bare
// transport. In many rounds the contenders take turns, in any order. Times are of the fastest round: what else the machine does can only make
// one slower. Ratios are the median of those to the bare transport in the same
// round, since the machine is faster in some hours than in others.
type Overhead struct {
	StubGet, StubPost         Cost // on a base transport that does nothing
	LoopbackGet, LoopbackPost Cost // over http
	TLSGet, TLSPost           Cost // over https, as APIs are reached
	Open                      Cost // while the circuit breaker is open
}

// Cost of one call.
type Cost struct {
	Nanoseconds float64
	Ratio       float64 // to the bare transport
	Allocations float64 // beyond those of the bare transport
	Bytes       float64 // the same
}

// A rig is one way to call all contenders.
type rig struct {
	clients []http.RoundTripper
	url     string
	method  string
	calls   int // per round
	rounds  int
}

// overheads measures all contenders together, of which the first is the bare
// transport.
func overheads(list []contender, rounds int) ([]Overhead, error) {
	all := make([]Overhead, len(list))
	handler := func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, 100) }
	plain, secure := serve(handler), serveTLS(handler)
	defer plain.end()
	defer secure.end()
	for _, m := range []struct {
		site   *site
		base   http.RoundTripper
		method string
		into   func(*Overhead) *Cost
	}{
		{plain, stub{}, http.MethodGet, func(o *Overhead) *Cost { return &o.StubGet }},
		{plain, stub{}, http.MethodPost, func(o *Overhead) *Cost { return &o.StubPost }},
		{plain, plain.base, http.MethodGet, func(o *Overhead) *Cost { return &o.LoopbackGet }},
		{plain, plain.base, http.MethodPost, func(o *Overhead) *Cost { return &o.LoopbackPost }},
		{secure, secure.base, http.MethodGet, func(o *Overhead) *Cost { return &o.TLSGet }},
		{secure, secure.base, http.MethodPost, func(o *Overhead) *Cost { return &o.TLSPost }},
	} {
		r := rig{url: m.site.URL, method: m.method, calls: 2000, rounds: rounds}
		if m.base != (stub{}) {
			r.calls, r.rounds = 500, 2*rounds
		}
		for _, c := range list {
			client, err := c.open(m.site.URL, m.base)
			if err != nil {
				return nil, err
			}
			r.clients = append(r.clients, client)
		}
		costs, err := r.measure()
		if err != nil {
			return nil, err
		}
		for i := range all {
			*m.into(&all[i]) = costs[i]
		}
	}
	for i, c := range list {
		if !c.Breaker {
			continue
		}
		cost, err := openCost(c)
		if err != nil {
			return nil, err
		}
		all[i].Open = cost
	}
	return all, nil
}

// stub is a base transport that does nothing.
type stub struct{}

// RoundTrip implements [http.RoundTripper].
func (stub) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: req}, nil
}

func (r rig) measure() ([]Cost, error) {
	costs := make([]Cost, len(r.clients))
	times := make([][]float64, len(r.clients)) // of all rounds
	for round := range r.rounds + 1 {          // the first warms up
		// In any order: nobody always comes after the same other, and its garbage.
		for _, i := range rand.Perm(len(r.clients)) { //nolint:gosec // no secret
			took, allocations, size, err := r.round(r.clients[i])
			if err != nil {
				return nil, err
			}
			if round > 0 {
				times[i] = append(times[i], took)
			}
			c := &costs[i]
			if round == 1 || took < c.Nanoseconds {
				c.Nanoseconds = took
			}
			if round == 1 || allocations < c.Allocations { // others allocate too
				c.Allocations, c.Bytes = allocations, size
			}
		}
	}
	bare := slices.Clone(times[0])
	for i := range costs {
		for round := range bare {
			times[i][round] /= bare[round]
		}
		slices.Sort(times[i])
		costs[i].Ratio = times[i][len(bare)/2]
	}
	for i := range costs[1:] {
		costs[i+1].Allocations -= costs[0].Allocations
		costs[i+1].Bytes -= costs[0].Bytes
	}
	return costs, nil
}

// round makes calls by one caller, and returns what one of them cost.
func (r rig) round(client http.RoundTripper) (took, allocations, size float64, err error) {
	// Callers have a deadline; without one some contenders need a timer.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	for range r.calls {
		if err := r.call(ctx, client); err != nil {
			return 0, 0, 0, err
		}
	}
	elapsed := time.Since(began)
	runtime.ReadMemStats(&after)
	n := float64(r.calls)
	return float64(elapsed) / n, float64(after.Mallocs-before.Mallocs) / n, float64(after.TotalAlloc-before.TotalAlloc) / n, nil
}

var kilobyte = strings.Repeat("x", 1<<10)

func (r rig) call(ctx context.Context, client http.RoundTripper) error {
	var req *http.Request
	var err error
	if r.method == http.MethodPost {
		req, err = http.NewRequestWithContext(ctx, r.method, r.url, strings.NewReader(kilobyte))
	} else {
		req, err = http.NewRequestWithContext(ctx, r.method, r.url, nil)
	}
	if err != nil {
		return err
	}
	return do(client, req)
}

// openCost opens a circuit breaker and measures calls that it refuses.
func openCost(c contender) (Cost, error) {
	const url = "http://127.0.0.1:1"
	client, err := c.open(url, dead{})
	if err != nil {
		return Cost{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r := rig{url: url, method: http.MethodGet}
	for tries := 0; !isOpen(r.call(ctx, client)); tries++ {
		if tries > 100 {
			return Cost{}, fmt.Errorf("%s does not open", c.Name)
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return Cost{}, err
	}
	const calls = 20_000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fastest := math.Inf(1)
	for range 10 {
		began := time.Now()
		for range calls / 10 {
			if _, err := client.RoundTrip(req); err == nil { //nolint:bodyclose // its answers have none
				return Cost{}, fmt.Errorf("%s let a call through", c.Name)
			}
		}
		fastest = min(fastest, float64(time.Since(began))/(calls/10))
	}
	runtime.ReadMemStats(&after)
	return Cost{
		Nanoseconds: fastest,
		Allocations: float64(after.Mallocs-before.Mallocs) / calls,
		Bytes:       float64(after.TotalAlloc-before.TotalAlloc) / calls,
	}, nil
}

// dead is a base transport whose server is down.
type dead struct{}

// RoundTrip implements [http.RoundTripper].
func (dead) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusServiceUnavailable, Body: http.NoBody, Request: req}, nil
}
