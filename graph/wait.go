package graph

import (
	"context"
	"math/rand/v2"
	"time"
)

// backoff is how long to wait before another attempt where nobody said how long:
// that of the transport, between half and the whole of it, doubling.
func (c *Client) backoff(attempt int) time.Duration {
	longest := c.options.Resilience.Retry.BaseDelay
	if longest <= 0 { // means the default, as it does to the transport
		longest = 250 * time.Millisecond
	}
	longest <<= attempt
	return longest/2 + rand.N(longest/2+1) //nolint:gosec // jitter
}

// pause waits, and reports whether the context lasted as long.
func pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
