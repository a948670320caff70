package resilience

import (
	"context"
	"sync"
	"time"
)

// circuit is what is remembered of a breaker key.
type circuit struct {
	key     string
	breaker *breaker
	budget  budget
	shared  *record
}

// outage is what processes tell each other of a breaker.
type outage struct{ Until time.Time }

// learn opens the breaker if another process has found the key dead: asked now
// and then, and before each probe, so that one probe is enough for all.
func (c *circuit) learn(ctx context.Context) {
	if c.shared == nil {
		return
	}
	now := time.Now()
	probing := !c.breaker.closed.Load() && c.breaker.wait() == 0
	if !probing && !c.shared.due(now) {
		return
	}
	if o, ok := look[outage](ctx, c.shared); ok && o.Until.After(now) {
		c.breaker.trip(o.Until)
	}
}

// publish tells the others of a change.
func (c *circuit) publish(to State) {
	if c.shared == nil || to == HalfOpen {
		return
	}
	_, until := c.breaker.state()
	swap(context.Background(), c.shared, func(o *outage) {
		if to == Closed {
			o.Until = time.Time{}
		} else if until.After(o.Until) {
			o.Until = until
		}
	})
}

// The prices of the AWS SDKs' standard retry mode.
const (
	retryCost   = 5
	timeoutCost = 10
)

// budget is the bucket that repetitions take from. Size < 0 is unlimited.
type budget struct {
	mu         sync.Mutex
	left, size int
}

func (b *budget) take(cost int) bool {
	if b.size < 0 {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left < cost {
		return false
	}
	b.left -= cost
	return true
}

func (b *budget) give(back int) {
	if b.size < 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left = min(b.left+back, b.size)
}

// rest returns what is left; -1 if there is no limit.
func (b *budget) rest() int {
	if b.size < 0 {
		return -1
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.left
}
