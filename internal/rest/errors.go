package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/mcptools"
	"github.com/msptoolbelt/toolbelt/resilience"
)

// watched tells the transport that a POST may be repeated, and returns where it
// says what a write took.
func watched(ctx context.Context, r Request) (context.Context, *resilience.Stats) {
	var call resilience.Call
	if repeat := r.Safe || r.Repeatable; repeat || r.Once {
		call.Idempotent = &repeat
	}
	stats := &resilience.Stats{}
	if writes(r) {
		call.Stats = stats
	}
	if call == (resilience.Call{}) {
		return ctx, stats
	}
	return resilience.With(ctx, call), stats
}

// writes reports whether the request may change something.
func writes(r Request) bool {
	return !r.Safe && r.Method != http.MethodGet && r.Method != http.MethodHead
}

// Failed returns the error for an answer to r that is no success and came some
// other way than through [Service.Send], such as in a batch.
func (s *Service) Failed(ctx context.Context, r Request, status int, header http.Header, body []byte) error {
	return s.failed(r, &Failure{Ctx: ctx, Status: status, Header: header, Body: body})
}

// failed turns an answer that is no success into a tool error.
func (s *Service) failed(r Request, f *Failure) error {
	f.Error = &mcptools.Error{RequestID: requestID(f.Header)}
	e := f.Error
	switch f.Status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		e.Code, e.Message = mcptools.CodeInvalidArguments, s.Name+" refused the request"
	case http.StatusUnauthorized:
		e.Code, e.Message = mcptools.CodeUnauthenticated, s.Name+" did not accept the sign-in"
		e.Hint = "sign in again, or check the credentials and their scopes"
	case http.StatusForbidden:
		e.Code, e.Message = mcptools.CodePermissionDenied, s.Name+" does not allow this"
	case http.StatusNotFound, http.StatusGone:
		e.Code, e.Message = mcptools.CodeNotFound, "there is no such thing, or it is hidden from this account"
	case http.StatusConflict, http.StatusPreconditionFailed, http.StatusLocked:
		e.Code, e.Message = mcptools.CodeConflict, "it conflicts with what is there now"
		e.Hint = "read it again and decide anew"
	case http.StatusRequestEntityTooLarge:
		e.Code, e.Message = mcptools.CodeTooLarge, "the request is too large for "+s.Name
	case http.StatusTooManyRequests, 509:
		e.Code, e.Message = mcptools.CodeThrottled, s.Name+" asks to slow down"
	case http.StatusNotImplemented, http.StatusMethodNotAllowed:
		e.Code, e.Message = mcptools.CodeNotSupported, s.Name+" cannot do this"
	default:
		e.Code, e.Message = mcptools.CodeUpstream, fmt.Sprintf("%s answered with status %d", s.Name, f.Status)
		if f.Status >= 500 {
			e.Code, e.Message = mcptools.CodeUnavailable, fmt.Sprintf("%s is in trouble (status %d)", s.Name, f.Status)
		}
	}
	if s.Explain != nil {
		s.Explain(f)
	}
	wait, _ := resilience.RetryAfter(f.Header, time.Now())
	s.later(e, wait)
	// A server in trouble may have done the work before it said so.
	if f.Status >= 500 && f.Status != http.StatusNotImplemented || f.Status == http.StatusRequestTimeout {
		return s.Doubtful(r, e)
	}
	return e
}

// Doubtful marks the error of a write that may have happened all the same, such
// as at an earlier attempt. errors.Is still finds the code that it had: not found
// after a lost deletion means deleted, to those who know that it was there.
func (s *Service) Doubtful(r Request, err error) error {
	e, ok := errors.AsType[*mcptools.Error](err)
	if !ok || !writes(r) || e.Code == mcptools.CodeUncertain {
		return err
	}
	uncertain := *e
	uncertain.Code = mcptools.CodeUncertain
	uncertain.Message = e.Message + ", so the change may or may not have been made"
	uncertain.Hint = s.look(r)
	uncertain.RetryAfter = 0
	uncertain.Err = e
	return &uncertain
}

// unanswered turns the failure of the transport into a tool error. The text of
// the cause stays in Err: it names addresses, and may quote anything.
func (s *Service) unanswered(err error) error {
	if _, ok := errors.AsType[*auth.Error](err); ok {
		return SignInError(s.Name, err)
	}
	e := &mcptools.Error{Err: withoutURL(err)}
	if open, ok := errors.AsType[*resilience.OpenError](err); ok {
		e.Code, e.Message = mcptools.CodeUnavailable, s.Name+" has failed repeatedly and is left alone for a moment"
		s.later(e, open.RetryAfter)
		return e
	}
	if throttled, ok := errors.AsType[*resilience.ThrottledError](err); ok {
		e.Code, e.Message = mcptools.CodeThrottled, s.Name+" asked to slow down"
		s.later(e, throttled.RetryAfter)
		return e
	}
	switch {
	case errors.Is(err, resilience.ErrOverloaded):
		e.Code, e.Message = mcptools.CodeThrottled, "too many calls of "+s.Name+" are under way"
		e.Hint = "make fewer calls at once"
		s.later(e, breather)
		return e
	case errors.Is(err, resilience.ErrHostNotAllowed), errors.Is(err, resilience.ErrInsecureURL):
		e.Code, e.Message = mcptools.CodePermissionDenied, "the address is not one of "+s.Name
		return e
	case errors.Is(err, resilience.ErrPrivateAddress):
		e.Code, e.Message = mcptools.CodePermissionDenied, "the name of "+s.Name+" leads to an address that is not public"
		e.Hint = onPremises
		return e
	case errors.Is(err, resilience.ErrResponseTooLarge):
		e.Code, e.Message = mcptools.CodeTooLarge, "the answer of "+s.Name+" is too large"
		e.Hint = "ask for less: fewer rows, fewer fields or a smaller part"
	case errors.Is(err, context.Canceled):
		e.Code, e.Message = mcptools.CodeCancelled, "the call was cancelled"
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		e.Code, e.Message = mcptools.CodeTimeout, s.Name+" did not answer in time"
	default:
		e.Code, e.Message = mcptools.CodeUnavailable, s.Name+" cannot be reached"+because(err)
	}
	s.later(e, 0)
	return e
}

// withoutURL returns the error of a request without its URL, which would be
// logged: it holds what was searched for, and that of an upload is a credential.
func withoutURL(err error) error {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("%s: %w", failed.Op, failed.Err)
	}
	return err
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && timeout.Timeout()
}

// requestID returns the id under which the service's support finds a request.
func requestID(h http.Header) string {
	for _, name := range []string{"request-id", "x-ms-request-id", "x-request-id"} {
		if id := h.Get(name); id != "" && len(id) <= 64 {
			return id
		}
	}
	return ""
}
