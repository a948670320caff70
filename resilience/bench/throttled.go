package main

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Throttled is how a contender fares on a server that answers 100 requests per
// second, and counts those that it refuses.
type Throttled struct {
	Accepted int64   // requests
	Allowed  int64   // requests that the quota has room for in that time
	Refused  int64   // with a 429
	Failed   int     // calls that did not get their answer within 30 s
	Good     []int64 // requests accepted, per 100 ms
	Wasted   []int64 // requests refused, per 100 ms
}

// Used is how much of the quota was, in percent.
func (t Throttled) Used() float64 { return 100 * float64(t.Accepted) / float64(t.Allowed) }

// WastedShare is how many of the requests were refused, in percent.
func (t Throttled) WastedShare() float64 {
	return 100 * float64(t.Refused) / float64(t.Accepted+t.Refused)
}

// quota is how many requests per second a throttled server answers.
const quota = 100

// A gatekeeper is a way to count requests, and how long answers take.
type gatekeeper struct {
	limiter func() limiter
	latency time.Duration
}

// The gatekeepers on loopback, and one that is as far away as a cloud.
var (
	fixedWindow   = gatekeeper{func() limiter { return new(fixed) }, 2 * time.Millisecond}
	rollingWindow = gatekeeper{newRolling, 2 * time.Millisecond}
	farWindow     = gatekeeper{newRolling, 150 * time.Millisecond}
	tokenBucket   = gatekeeper{func() limiter { return &bucket{level: quota} }, 2 * time.Millisecond}
)

// throttled lets 64 workers call all the time for a while. Those that still
// wait then may finish, which no figure but Failed sees.
func throttled(c contender, keeper gatekeeper, length time.Duration) (Throttled, error) {
	t := Throttled{Good: make([]int64, length/tick), Wasted: make([]int64, length/tick)}
	var mu sync.Mutex
	l := keeper.limiter()
	t.Allowed = quota * int64(length/time.Second)
	var begin atomic.Pointer[time.Time]
	server := serve(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		since := time.Since(*begin.Load())
		wait := l.take(since)
		series, sum := t.Good, &t.Accepted
		if wait > 0 {
			series, sum = t.Wasted, &t.Refused
		}
		if i := int(since / tick); i < len(series) {
			series[i]++
			*sum++
		}
		mu.Unlock()
		time.Sleep(keeper.latency)
		if wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
			answer(w, http.StatusTooManyRequests, 1<<10)
			return
		}
		answer(w, http.StatusOK, 1<<10)
	})
	defer server.end()
	client, err := c.open(server.URL, server.base)
	if err != nil {
		return t, err
	}
	now := time.Now()
	begin.Store(&now)
	calls := load(client, server.URL, 0, func() bool { return time.Since(now) < length })
	t.Failed = count(calls, func(c call) bool { return !c.good })
	return t, nil
}

// A limiter is one of the ways in which servers count. take counts a request
// and returns how long the caller has to wait if it is refused; 0 if not. Times
// are since the beginning; nothing is counted concurrently.
type limiter interface {
	take(at time.Duration) time.Duration
}

// fixed counts in windows of one second, each beginning with nothing.
type fixed struct {
	window time.Duration
	count  int
}

func (f *fixed) take(at time.Duration) time.Duration {
	if window := at.Truncate(time.Second); window != f.window {
		f.window, f.count = window, 0
	}
	f.count++
	if f.count <= quota {
		return 0
	}
	return f.window + time.Second - at
}

// rolling admits a request if fewer than the quota came in the second before
// it, the refused ones included: who does not stop is never heard again.
type rolling struct{ last [quota]time.Duration }

func newRolling() limiter {
	r := new(rolling)
	for i := range r.last {
		r.last[i] = -time.Hour
	}
	return r
}

func (r *rolling) take(at time.Duration) time.Duration {
	wait := r.last[0] + time.Second - at
	copy(r.last[:], r.last[1:])
	r.last[quota-1] = at
	if wait <= 0 {
		return 0
	}
	return r.last[0] + time.Second - at
}

// bucket is refilled steadily and holds a second's worth, which is full at the
// beginning and comes on top of the quota. A refused request
// takes a token too, down to a debt of a second.
type bucket struct {
	level float64
	last  time.Duration
}

func (b *bucket) take(at time.Duration) time.Duration {
	b.level = min(quota, b.level+quota*(at-b.last).Seconds())
	b.last = at
	b.level = max(b.level-1, -quota)
	if b.level >= 0 {
		return 0
	}
	return time.Duration((1 - b.level) / quota * float64(time.Second))
}
