package resilience

import (
	"context"
	"math/rand/v2"
	"time"
)

// enter waits until the request may be attempted: its turn, then a place, then
// the breaker's permit. A breaker that is open needs no waiting.
func (o *operation) enter() error {
	o.waitedBefore = o.waited
	o.patience = time.Time{}
	b := o.circuit.breaker
	for {
		o.circuit.learn(o.req.Context())
		if wait := b.wait(); wait > 0 {
			return o.open(wait)
		}
		if !o.goAhead() {
			if err := o.await(); err != nil {
				return err
			}
			if err := o.takePlace(); err != nil {
				return err
			}
			if !o.placed {
				continue // its turn is over
			}
		}
		var wait time.Duration
		var ok bool
		o.permit, wait, ok = b.admit()
		if o.permit.probe != nil || !ok {
			b.tell()
		}
		if !ok {
			o.leave()
			return o.open(wait)
		}
		return nil
	}
}

// leave gives up the place among the requests under way.
func (o *operation) leave() {
	if o.placed {
		o.placed = false
		o.lane.leave()
	}
}

// end lets go of everything after a panic.
func (o *operation) end() {
	o.circuit.breaker.calls.Add(-1)
	if o.returned {
		return
	}
	defer o.leave() // the verdict may panic again, in a hook
	if r := o.answer; r.resp != nil {
		r.release.abort(r.resp.Body) // nobody will read it
	}
	o.circuit.breaker.verdict(o.permit, Fatal, time.Now())
}

func (o *operation) open(wait time.Duration) error {
	return &OpenError{Key: o.keys.Breaker, RetryAfter: wait, Err: o.last.err}
}

// goAhead takes a place and a turn, if neither needs waiting for.
func (o *operation) goAhead() bool {
	l := o.lane
	if l.waiting.Load() > 0 || !l.tryEnter() {
		return false
	}
	o.placed = true
	var ok bool
	if o.turn, ok = l.take(o.req.Context(), 0); !ok {
		o.leave()
	}
	return ok
}

// await waits for the request's turn, if that comes within the caller's
// patience.
func (o *operation) await() error {
	ctx, l := o.req.Context(), o.lane
	if o.patience.IsZero() { // else it has lost a turn, for which it had waited
		o.patience = time.Now().Add(o.retry.MaxRetryAfter)
		if deadline, ok := ctx.Deadline(); ok && deadline.Before(o.patience) {
			o.patience = deadline
		}
	}
	if expected := l.expect(); expected > o.left() {
		return o.refused(expected)
	}
	select {
	case l.line <- struct{}{}:
	default:
		if err := o.standInLine(); err != nil {
			return err
		}
	}
	defer func() { <-l.line }()
	for {
		t, ok := l.take(ctx, o.left())
		if !ok {
			return o.refused(t.wait)
		}
		o.turn = t
		if t.wait == 0 {
			return nil
		}
		if t.lone {
			t.wait += spread(t.wait, o.left())
		}
		l.waiting.Add(1)
		err := o.sleep(t.wait)
		l.waiting.Add(-1)
		if err == nil && l.holds(t) {
			return nil
		}
		l.giveBack(ctx, t)
		if err != nil {
			return err
		}
	}
}

// left returns for how long the request would still wait for its turn.
func (o *operation) left() time.Duration { return max(time.Until(o.patience), 0) }

// standInLine waits to be the first in line.
func (o *operation) standInLine() error {
	start := time.Now()
	o.lane.waiting.Add(1)
	timer := time.NewTimer(o.left())
	defer func() {
		timer.Stop()
		o.lane.waiting.Add(-1)
		o.waited += time.Since(start)
	}()
	ctx := o.req.Context()
	select {
	case o.lane.line <- struct{}{}:
		return nil
	case <-timer.C:
		return o.refused(o.lane.expect())
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (o *operation) refused(wait time.Duration) error {
	return &ThrottledError{Key: o.keys.Throttle, RetryAfter: wait, Err: o.last.err}
}

// takePlace takes one of the places for requests under way. If it has to wait
// for one, its turn passes to others meanwhile, or else all who waited would come
// at once; then it needs a new one, and has no place if it does not get it.
func (o *operation) takePlace() error {
	ctx, l := o.req.Context(), o.lane
	if o.placed = l.tryEnter(); o.placed {
		if !l.holds(o.turn) { // things changed in this moment
			l.giveBack(ctx, o.turn)
			o.leave()
		}
		return nil
	}
	l.giveBack(ctx, o.turn)
	start := time.Now()
	err := l.enter(ctx, o.t.options.Limits.MaxWait)
	o.waited += time.Since(start)
	if err != nil {
		return err
	}
	o.placed = true
	var ok bool
	if o.turn, ok = l.take(ctx, 0); !ok {
		o.leave()
	}
	return nil
}

// spread keeps those who wait for the same moment from returning as one. It
// leaves some of the time that is left.
func spread(wait, left time.Duration) time.Duration {
	return rand.N(max(min(wait/10, time.Second, (left-wait)/2), 0) + 1) //nolint:gosec // jitter
}
