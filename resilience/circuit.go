package resilience

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// circuit is what is remembered of a breaker key.
type circuit struct {
	key     string
	breaker *breaker
	budget  *budget
	shared  *record

	mu     sync.Mutex
	opened time.Time // last, here
	known  time.Time // Until of the outage that we last knew of
	lease  time.Time // until when the right to probe is ours
}

// outage is what processes tell each other of a breaker.
type outage struct {
	Until  time.Time // all breakers are open until then
	Lease  time.Time // one process has the right to probe until then
	Healed time.Time // when a probe last succeeded
	Failed int       // probes in a row
}

func (o outage) held() time.Time { return o.Until }

// sound reports whether an outage can be meant.
func (o outage) sound(now time.Time) bool {
	return plausible(o.Until, now) && plausible(o.Lease, now) && plausible(o.Healed, now) && o.Failed >= 0
}

// learn asks, now and then, what other processes have found; and before a
// probe, whether it is needed: one in a cooldown is enough for all.
func (c *circuit) learn(ctx context.Context) {
	if c.shared == nil {
		return
	}
	switch {
	case c.breaker.ripe():
		c.claim(ctx)
	case c.shared.due(time.Now()):
		o, ok := look[outage](ctx, c.shared)
		if !ok {
			return
		}
		c.follow(o)
	default:
		return
	}
	c.breaker.tell()
}

// claim asks for the right to probe. Without an answer, one may.
func (c *circuit) claim(ctx context.Context) {
	ticket, ok := c.shared.reach()
	if !ok {
		return
	}
	c.shared.lock()
	defer c.shared.unlock()
	c.mu.Lock()
	opened, leased := c.opened, c.lease.After(time.Now())
	c.mu.Unlock()
	if leased || !c.breaker.ripe() { // since we stood in line
		return
	}
	var found outage
	var lease time.Time
	if swap(ctx, c.shared, ticket, func(o *outage, now time.Time) {
		found, lease = *o, time.Time{}
		if !o.Until.After(now) && !o.Lease.After(now) && !o.Healed.After(opened) {
			lease = now.Add(c.breaker.policy.Cooldown)
			o.Lease = lease
		}
	}) {
		c.mu.Lock()
		c.lease = lease
		c.mu.Unlock()
		c.follow(found)
	}
}

// follow makes the breaker do as others have found.
func (c *circuit) follow(o outage) {
	now := wall()
	c.mu.Lock()
	c.known = o.Until
	healed, leased := o.Healed.After(c.opened), o.Lease.After(now) && !o.Lease.Equal(c.lease)
	c.mu.Unlock()
	switch {
	case o.Until.After(now):
		c.breaker.trip(o.Until, o.Failed)
	case c.breaker.closed.Load():
	case healed:
		c.breaker.heal()
	case leased:
		c.breaker.postpone(o.Lease)
	}
}

// publish tells the others of a change.
func (c *circuit) publish(to State) {
	if c.shared == nil || to == HalfOpen {
		return
	}
	until, failed := c.breaker.outlook()
	c.mu.Lock()
	if to == Open {
		c.opened = wall()
	}
	c.lease = time.Time{}
	known := c.known
	c.mu.Unlock()
	ticket, ok := c.shared.reach()
	if !ok {
		return
	}
	c.shared.lock()
	defer c.shared.unlock()
	if swap(context.Background(), c.shared, ticket, func(o *outage, now time.Time) {
		switch {
		case to == Open && until.After(o.Until):
			o.Until, o.Failed = until, failed
		case to == Closed && !o.Until.After(known): // else others have failed since
			*o = outage{Healed: now}
		}
		known = o.Until
	}) {
		c.mu.Lock()
		c.known = known
		c.mu.Unlock()
	}
}

// ripe reports whether the breaker would let a probe through.
func (b *breaker) ripe() bool {
	return !b.closed.Load() && b.wait() == 0 && b.circuit.Counts().Requests == 0
}

// outlook returns until when the breaker was last said to be open, and how many
// probes in a row have failed.
func (b *breaker) outlook() (until time.Time, failed int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.openUntil.Round(0), b.failed
}

// trip opens a closed breaker, for others have found that it should be, and
// keeps an open one open until then, or as long as gobreaker will.
func (b *breaker) trip(until time.Time, failed int) {
	if b.closed.Load() {
		b.streak.Store(math.MaxInt32) // enough in any case
		if done, err := b.circuit.Allow(); err == nil {
			done(false)
		}
		b.streak.Store(0) // they were not ours
		b.mu.Lock()
		b.openUntil = time.Now().Add(b.policy.Cooldown + 1)
		b.mu.Unlock()
	}
	b.mu.Lock()
	b.failed = max(b.failed, failed)
	b.mu.Unlock()
	b.postpone(until)
}

// postpone keeps an open breaker open until then.
func (b *breaker) postpone(until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if until.After(b.openUntil) {
		b.openUntil = until
	}
}

// heal closes an open breaker, for the probe of another process has succeeded.
// If gobreaker's own time has not come yet, nothing happens.
func (b *breaker) heal() {
	if done, err := b.circuit.Allow(); err == nil {
		done(true)
	}
}

// The prices of the AWS SDKs' standard retry mode.
const (
	retryCost   = 5
	timeoutCost = 10
)

// budget is the bucket that repetitions take from. Size < 0 is unlimited.
type budget struct {
	size int
	left atomic.Int64
}

func newBudget(size int) *budget {
	b := &budget{size: size}
	b.left.Store(int64(size))
	return b
}

func (b *budget) take(cost int) bool {
	if b.size < 0 {
		return true
	}
	for {
		left := b.left.Load()
		if left < int64(cost) {
			return false
		}
		if b.left.CompareAndSwap(left, left-int64(cost)) {
			return true
		}
	}
}

func (b *budget) give(back int) {
	for {
		left := b.left.Load()
		if left >= int64(b.size) || b.left.CompareAndSwap(left, min(left+int64(back), int64(b.size))) {
			return
		}
	}
}

// rest returns what is left; -1 if there is no limit.
func (b *budget) rest() int {
	if b.size < 0 {
		return -1
	}
	return int(b.left.Load())
}
