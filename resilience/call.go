package resilience

import (
	"context"
	"time"
)

// Call overrides options for the requests of one context. Zero fields change
// nothing, neither the options nor what a Call further out says.
type Call struct {
	// Idempotent overrules [Idempotent] in either direction. Of two that differ,
	// the one counts that forbids a repetition.
	Idempotent       *bool
	MaxAttempts      int
	MaxRetryAfter    time.Duration
	AttemptTimeout   time.Duration
	MaxResponseBytes int64
	// Stats, if set, is added to when a request returns, and when one returns to
	// which it was redirected. Use one per request.
	Stats *Stats

	outer *Call // has Stats, too
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

// watched reports whether somebody wants to know what becomes of a request.
func (c *Call) watched() bool { return c != nil && (c.Stats != nil || c.outer.watched()) }

// add tells all who want to know.
func (c *Call) add(o *operation) {
	if c == nil {
		return
	}
	if c.Stats != nil {
		c.Stats.add(o)
	}
	c.outer.add(o)
}

type callKey struct{}

// With returns a context whose requests are treated as call says.
func With(ctx context.Context, call Call) context.Context {
	if outer := callOf(ctx); outer != nil {
		call.inherit(outer)
	}
	return context.WithValue(ctx, callKey{}, &call)
}

func (c *Call) inherit(outer *Call) {
	if c.Idempotent == nil || outer.Idempotent != nil && !*outer.Idempotent {
		c.Idempotent = outer.Idempotent
	}
	positive(&c.MaxAttempts, outer.MaxAttempts)
	positive(&c.MaxRetryAfter, outer.MaxRetryAfter)
	positive(&c.AttemptTimeout, outer.AttemptTimeout)
	if c.MaxResponseBytes == 0 {
		c.MaxResponseBytes = outer.MaxResponseBytes
	}
	if outer.watched() {
		c.outer = outer
	}
}

func callOf(ctx context.Context) *Call {
	call, _ := ctx.Value(callKey{}).(*Call)
	return call
}
