package resilience

import (
	"context"
	"time"
)

// Call overrides options for the requests of one context. Zero fields change
// nothing.
type Call struct {
	// Idempotent overrules [Idempotent] in either direction.
	Idempotent       *bool
	MaxAttempts      int
	MaxRetryAfter    time.Duration
	AttemptTimeout   time.Duration
	MaxResponseBytes int64
	// Stats, if set, is added to when a request returns, and when one returns to
	// which it was redirected. Use one per request.
	Stats *Stats
}

// Stats tells what a request took.
type Stats struct {
	Attempts int           // requests sent; 0 if it was refused without one
	Waited   time.Duration // between attempts, and for the gate, the pace and a free place
	// Doubtful says that an attempt failed although it may have been carried
	// out, whatever became of a later one.
	Doubtful bool
}

func (s *Stats) add(o *operation) {
	s.Attempts += o.attempts
	s.Waited += o.waited
	s.Doubtful = s.Doubtful || o.doubtful
}

type callKey struct{}

// With returns a context whose requests are treated as call says.
func With(ctx context.Context, call Call) context.Context {
	return context.WithValue(ctx, callKey{}, &call)
}

func callOf(ctx context.Context) *Call {
	call, _ := ctx.Value(callKey{}).(*Call)
	return call
}
