package graph

import (
	"cmp"
	"context"
	"math/rand/v2"
	"time"
)

// backoff is how long to wait before another attempt where nobody said how long:
// that of the transport, between half and the whole of it, doubling.
func (c *Client) backoff(attempt int) time.Duration {
	longest := cmp.Or(c.options.Resilience.Retry.BaseDelay, 250*time.Millisecond) << attempt
	return longest/2 + rand.N(longest/2+1) //nolint:gosec // jitter
}

// pause waits, and returns the reason if the context ends before.
func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
