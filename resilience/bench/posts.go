package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Posts is what became of operations of which the server fails one in ten in
// a way that hides whether it was carried out.
type Posts struct {
	Sent    int
	Doubled int // carried out more than once
	Lost    int // reported as done, and not carried out
	OK      int // reported as done
}

// ledger carries out operations by their number, and misbehaves.
type ledger struct {
	misbehave func(http.ResponseWriter, *http.Request)
	mu        sync.Mutex
	random    *rand.Rand
	done      []int // how often, by number
}

type operation struct{ Number int }

func (l *ledger) serve(w http.ResponseWriter, r *http.Request) {
	var o operation
	if err := json.NewDecoder(r.Body).Decode(&o); err != nil || o.Number < 0 || o.Number >= len(l.done) {
		http.Error(w, "no such operation", http.StatusBadRequest)
		return
	}
	l.mu.Lock()
	draw := l.random.Float64()
	// One in twenty fails before it is carried out, one in twenty after it.
	if draw >= 0.05 {
		l.done[o.Number]++
	}
	l.mu.Unlock()
	if draw < 0.1 {
		l.misbehave(w, r)
		return
	}
	answer(w, http.StatusOK, 100)
}

// late lets the caller's patience with an answer's headers end.
func late(_ http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-time.After(10 * time.Second):
	}
}

// posts sends operations by 64 workers, and looks into the server's books.
func posts(c contender, n int, misbehave http.HandlerFunc) (Posts, error) {
	l := &ledger{misbehave: misbehave, random: rand.New(rand.NewPCG(3, 4)), done: make([]int, n)} //nolint:gosec // chance that repeats
	server := serve(l.serve)
	defer server.end()
	server.base.ResponseHeaderTimeout = time.Second
	client, err := c.open(server.URL, server.base)
	if err != nil {
		return Posts{}, err
	}
	var next atomic.Int64
	reported := make([]bool, n)
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				reported[i] = post(client, server.URL, i) == nil
				time.Sleep(rand.N(20 * time.Millisecond)) //nolint:gosec // or failures come in bursts, and open breakers
			}
		})
	}
	all.Wait()
	p := Posts{Sent: n}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, times := range l.done {
		if times > 1 {
			p.Doubled++
		}
		if reported[i] {
			p.OK++
			if times == 0 {
				p.Lost++
			}
		}
	}
	return p, nil
}

// post sends an operation, in a request as http.NewRequest makes it.
func post(client http.RoundTripper, url string, number int) error {
	body, err := json.Marshal(operation{number})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	return do(client, req)
}

// Harmless is how many of a number of POSTs succeed that were surely not
// carried out when they failed.
type Harmless struct {
	Sent, OnThrottle, OnRefusedDial int
	Twice                           int // carried out more than once, of either
}

// harmless sends POSTs that are first answered by a 429 with a Retry-After of
// a second, and others whose first connection is refused: each by a client of
// its own to a server of its own.
func harmless(c contender, n int) (Harmless, error) {
	h := Harmless{Sent: n}
	var mu sync.Mutex
	var errs []error
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			throttled, twice, err := afterThrottle(c)
			connected, again, err2 := afterRefusal(c)
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err, err2)
			h.OnThrottle += throttled
			h.OnRefusedDial += connected
			h.Twice += twice + again
		})
	}
	all.Wait()
	return h, errors.Join(errs...)
}

// afterThrottle sends one POST, which is refused once. It returns how many
// succeed, and how many times too often it was carried out.
func afterThrottle(c contender) (good, twice int, err error) {
	var seen, done atomic.Int64
	server := serve(func(w http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err != nil || len(body) == 0 {
			answer(w, http.StatusBadRequest, 0)
			return
		}
		if seen.Add(1) > 1 {
			done.Add(1)
			answer(w, http.StatusOK, 100)
			return
		}
		w.Header().Set("Retry-After", "1")
		answer(w, http.StatusTooManyRequests, 100)
	})
	defer server.end()
	client, err := c.open(server.URL, server.base)
	if err != nil {
		return 0, 0, err
	}
	if post(client, server.URL, 1) == nil {
		good = 1
	}
	return good, max(int(done.Load())-1, 0), nil
}

// afterRefusal sends one POST, whose first dial goes to a port at which nobody
// listens. It returns the same.
func afterRefusal(c contender) (good, twice int, err error) {
	var done atomic.Int64
	server := serve(func(w http.ResponseWriter, _ *http.Request) {
		done.Add(1)
		answer(w, http.StatusOK, 100)
	})
	defer server.end()
	var dials atomic.Int64
	server.base.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if dials.Add(1) == 1 {
			address = "127.0.0.1:1" // tcpmux, which nobody has
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	client, err := c.open(server.URL, server.base)
	if err != nil {
		return 0, 0, err
	}
	if post(client, server.URL, 1) == nil {
		good = 1
	}
	return good, max(int(done.Load())-1, 0), nil
}
