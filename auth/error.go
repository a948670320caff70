package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/oauth2"
)

// ErrClosed is the [*Error] that a [Source] returns after [Source.Close].
var ErrClosed error = &Error{Description: "the token source is closed"}

// ErrNotReached is what [errors.Is] finds in the [*Error] of a token endpoint that
// did not answer.
var ErrNotReached = errors.New("not reached")

// Error says why there is no token. It never contains the answer's body, a
// secret or a token, so it is safe to log and to show.
type Error struct {
	// Code is the OAuth error code (RFC 6749 section 5.2), such as
	// "invalid_client"; empty if the server sent none or was not reached.
	Code string
	// Description is the server's text for people, shortened, and without
	// anything that the request held in confidence.
	Description string
	// Status is the HTTP status of the token endpoint; 0 if it did not answer.
	Status int
	// CorrelationID is the id under which Entra logs the attempt; may be empty.
	CorrelationID string
	// NeedsUser says that only a new sign-in by the user can help.
	NeedsUser bool
	// RetryAfter is how long the token endpoint asked to be left alone; 0 if
	// it did not say.
	RetryAfter time.Duration
	// Claims is what the next sign-in must ask for: the claims of a policy
	// that this one does not meet (Conditional Access), a JSON object. [PKCE]
	// asks for them by itself.
	Claims string

	cause     error
	unreached bool
}

// Error implements error.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("auth: no token")
	if e.Code != "" {
		b.WriteString(": " + e.Code)
	}
	if e.Description != "" {
		b.WriteString(": " + e.Description)
	}
	if e.cause != nil {
		b.WriteString(": " + e.cause.Error())
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, " (HTTP %d)", e.Status)
	}
	if e.CorrelationID != "" {
		b.WriteString(" (correlation id " + e.CorrelationID + ")")
	}
	return b.String()
}

// GoString implements [fmt.GoStringer]: %#v must not walk into what is wrapped.
func (e *Error) GoString() string { return fmt.Sprintf("&auth.Error{%q}", e.Error()) }

// Unwrap returns the network or context error behind it, if there is one.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is [ErrNotReached] and says so of e.
func (e *Error) Is(target error) bool { return e.unreached && target == ErrNotReached }

// NoRetry reports true: the request that wanted the token must not be repeated
// by a retrying transport, nor counted against the API it was meant for.
// Transports look for this method instead of importing this package.
func (e *Error) NoRetry() bool { return true }

// tokenError turns what x/oauth2 returns into an *Error, keeping out every one
// of the given confidential values. x/oauth2's own errors print the body of
// the answer and the URL with its query.
func tokenError(err error, confidential ...string) error {
	if err == nil {
		return nil
	}
	if own, ok := errors.AsType[*Error](err); ok {
		return own
	}
	if answer, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return answerError(answer, confidential)
	}
	if transport, ok := errors.AsType[*url.Error](err); ok {
		return &Error{Description: "token endpoint not reached", cause: transport.Err, unreached: true}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &Error{Description: "token request ended early", cause: err}
	}
	// Whatever is left is about the answer's content, which may hold a token.
	return &Error{Description: "the token endpoint's answer could not be used", Status: http.StatusOK}
}

func answerError(answer *oauth2.RetrieveError, confidential []string) *Error {
	e := &Error{
		Code:        clean(answer.ErrorCode, 64, confidential),
		Description: clean(answer.ErrorDescription, 300, confidential),
	}
	if answer.Response != nil {
		e.Status = answer.Response.StatusCode
		e.RetryAfter = retryAfter(answer.Response.Header, time.Now())
		if 300 <= e.Status && e.Status < 400 {
			e.Description = "the token endpoint answered with a redirect, which is not followed"
		}
	}
	var extra struct {
		CorrelationID string `json:"correlation_id"`
		Claims        string `json:"claims"`
	}
	// The body need not be JSON; then there is nothing to read.
	if json.Unmarshal(answer.Body, &extra) == nil {
		if isUUID(extra.CorrelationID) {
			e.CorrelationID = extra.CorrelationID
		}
		if len(extra.Claims) <= maxClaims && isObject([]byte(extra.Claims)) && mask(extra.Claims, maxClaims, confidential) == extra.Claims {
			e.Claims = extra.Claims
		}
	}
	e.NeedsUser = needsUser(e.Code)
	return e
}

func isObject(text []byte) bool {
	var object map[string]json.RawMessage
	return json.Unmarshal(text, &object) == nil && object != nil
}

// needsUser lists the codes of RFC 6749 and OpenID Connect Core section
// 3.1.2.6 that a program cannot mend by itself.
func needsUser(code string) bool {
	switch code {
	case "invalid_grant", "interaction_required", "login_required", "consent_required", "account_selection_required":
		return true
	}
	return false
}

// clean makes a server's text safe to show: confidential values, control
// characters and anything that looks like a token are taken out.
func clean(text string, limit int, confidential []string) string {
	return mask(scrub(withhold(text, confidential)), limit, nil)
}

// mask is clean without regard to the names of fields.
func mask(text string, limit int, confidential []string) string {
	text = withhold(text, confidential)
	words := strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) })
	for i, word := range words {
		if looksLikeToken(word) {
			words[i] = redacted
		}
	}
	text = strings.ToValidUTF8(strings.Join(words, " "), "")
	if len(text) > limit {
		text = strings.ToValidUTF8(text[:limit], "") + "…"
	}
	return text
}

// withhold takes exact values out of text, in the spellings of requests.
func withhold(text string, confidential []string) string {
	for _, value := range confidential {
		if value == "" {
			continue
		}
		forms := []string{value, url.QueryEscape(value), url.PathEscape(value), html.EscapeString(value), base64.StdEncoding.EncodeToString([]byte(value))}
		for _, form := range forms {
			text = strings.ReplaceAll(text, form, redacted)
		}
	}
	return text
}

// looksLikeToken finds a run of 40 or more characters of the alphabets that
// tokens are written in. Words and UUIDs are shorter.
func looksLikeToken(word string) bool {
	run := 0
	for _, r := range word {
		if r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_.~+/=%", r)) {
			if run++; run >= 40 {
				return true
			}
			continue
		}
		run = 0
	}
	return false
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, r := range s {
		switch i {
		case 8, 13, 18, 23:
			if r != '-' {
				return false
			}
		default:
			if !strings.ContainsRune("0123456789abcdefABCDEF", r) {
				return false
			}
		}
	}
	return true
}

// retryAfter reads RFC 9110 section 10.2.3, both forms, bounded to an hour.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	var wait time.Duration
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil {
		wait = time.Duration(min(seconds, 3600)) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), time.Hour)
}
