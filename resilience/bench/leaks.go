package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Leaks is what is left behind.
type Leaks struct {
	Calls       int
	Goroutines  int   // left after that many mixed calls
	Connections int   // left open, after the idle ones were closed
	Serial      int64 // TCP connections that serial calls with a repetition each took
}

// leaks makes mixed calls, of which some are cancelled and in some of which
// the base transport panics, and counts what is left.
func leaks(c contender, serialCalls, calls int, limit time.Duration) (Leaks, error) {
	serial, err := serialConnections(c, serialCalls)
	if err != nil {
		return Leaks{}, err
	}
	server := serve(mixed)
	defer server.end()
	idle := runtime.NumGoroutine()
	client, err := c.open(server.URL, panicking{server.base})
	if err != nil {
		return Leaks{}, err
	}
	var left atomic.Int64
	left.Store(int64(calls))
	var made atomic.Int64
	until := time.Now().Add(limit)
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for left.Add(-1) >= 0 && time.Now().Before(until) {
				mixedCall(client, server.URL)
				made.Add(1)
			}
		})
	}
	all.Wait()
	l := Leaks{Calls: int(made.Load()), Serial: serial}
	// What takes a moment to end is no leak.
	for wait := time.Now().Add(2 * time.Second); time.Now().Before(wait); time.Sleep(20 * time.Millisecond) {
		server.base.CloseIdleConnections()
		l.Goroutines, l.Connections = max(runtime.NumGoroutine()-idle, 0), server.connections()
		if l.Goroutines == 0 && l.Connections == 0 {
			break
		}
	}
	return l, nil
}

// panicking is a base transport with a bug: one call in a hundred panics.
type panicking struct{ http.RoundTripper }

var errBug = errors.New("a bug in a base transport")

// RoundTrip implements [http.RoundTripper].
func (p panicking) RoundTrip(req *http.Request) (*http.Response, error) {
	if rand.N(100) == 0 { //nolint:gosec // chance
		panic(errBug)
	}
	return p.RoundTripper.RoundTrip(req)
}

// mixedCall makes a GET, and cancels it one time in ten. Whoever
// calls a transport that may panic has a recover.
func mixedCall(client http.RoundTripper, url string) {
	defer func() {
		if p := recover(); p != nil && p != any(errBug) {
			panic(p)
		}
	}()
	ctx := context.Background() // no deadline: what is not closed is then not ended by it either
	if rand.N(10) == 0 {        //nolint:gosec // chance
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		time.AfterFunc(rand.N(30*time.Millisecond), cancel) //nolint:gosec // chance
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		panic(err) // a constant method, and a URL that works
	}
	_ = do(client, req) // what is left behind counts
}

// mixed answers, fails with error pages long and short, resets or is slow.
func mixed(w http.ResponseWriter, _ *http.Request) {
	switch n := rand.N(100); { //nolint:gosec // chance
	case n < 5:
		errorPage(w, 1)
	case n < 10:
		errorPage(w, 32) // more than the sockets take
	case n < 12:
		reset(w)
	case n < 20:
		time.Sleep(20 * time.Millisecond)
		answer(w, http.StatusOK, 1<<10)
	default:
		answer(w, http.StatusOK, 1<<10)
	}
}

// errorPage is a 503 of so many times 16 KiB, which may be repeated at once.
func errorPage(w http.ResponseWriter, pages int) {
	w.Header().Set("Retry-After", "0")
	w.WriteHeader(http.StatusServiceUnavailable)
	for range pages {
		if _, err := w.Write(filler); err != nil {
			return
		}
	}
}

// serialConnections counts the connections of calls, one after the other,
// each of which is first answered by a 503 with a page of 64 KiB.
func serialConnections(c contender, calls int) (int64, error) {
	var n atomic.Int64
	server := serve(func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1)%2 == 0 {
			answer(w, http.StatusOK, 1<<10)
			return
		}
		errorPage(w, 4)
	})
	defer server.end()
	client, err := c.open(server.URL, server.base)
	if err != nil {
		return 0, err
	}
	for range calls {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, server.URL, nil)
		if err != nil {
			return 0, err
		}
		_ = do(client, req) // the bare transport reports the 503
	}
	return server.opened.Load(), nil
}
