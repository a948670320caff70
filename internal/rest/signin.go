package rest

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"syscall"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/mcptools"
	"github.com/msptoolbelt/toolbelt/resilience"
)

// SignInError turns the failure of a token source into a tool error. Few of them
// are about the credentials, and a model or a person who is told to check those
// looks in the wrong place.
func SignInError(service string, err error) error {
	if own, ok := errors.AsType[*mcptools.Error](err); ok { // the source failed before it asked for a token, and says why
		told := *own
		told.Message, told.Err = "signing in to "+service+" failed: "+own.Message, err
		return &told
	}
	signIn, ok := errors.AsType[*auth.Error](err)
	if !ok {
		signIn = &auth.Error{Description: "there is no token"}
	}
	e := &mcptools.Error{
		Code: mcptools.CodeUnauthenticated, Message: "signing in to " + service + " failed",
		Upstream: signIn.Code, RequestID: signIn.CorrelationID, RetryAfter: signIn.RetryAfter, Err: err,
	}
	if signIn.Description != "" {
		e.Message += ": " + signIn.Description
	}
	switch {
	case signIn.NeedsUser:
		e.Hint = "somebody has to sign in again"
	case signIn.Status != 0:
		answered(service, e, signIn)
	default:
		unasked(service, e, err)
	}
	return e
}

// answered explains the answer of a token endpoint.
func answered(service string, e *mcptools.Error, signIn *auth.Error) {
	switch status := signIn.Status; {
	case status == http.StatusTooManyRequests:
		e.Code, e.Message = mcptools.CodeThrottled, "the sign-in service of "+service+" asks to slow down"
	case status >= 500, signIn.Code == "temporarily_unavailable", signIn.Code == "server_error":
		e.Code, e.Message = mcptools.CodeUnavailable, fmt.Sprintf("the sign-in service of %s is in trouble (status %d)", service, status)
	case signIn.Code == "invalid_scope":
		e.Hint = "the scopes that are asked for are not those of the application: grant them to it, or ask for others"
	case signIn.Code != "", status == http.StatusBadRequest, status == http.StatusUnauthorized, status == http.StatusForbidden:
		e.Hint = "check the client id, the secret and the tenant"
	default:
		e.Code = mcptools.CodeUpstream
		e.Message += fmt.Sprintf(" (status %d, which is no answer of a sign-in service)", status)
		e.Hint = "check the login URL in the settings"
	}
	if e.Retryable() {
		e.RetryAfter = cmp.Or(e.RetryAfter, patience)
		e.Hint = "wait until then before you call " + service + " again"
	}
}

// unasked explains why a token endpoint has not answered, or not been asked.
func unasked(service string, e *mcptools.Error, err error) {
	file, unreadable := errors.AsType[*fs.PathError](err)
	switch {
	case errors.Is(err, context.Canceled):
		e.Code, e.Message = mcptools.CodeCancelled, "the call was cancelled"
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		e.Code, e.Message = mcptools.CodeTimeout, "the sign-in service of "+service+" did not answer in time"
		e.Hint = "try again; if it lasts, check the login URL in the settings and the network"
	case errors.Is(err, resilience.ErrPrivateAddress):
		e.Code, e.Message = mcptools.CodePermissionDenied, "the name of the sign-in service of "+service+" leads to an address that is not public"
		e.Hint = onPremises
	case errors.Is(err, auth.ErrNotReached):
		e.Code, e.Message = mcptools.CodeUnavailable, "the sign-in service of "+service+" cannot be reached"+because(err)
		e.RetryAfter = cmp.Or(e.RetryAfter, patience)
		e.Hint = "try again; if it lasts, check the login URL in the settings and the network"
	case unreadable: // of other causes the text may quote anything
		e.Message += fmt.Sprintf(" (%s %s: %v)", file.Op, file.Path, file.Err)
		e.Hint = "whoever runs this program must make the file readable, or name another in the settings"
	default:
		e.Hint = "whoever runs this program must check its settings, and finds more in its log"
	}
}

// onPremises is what to do about an address of a private network.
const onPremises = "if the service is on premises, whoever runs this program must say so in its settings"

// because names the reasons for which a service is not reached that somebody can
// do something about. The text of others may quote anything.
func because(err error) string {
	if name, ok := errors.AsType[*net.DNSError](err); ok {
		return ": the name " + name.Name + " leads nowhere"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return ": its certificate is not trusted"
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return ": nothing listens at its address"
	}
	return ""
}
