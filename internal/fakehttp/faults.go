package fakehttp

import (
	"bytes"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Drop says whether and when a connection is cut instead of answered.
type Drop uint8

// The ways to lose a connection.
const (
	NoDrop     Drop = iota
	DropBefore      // cut before the request is handled: nothing happened
	DropAfter       // cut after it was handled: committed, but no answer
	DropDuring      // handled, half of the answer sent, then cut
)

// Answer is one injected fault. Its parts combine: a Delay precedes everything
// else, a Drop precedes Status. An Answer with only a Delay lets the request
// through late.
type Answer struct {
	Delay       time.Duration
	Drop        Drop
	Status      int    // answered in place of the handler when not 0
	RetryAfter  string // value of Retry-After ("0", "2", an HTTP date); empty: absent
	ContentType string // of Body
	Body        string // empty: the fake's own error body for Status
}

// Rates are the probabilities, from 0 to 1, with which requests meet a fault.
// They are tried in the order of the fields and add up: the sum should not
// exceed 1.
type Rates struct {
	TooManyRequests float64 // 429
	Unavailable     float64 // 503
	DropBefore      float64
	DropAfter       float64
	DropDuring      float64
	Slow            float64

	// RetryAfter lists values of the Retry-After header of 429 and 503; one
	// is drawn for each answer. An empty list or value means no header.
	RetryAfter []string
	SlowBy     time.Duration // how long Slow requests wait
}

// Faults makes a handler fail on demand. The zero value injects nothing; all
// methods are safe for concurrent use, at any time.
type Faults struct {
	// ErrorBody gives the body of an injected status in the form of the API.
	// Nil means an empty body. Set it before the first request.
	ErrorBody func(status int) (contentType, body string)

	mu       sync.Mutex
	rng      *rand.Rand
	rates    Rates
	next     []*planned
	injected map[string]int
}

type planned struct {
	left         int
	method, path string
	answer       Answer
}

// SetRates makes random faults from now on, drawn from a generator with this
// seed: the same sequence of requests meets the same faults.
func (f *Faults) SetRates(seed uint64, rates Rates) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rng = rand.New(rand.NewPCG(seed, seed)) //nolint:gosec // repeatable on purpose
	f.rates = rates
}

// Next plans answer for the next n requests with this method whose path
// contains part. An empty method or part matches every request. Plans are used
// in the order they were made and come before random faults.
func (f *Faults) Next(n int, method, part string, answer Answer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next = append(f.next, &planned{n, method, part, answer})
}

// Clear ends all random and planned faults.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rng, f.rates, f.next = nil, Rates{}, nil
}

// Injected returns how often each fault was injected, by name: "429", "503",
// "drop-before", "drop-after", "drop-during", "delay"; "part-429" and so on for
// those of the parts of a batch.
func (f *Faults) Injected() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.injected)
}

// Wrap returns next with faults in front of it.
func (f *Faults) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, ok := f.draw(r.Method, r.URL.Path)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		setFault(r, answer.name())
		f.inject(w, r, next, answer)
	})
}

// draw takes the next planned answer for a request or rolls the dice.
func (f *Faults) draw(method, path string) (Answer, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	answer, ok := f.takePlanned(method, path)
	if !ok {
		answer, ok = f.roll()
	}
	if ok {
		f.count(answer.name())
	}
	return answer, ok
}

// Part draws the fault of one request inside a batch: a status planned for its
// path, or a random one. Lost connections and delays are for the batch whole.
func (f *Faults) Part(method, path string) (Answer, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, plan := range f.next {
		if plan.left > 0 && plan.path != "" && plan.answer.Status != 0 && plan.answer.Drop == NoDrop && plan.matches(method, path) {
			plan.left--
			f.count("part-" + plan.answer.name())
			return plan.answer, true
		}
	}
	answer, hit := f.roll()
	if hit = hit && answer.Status != 0; hit {
		f.count("part-" + answer.name())
	}
	return answer, hit
}

func (f *Faults) count(name string) {
	if f.injected == nil {
		f.injected = map[string]int{}
	}
	f.injected[name]++
}

func (p *planned) matches(method, path string) bool {
	return (p.method == "" || p.method == method) && strings.Contains(path, p.path)
}

func (f *Faults) takePlanned(method, path string) (Answer, bool) {
	for _, plan := range f.next {
		if plan.left > 0 && plan.matches(method, path) {
			plan.left--
			return plan.answer, true
		}
	}
	return Answer{}, false
}

func (f *Faults) roll() (Answer, bool) {
	if f.rng == nil {
		return Answer{}, false
	}
	p, r := f.rng.Float64(), f.rates
	below := func(rate float64) bool { p -= rate; return p < 0 }
	switch {
	case below(r.TooManyRequests):
		return Answer{Status: http.StatusTooManyRequests, RetryAfter: f.pickRetryAfter()}, true
	case below(r.Unavailable):
		return Answer{Status: http.StatusServiceUnavailable, RetryAfter: f.pickRetryAfter()}, true
	case below(r.DropBefore):
		return Answer{Drop: DropBefore}, true
	case below(r.DropAfter):
		return Answer{Drop: DropAfter}, true
	case below(r.DropDuring):
		return Answer{Drop: DropDuring}, true
	case below(r.Slow):
		return Answer{Delay: r.SlowBy}, true
	}
	return Answer{}, false
}

func (f *Faults) pickRetryAfter() string {
	if len(f.rates.RetryAfter) == 0 {
		return ""
	}
	return f.rates.RetryAfter[f.rng.IntN(len(f.rates.RetryAfter))]
}

func (a Answer) name() string {
	switch {
	case a.Drop == DropBefore:
		return "drop-before"
	case a.Drop == DropAfter:
		return "drop-after"
	case a.Drop == DropDuring:
		return "drop-during"
	case a.Status != 0:
		return strconv.Itoa(a.Status)
	}
	return "delay"
}

// inject carries out one fault. Panicking with http.ErrAbortHandler is the
// documented way to cut the connection of any HTTP version.
func (f *Faults) inject(w http.ResponseWriter, r *http.Request, next http.Handler, a Answer) {
	if a.Delay > 0 {
		select {
		case <-time.After(a.Delay):
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
	}
	switch {
	case a.Drop == DropBefore:
		panic(http.ErrAbortHandler)
	case a.Drop == DropAfter:
		next.ServeHTTP(&heldAnswer{header: http.Header{}}, r)
		panic(http.ErrAbortHandler)
	case a.Drop == DropDuring:
		held := &heldAnswer{header: http.Header{}}
		next.ServeHTTP(held, r)
		held.sendHalf(w)
		panic(http.ErrAbortHandler)
	case a.Status != 0:
		f.answer(w, r, a)
	default:
		next.ServeHTTP(w, r)
	}
}

func (f *Faults) answer(w http.ResponseWriter, r *http.Request, a Answer) {
	// A server that refuses still reads a small body, so that the client gets
	// the answer and not a reset connection.
	_, _ = io.CopyN(io.Discard, r.Body, 1<<20)
	contentType, body := a.ContentType, a.Body
	if body == "" && f.ErrorBody != nil {
		contentType, body = f.ErrorBody(a.Status)
	}
	if contentType != "" {
		w.Header().Set("Content-Type", contentType)
	}
	if a.RetryAfter != "" {
		w.Header().Set("Retry-After", a.RetryAfter)
	}
	w.WriteHeader(a.Status)
	_, _ = io.WriteString(w, body)
}

// heldAnswer takes an answer that is never (fully) sent.
type heldAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (h *heldAnswer) Header() http.Header { return h.header }

func (h *heldAnswer) WriteHeader(status int) {
	if h.status == 0 {
		h.status = status
	}
}

func (h *heldAnswer) Write(p []byte) (int, error) {
	h.WriteHeader(http.StatusOK)
	return h.body.Write(p)
}

func (h *heldAnswer) sendHalf(w http.ResponseWriter) {
	if h.body.Len() == 0 {
		return // nothing to cut in half: the whole answer is lost
	}
	maps.Copy(w.Header(), h.header)
	w.Header().Set("Content-Length", strconv.Itoa(h.body.Len()))
	w.WriteHeader(h.status)
	_, _ = w.Write(h.body.Bytes()[:h.body.Len()/2])
	_ = http.NewResponseController(w).Flush() // best effort: the cut follows anyway
}
