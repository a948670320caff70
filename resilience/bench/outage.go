package main

import (
	"net/http"
	"sync/atomic"
	"time"
)

// tick is the resolution of a time series.
const tick = 100 * time.Millisecond

// Outage is how a contender fares while its server is down, and afterwards.
type Outage struct {
	Reached   int64   // requests that the dead server got
	P99       float64 // ms, of the failing calls
	Recovered float64 // ms from the healing until 95 % of the calls of 100 ms are good
	Requests  []int64 // that reached the server, per 100 ms
}

// The time before and after an outage.
const (
	warmUp    = time.Second
	aftermath = 4 * time.Second
)

// outage lets 64 workers, which think for 10 ms between calls, go on while the
// server is down for a time: it answers 503, or resets the connections.
func outage(c contender, length time.Duration, down http.HandlerFunc) (Outage, error) {
	total := warmUp + length + aftermath
	o := Outage{Requests: make([]int64, total/tick)}
	var begin atomic.Pointer[time.Time]
	var reached atomic.Int64
	server := serve(func(w http.ResponseWriter, r *http.Request) {
		since := time.Since(*begin.Load())
		if i := int(since / tick); i < len(o.Requests) {
			atomic.AddInt64(&o.Requests[i], 1)
		}
		time.Sleep(10 * time.Millisecond)
		if since >= warmUp && since < warmUp+length {
			reached.Add(1)
			down(w, r)
			return
		}
		answer(w, http.StatusOK, 1<<10)
	})
	defer server.end()
	client, err := c.open(server.URL, server.base)
	if err != nil {
		return o, err
	}
	now := time.Now()
	begin.Store(&now)
	calls := load(client, server.URL, 10*time.Millisecond, func() bool { return time.Since(now) < total })

	var failing []call
	for _, c := range calls {
		if !c.good && c.began >= warmUp && c.began < warmUp+length {
			failing = append(failing, c)
		}
	}
	o.Reached = reached.Load()
	o.P99 = milliseconds(percentile(failing, 0.99))
	o.Recovered = milliseconds(recovery(calls, warmUp+length))
	return o, nil
}

// recovery returns how long after a moment 95 % of the calls that end within
// 100 ms are good, and at least ten of them; the aftermath if never.
func recovery(calls []call, healed time.Duration) time.Duration {
	for len(calls) > 0 && calls[0].end() < healed {
		calls = calls[1:]
	}
	good, to := 0, 0
	for from, first := range calls {
		for to < len(calls) && calls[to].end() < first.end()+tick {
			if calls[to].good {
				good++
			}
			to++
		}
		if n := to - from; first.good && n >= 10 && good*100 >= 95*n {
			return first.end() - healed
		}
		if first.good {
			good--
		}
	}
	return aftermath
}

func unavailable(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusServiceUnavailable, 1<<10)
}

func resetting(w http.ResponseWriter, _ *http.Request) { reset(w) }
