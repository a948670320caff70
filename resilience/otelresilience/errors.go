package otelresilience

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/msptoolbelt/toolbelt/resilience"
)

// refusalType returns the error.type of a request that was not attempted.
func refusalType(ctx context.Context, err error) string {
	if _, ok := errors.AsType[*resilience.OpenError](err); ok {
		return "breaker_open"
	}
	if _, ok := errors.AsType[*resilience.ThrottledError](err); ok {
		return "throttled"
	}
	if errors.Is(err, resilience.ErrOverloaded) {
		return "overloaded"
	}
	return errorType(ctx, err)
}

// Windows has numbers of its own, which its ECONNREFUSED and ECONNRESET of
// package syscall are not; nowhere else are they errors.
const (
	wsaAborted = syscall.Errno(10053)
	wsaReset   = syscall.Errno(10054)
	wsaRefused = syscall.Errno(10061)
)

// errorType returns the error.type of an attempt that failed with err on a
// request with ctx. It has nothing of the error's text.
func errorType(ctx context.Context, err error) string {
	if ctx.Err() != nil {
		if isTimeout(context.Cause(ctx)) {
			return "timeout"
		}
		return "cancelled"
	}
	if isTimeout(err) {
		return "timeout"
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "name_resolution"
	}
	if isCertificate(err) {
		return "certificate"
	}
	for _, known := range [...]struct {
		err  error
		name string
	}{
		{resilience.ErrPrivateAddress, "private_address"},
		{syscall.ECONNREFUSED, "connection_refused"},
		{syscall.ECONNRESET, "connection_reset"},
		{syscall.EPIPE, "connection_reset"},
		{wsaRefused, "connection_refused"},
		{wsaReset, "connection_reset"},
		{wsaAborted, "connection_reset"},
		{io.EOF, "connection_closed"},
		{io.ErrUnexpectedEOF, "connection_closed"},
	} {
		if errors.Is(err, known.err) {
			return known.name
		}
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return "connection_failed"
	}
	return fmt.Sprintf("%T", err)
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

func isCertificate(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return true
	}
	_, ok := errors.AsType[x509.CertificateInvalidError](err)
	return ok
}
