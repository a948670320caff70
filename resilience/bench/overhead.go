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
// transport. Nanoseconds are of the fastest of many rows of calls: what else the
// machine does can only make one slower. Ratios are the median of those of many
// rows in which the contender and the bare transport call in turns: the machine
// is not as fast in one moment as in another, and with several processors, which
// one a goroutine wakes up on makes a call take up to three times as long.
type Overhead struct {
	StubGet, StubPost         Cost // on a base transport that does nothing
	LoopbackGet, LoopbackPost Cost // over http
	TLSGet, TLSPost           Cost // over https, as APIs are reached
	Open                      Cost // while the circuit breaker is open
}

// Cost of one call.
type Cost struct {
	Nanoseconds float64
	Ratio       float64 // to the bare transport, over a network; else 0
	Allocations float64 // beyond those of the bare transport
	Bytes       float64 // the same
}

// A rig is one way to call all contenders.
type rig struct {
	clients []http.RoundTripper
	url     string
	method  string
	network bool // or else a stub
	calls   int  // in a row
	rows    int
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
		r := rig{url: m.site.URL, method: m.method, network: m.base != (stub{}), calls: 2000, rows: rounds}
		if r.network {
			r.calls, r.rows = 50, 25*rounds
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
	for i := range costs {
		costs[i] = Cost{Nanoseconds: math.Inf(1), Allocations: math.Inf(1)}
	}
	ratios := make([][]float64, len(r.clients))
	for range r.rows {
		for _, i := range rand.Perm(len(r.clients)) { //nolint:gosec // no secret
			if err := r.row(r.clients[i], &costs[i]); err != nil {
				return nil, err
			}
			if !r.network {
				continue
			}
			ratio, err := r.ratio(r.clients[i], r.clients[0])
			if err != nil {
				return nil, err
			}
			ratios[i] = append(ratios[i], ratio)
		}
	}
	for i := range costs {
		if r.network {
			slices.Sort(ratios[i])
			costs[i].Ratio = ratios[i][r.rows/2]
		}
		if i > 0 {
			costs[i].Allocations -= costs[0].Allocations
			costs[i].Bytes -= costs[0].Bytes
		}
	}
	return costs, nil
}

// warmCalls come before those that are measured: the contender before has
// left its own code and data in the processor's caches.
const warmCalls = 10

// row lowers the cost to what is seen in a row of calls by one caller.
func (r rig) row(client http.RoundTripper, c *Cost) error {
	ctx, cancel := patient()
	defer cancel()
	var before, after runtime.MemStats
	var began time.Time
	for i := range warmCalls + r.calls {
		if i == warmCalls {
			runtime.ReadMemStats(&before)
			began = time.Now()
		}
		if err := r.call(ctx, client); err != nil {
			return err
		}
	}
	n := float64(r.calls)
	c.Nanoseconds = min(c.Nanoseconds, float64(time.Since(began))/n)
	runtime.ReadMemStats(&after)
	if seen := float64(after.Mallocs-before.Mallocs) / n; seen < c.Allocations { // others allocate, too
		c.Allocations, c.Bytes = seen, float64(after.TotalAlloc-before.TotalAlloc)/n
	}
	return nil
}

// ratio returns what a client's calls take in a row in which another calls in
// turns with it, over what those of the other take.
func (r rig) ratio(client, other http.RoundTripper) (float64, error) {
	ctx, cancel := patient()
	defer cancel()
	var took [2]time.Duration
	for i := range warmCalls + r.calls {
		for k, c := range [...]http.RoundTripper{client, other} {
			began := time.Now()
			if err := r.call(ctx, c); err != nil {
				return 0, err
			}
			if i >= warmCalls {
				took[k] += time.Since(began)
			}
		}
	}
	return float64(took[0]) / float64(took[1]), nil
}

// patient returns the context of a row: callers have a deadline, and without one
// some contenders need a timer.
func patient() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), time.Minute)
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
	ctx, cancel := patient()
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
