package resilience

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// Transport is an [http.RoundTripper] that follows the policies of [Options].
// It is safe for concurrent use.
type Transport struct {
	options  Options
	byHost   bool // Options.Keys is the default
	hosts    *hosts
	circuits *keyed[circuit]
	lanes    *keyed[lane]
	latest   atomic.Pointer[route]
	sharing  *sharing
	watchman *watchman
	watches  watches
}

// New returns a Transport. It fails if Options.Hosts is empty or lists what is
// not an https origin (http on loopback).
func New(options Options) (*Transport, error) {
	allowed, err := parseHosts(options.Hosts)
	if err != nil {
		return nil, err
	}
	byHost := options.Keys == nil
	options.setDefaults()
	t := &Transport{options: options, byHost: byHost, hosts: allowed, sharing: newSharing(&options), watchman: newWatchman(options.Limits.BodyIdleTimeout)}
	t.circuits, t.lanes = newKeyed[circuit](options.MaxKeys, nil), newKeyed(options.MaxKeys, (*lane).busy)
	return t, nil
}

// route is what a pair of keys leads to.
type route struct {
	host    string // of the URL of its first request
	keys    Keys
	circuit *circuit
	lane    *lane
	lost    [2]uint64 // what the two maps had forgotten before
}

// route returns what the keys of req lead to. Requests often follow one with the
// same keys, which are the most recently used already, and surely known if nothing
// was forgotten since.
func (t *Transport) route(req *http.Request) *route {
	lost := [2]uint64{t.circuits.lost.Load(), t.lanes.lost.Load()}
	latest := t.latest.Load()
	known := latest != nil && latest.lost == lost
	if known && t.byHost && latest.host == req.URL.Host {
		return latest
	}
	keys := t.options.Keys(req)
	if known && latest.keys == keys {
		return latest
	}
	r := &route{req.URL.Host, keys, t.circuit(keys), t.lane(keys), lost}
	t.latest.Store(r)
	return r
}

func (t *Transport) circuit(k Keys) *circuit {
	return t.circuits.get(k.Breaker, func() *circuit {
		size := t.options.Retry.Budget
		c := &circuit{key: k.Breaker, budget: newBudget(size), shared: t.sharing.record("breaker", k.Breaker)}
		c.breaker = newBreaker(k.Breaker, &t.options, func(e StateEvent) {
			c.publish(e.To)
			t.tellState(e)
		})
		return c
	})
}

func (t *Transport) lane(k Keys) *lane {
	return t.lanes.get(k.Throttle, func() *lane { return newLane(k, &t.options, t.sharing) })
}

// Hold closes the gate of the throttle key of req for d: for a refusal that
// came inside of an answer, such as a part of a batch. It is never opened
// earlier than before.
func (t *Transport) Hold(req *http.Request, d time.Duration) {
	keys := t.options.Keys(req)
	first := t.lane(keys).hold(req.Context(), d)
	t.tellThrottled(ThrottleEvent{Keys: keys, Request: req, Class: Throttled, Wait: d}, first)
}

// Held returns how long the gate of the throttle key of req stays closed; 0 if
// it is open: for requests that go out inside of another.
func (t *Transport) Held(req *http.Request) time.Duration {
	l := t.lane(t.options.Keys(req))
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(time.Until(l.pace.Until), 0)
}

// RoundTrip implements [http.RoundTripper]. Besides the errors of the base
// transport it returns [*OpenError], [*ThrottledError], [ErrOverloaded],
// [ErrHostNotAllowed], [ErrInsecureURL] and [ErrAttemptTimeout], to be found
// with errors.Is and errors.As. When it gives up on a request that was answered,
// it returns the last answer, with a readable body, and not an error. The body
// of the request is sent again only if req.GetBody is set.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.hosts.check(req); err != nil {
		closeBody(req)
		return nil, err
	}
	o := operation{t: t, req: req, retry: t.options.Retry, limit: t.options.Limits.MaxResponseBytes}
	o.idempotent = Idempotent(req)
	call := callOf(req.Context())
	if call != nil {
		o.apply(call)
	}
	o.watched = !o.idempotent || call.watched()
	o.route = t.route(req) //nolint:contextcheck // a change of state belongs to no request
	o.circuit.breaker.calls.Add(1)
	defer o.end()
	resp, err := o.run() //nolint:contextcheck // the context is that of the request it holds
	o.returned = true
	call.add(&o)
	return resp, err
}

// CloseIdleConnections lets [http.Client.CloseIdleConnections] reach the base.
func (t *Transport) CloseIdleConnections() {
	if c, ok := t.options.Base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// operation is one request on its way through attempts and waits.
type operation struct {
	t   *Transport
	req *http.Request
	*route
	retry      RetryPolicy
	limit      int64
	idempotent bool
	watched    bool // whether it is sent, since that matters

	attempts     int
	doubtful     bool // an attempt was transient
	waited       time.Duration
	waitedBefore time.Duration               // of that, before it queued for the last attempt
	patience     time.Time                   // until when it waits for its turn; zero before it does
	turn         turn                        // of the last attempt
	delays       *backoff.ExponentialBackOff // made at the first repetition
	charged      int                         // by the budget, for the last repetition
	last         result                      // of an attempt before, drained

	// What would be left behind by a panic of the base or a hook.
	placed   bool
	permit   permit
	answer   result // of the last attempt
	returned bool
}

// result is the outcome of an attempt.
type result struct {
	resp    *http.Response
	err     error
	class   Class
	release release
	at      time.Time
	body    *body // room for that of resp; nil if there is none yet
}

func (o *operation) apply(c *Call) {
	if c.Idempotent != nil {
		o.idempotent = *c.Idempotent
	}
	if c.MaxAttempts > 0 {
		o.retry.MaxAttempts = c.MaxAttempts
	}
	if c.MaxRetryAfter > 0 {
		o.retry.MaxRetryAfter = c.MaxRetryAfter
	}
	if c.AttemptTimeout > 0 {
		o.retry.AttemptTimeout = c.AttemptTimeout
	}
	if c.MaxResponseBytes != 0 {
		o.limit = c.MaxResponseBytes
	}
}

func (o *operation) run() (*http.Response, error) {
	for {
		if err := o.enter(); err != nil {
			return o.giveUp(err)
		}
		r := o.attempt()
		wait, again := o.decide(r)
		if !again {
			return o.finish(r)
		}
		if hook := o.t.options.Hooks.Retry; hook != nil {
			hook(RetryEvent{Keys: o.keys, Request: o.req, Number: o.attempts, Class: r.class, Wait: wait})
		}
		if r.resp != nil {
			drain(r.resp, r.release)
			o.leave()
		}
		o.last = *r
		if err := o.sleep(wait); err != nil {
			return o.giveUp(err)
		}
	}
}

// decide says whether to repeat, and after which wait.
func (o *operation) decide(r *result) (time.Duration, bool) {
	asked, told := o.learn(r)
	if !o.mayRepeat(r.class) || asked > o.retry.MaxRetryAfter {
		return 0, false
	}
	wait := o.nextDelay()
	if asked > wait {
		wait = asked + spread(asked, o.timeLeft())
	}
	if o.timeLeft() <= wait || o.circuit.breaker.wait() > wait {
		return 0, false
	}
	cost := retryCost
	switch {
	case r.class == Throttled && told:
		cost = 0 // the server sets the pace
	case r.err != nil && isTimeout(r.err):
		cost = timeoutCost
	}
	if !o.circuit.budget.take(cost) {
		return 0, false
	}
	o.charged = cost
	return wait, true
}

// learn remembers what the answer tells about the pace of its key, and returns
// the wait that it asks for.
func (o *operation) learn(r *result) (asked time.Duration, told bool) {
	if r.resp == nil {
		return 0, false
	}
	if r.class == Throttled || r.class == Transient {
		asked, told = RetryAfter(r.resp.Header, r.at)
	}
	first := false
	switch {
	case r.class == Throttled:
		first = o.lane.throttled(o.req.Context(), o.turn, asked)
	case asked > 0:
		first = o.lane.hold(o.req.Context(), asked)
	default:
		o.lane.accept(r.at, o.turn, readHint(r.resp.Header))
		return asked, told
	}
	o.t.tellThrottled(ThrottleEvent{Keys: o.keys, Request: o.req, Class: r.class, Wait: asked}, first)
	return asked, told
}

func (o *operation) mayRepeat(c Class) bool {
	switch c {
	case Throttled, NotSent:
	case Transient:
		if !o.idempotent {
			return false
		}
	default:
		return false
	}
	hasBody := o.req.Body != nil && o.req.Body != http.NoBody
	return o.attempts < o.retry.MaxAttempts && (!hasBody || o.req.GetBody != nil)
}

// nextDelay draws from [0, BaseDelay·2ⁿ], at most MaxDelay: full jitter, which
// is a spread of 100 % around the half.
//
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
func (o *operation) nextDelay() time.Duration {
	if o.delays == nil {
		o.delays = backoff.NewExponentialBackOff(
			backoff.WithInitialInterval(min(o.retry.BaseDelay, o.retry.MaxDelay)/2),
			backoff.WithRandomizationFactor(1),
			backoff.WithMultiplier(2),
			backoff.WithMaxInterval(o.retry.MaxDelay/2),
			backoff.WithMaxElapsedTime(0),
		)
	}
	return o.delays.NextBackOff()
}

// timeLeft returns the time until the caller's deadline.
func (o *operation) timeLeft() time.Duration {
	if deadline, ok := o.req.Context().Deadline(); ok {
		return time.Until(deadline)
	}
	return math.MaxInt64
}

func (o *operation) sleep(wait time.Duration) error {
	start := time.Now()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	defer func() { o.waited += time.Since(start) }()
	select {
	case <-timer.C:
		return nil
	case <-o.req.Context().Done():
		return context.Cause(o.req.Context())
	}
}

// finish returns the result of the last attempt to the caller.
func (o *operation) finish(r *result) (*http.Response, error) {
	if r.err != nil {
		if o.attempts > 1 {
			return nil, fmt.Errorf("resilience: gave up after %d attempts: %w", o.attempts, r.err)
		}
		return nil, r.err
	}
	if r.class == OK {
		o.circuit.budget.give(max(o.charged, 1))
	}
	o.guard(r)
	o.placed = false // the body's now
	return r.resp, nil
}

// giveUp ends a request that may not be attempted (again). An answer that it
// got before is worth more than our reason, unless the caller has gone.
func (o *operation) giveUp(err error) (*http.Response, error) {
	if o.attempts == 0 {
		closeBody(o.req)
	}
	if hook := o.t.options.Hooks.Refuse; hook != nil {
		hook(RefuseEvent{Keys: o.keys, Request: o.req, Attempts: o.attempts, Err: err})
	}
	if o.last.resp != nil && o.req.Context().Err() == nil {
		return o.last.resp, nil
	}
	if o.last.err != nil && !errors.Is(err, o.last.err) {
		return nil, fmt.Errorf("%w (after %w)", err, o.last.err)
	}
	return nil, err
}
