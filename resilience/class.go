package resilience

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"time"
)

// Class is the verdict on one attempt.
type Class uint8

// The classes, and what follows from each.
const (
	OK        Class = iota // an answer; the caller's business, whatever its status
	Throttled              // 429, 509: the server refused before doing anything; repeated for any method
	NotSent                // the request surely never reached the server; repeated for any method
	Transient              // 408, 502, 503, 504, reset, timeout: it may have been done; repeated if idempotent
	Fatal                  // repeating cannot help: certificate, unknown host, policy, no token
	Cancelled              // the caller's context ended
)

// String returns the class in lower case.
func (c Class) String() string {
	names := [...]string{"ok", "throttled", "not sent", "transient", "fatal", "cancelled"}
	if int(c) < len(names) {
		return names[c]
	}
	return "unknown"
}

// Idempotent reports whether req can be carried out twice without harm: its
// method says so (RFC 9110 section 9.2.2), it has an Idempotency-Key or an
// X-Idempotency-Key, or it is a PATCH of a version named by If-Match and would fail on the next one. (A POST
// need not change the version of what it is sent to.)
func Idempotent(req *http.Request) bool {
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	if req.Method == http.MethodPatch {
		if match := req.Header.Get("If-Match"); match != "" && match != "*" {
			return true
		}
	}
	_, set := idempotencyKey(req.Header)
	return set
}

// idempotencyKey reports whether there is such a header, for which net/http itself
// repeats a request on another connection if the one that it had was cut, and
// whether it says anything.
func idempotencyKey(h http.Header) (present, set bool) {
	for _, name := range [...]string{"Idempotency-Key", "X-Idempotency-Key"} { // as net/http spells them
		if value, ok := h[name]; ok {
			present, set = true, set || len(value) > 0 && value[0] != ""
		}
	}
	return present, set
}

// classifyStatus reads an answer's status. A 500 is an answer: it is often the
// same every time, and for a write nobody knows what happened.
func classifyStatus(status int) Class {
	switch status {
	case http.StatusTooManyRequests, 509:
		return Throttled
	case http.StatusRequestTimeout, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return Transient
	}
	return OK
}

// classifyError reads an attempt's error. Caller is the caller's context, and
// unsent says that the attempt was watched and wrote nothing.
func classifyError(caller context.Context, err error, unsent bool) Class {
	var final interface{ NoRetry() bool }
	switch {
	case ended(caller):
		return Cancelled
	case errors.As(err, &final) && final.NoRetry():
		return Fatal
	case errors.Is(err, ErrAttemptTimeout):
		if unsent {
			return NotSent
		}
		return Transient
	case isFinal(err):
		return Fatal
	case unsent:
		return NotSent
	}
	return Transient
}

// ended reports whether the caller has given up. A deadline that has passed is
// enough: for an [http.Client] with a Timeout another timer than the context's
// may have ended the request, a moment before.
func ended(caller context.Context) bool {
	deadline, ok := caller.Deadline()
	return caller.Err() != nil || ok && !deadline.After(time.Now())
}

// isFinal finds errors that the next attempt would meet again.
func isFinal(err error) bool {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return dns.IsNotFound
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	return errors.Is(err, ErrHostNotAllowed) || errors.Is(err, ErrInsecureURL) || errors.Is(err, ErrPrivateAddress)
}

// isDial reports whether err arose while connecting.
func isDial(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "dial" || op.Op == "proxyconnect")
}
