package mcptools

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"
)

// Code classifies an [Error]. A Code is itself an error, so that
// errors.Is(err, mcptools.CodeNotFound) works.
type Code string

// The codes, as a model and a log see them.
const (
	CodeInvalidArguments Code = "invalid_arguments" // the call is wrong; repair it
	CodeUnknownTool      Code = "unknown_tool"
	CodeUnauthenticated  Code = "unauthenticated" // nobody is signed in, or the sign-in ended
	CodePermissionDenied Code = "permission_denied"
	CodeNotFound         Code = "not_found"
	CodeAmbiguous        Code = "ambiguous" // a name fits several things; the message lists them
	CodeConflict         Code = "conflict"  // the thing changed meanwhile, or exists already
	CodeThrottled        Code = "throttled"
	CodeUnavailable      Code = "unavailable"
	CodeTimeout          Code = "timeout"
	CodeCancelled        Code = "cancelled"
	CodeDeclined         Code = "declined"      // a person said no, or nobody could be asked
	CodeNotSupported     Code = "not_supported" // the service cannot do this
	CodeTooLarge         Code = "too_large"
	CodeUncertain        Code = "uncertain" // a write was sent and no answer came: it may have happened
	CodeUpstream         Code = "upstream"  // the service answered with something that makes no sense
	CodeInternal         Code = "internal"  // a bug in the tool
)

// Error returns the code.
func (c Code) Error() string { return string(c) }

// Error is what a tool answers when it cannot do what was asked. All of it but
// Err is written for the model: no secret, no token, no raw upstream body.
type Error struct {
	Code       Code
	Message    string        // what happened
	Hint       string        // what to do about it
	RetryAfter time.Duration // when a retry makes sense; 0 when unknown
	Upstream   string        // the service's own code for it, such as "ErrorItemNotFound"
	RequestID  string        // the service's id of the request, for its support
	Scopes     []string      // the permissions that are missing, if that is the reason
	Quotes     bool          // names others' words, and says so; set for what a function of an Untrusted tool returns
	Err        error         // the cause, for logs; never shown to a model
}

// Errorf returns an *Error with a formatted message.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// WithHint returns e with its hint set.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// Error returns the text that a model sees.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Code))
	if e.Message != "" {
		b.WriteString(": " + clip(e.Message, maxText))
	}
	if e.Upstream != "" {
		b.WriteString(" [" + e.Upstream + "]")
	}
	if len(e.Scopes) > 0 {
		b.WriteString("\nMissing permission: " + strings.Join(e.Scopes, ", "))
	}
	if e.Hint != "" {
		b.WriteString("\nWhat to do: " + clip(e.Hint, maxText))
	}
	switch {
	case e.RetryAfter > 0:
		fmt.Fprintf(&b, "\nTry again in %d s.", int64(math.Ceil(e.RetryAfter.Seconds())))
	case e.Retryable():
		b.WriteString("\nTry again later.")
	}
	if e.RequestID != "" {
		b.WriteString("\nRequest id: " + e.RequestID)
	}
	if e.Quotes {
		b.WriteString("\n" + errorNotice)
	}
	return b.String()
}

// maxText bounds the message and the hint that a model sees: both may name what a
// caller or a service wrote.
const maxText = 4000

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the error's [Code].
func (e *Error) Is(target error) bool {
	code, ok := target.(Code) //nolint:errorlint // compares with the target itself, as Is methods do
	return ok && e.Code == code
}

// Retryable reports whether the same call may succeed later.
func (e *Error) Retryable() bool {
	return e.Code == CodeThrottled || e.Code == CodeUnavailable || e.Code == CodeTimeout
}

// asError returns err as an *Error that is fit to be shown to a model. Errors
// of other types are bugs or causes that the tool did not translate: their
// text may hold anything, so it stays in Err.
func asError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok && e != nil {
		return e
	}
	if v := reflect.ValueOf(err); v.Kind() == reflect.Pointer && v.IsNil() {
		return &Error{Code: CodeInternal, Message: unexplained, Err: fmt.Errorf("a nil %T that is not a nil error", err)}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Code: CodeTimeout, Message: "the call took too long", Err: err}
	case errors.Is(err, context.Canceled):
		return &Error{Code: CodeCancelled, Message: "the call was cancelled", Err: err}
	}
	return &Error{Code: CodeInternal, Message: unexplained, Err: err}
}

const unexplained = "the tool failed in a way it does not explain"

// PanicError is the Err of the error that a panicking tool answers with.
type PanicError struct {
	Value any    // what was passed to panic; may hold anything
	Stack []byte // the goroutine's stack
}

// Error names the panic without its value, which may be a secret.
func (e *PanicError) Error() string { return fmt.Sprintf("panic with a %T", e.Value) }
