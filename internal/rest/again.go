package rest

import (
	"cmp"
	"context"
	"time"

	"github.com/msptoolbelt/toolbelt/mcptools"
	"github.com/msptoolbelt/toolbelt/resilience"
)

// patience is what a caller is asked for where a service is throttling or in
// trouble and does not say for how long.
const patience = 30 * time.Second

// breather is what a caller is asked for where our own calls are too many.
const breather = 5 * time.Second

// later completes the error of a call that may succeed later: when to try again,
// and what to do until then. Wait is what the service asked for, or 0. Every
// error that has to do with waiting passes through here, so that all of them
// tell a model the same.
func (s *Service) later(e *mcptools.Error, wait time.Duration) {
	switch e.Code {
	case mcptools.CodeThrottled, mcptools.CodeUnavailable:
		e.RetryAfter = cmp.Or(wait, patience)
		e.Hint = cmp.Or(e.Hint, "wait until then before you call "+s.Name+" again")
	case mcptools.CodeTimeout:
		e.RetryAfter = wait
		e.Hint = cmp.Or(e.Hint, "ask for less at a time")
	default:
		e.RetryAfter = wait
	}
}

// Hold makes all calls that are throttled together with r wait for a time: for a
// refusal that came inside of another answer, such as for a part of a batch.
func (s *Service) Hold(ctx context.Context, r Request, wait time.Duration) {
	transport, ok := s.Client.Transport.(*resilience.Transport)
	if !ok {
		return
	}
	if request, err := s.build(ctx, r); err == nil { // else it cannot be sent either
		transport.Hold(request, wait)
	}
}

// Held returns how long a call must wait that is throttled together with r, and
// the error that says so. It is for calls that travel inside of another.
func (s *Service) Held(ctx context.Context, r Request) (time.Duration, error) {
	transport, ok := s.Client.Transport.(*resilience.Transport)
	if !ok {
		return 0, nil
	}
	request, err := s.build(ctx, r)
	if err != nil {
		return 0, nil //nolint:nilerr // it will be told when it is sent
	}
	wait := transport.Held(request)
	if wait == 0 {
		return 0, nil
	}
	return wait, s.unanswered(&resilience.ThrottledError{RetryAfter: wait})
}

// look says where to find out whether a write was done.
func (s *Service) look(r Request) string {
	hint := ""
	if s.Look != nil {
		hint = s.Look(r)
	}
	return cmp.Or(hint, "look whether it was made before trying again")
}
