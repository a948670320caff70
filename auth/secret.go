package auth

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"

	"golang.org/x/oauth2"
)

const redacted = "[REDACTED]"

// Secret holds a value that must not be printed: a client secret, a token, a
// key. Every verb of fmt, every text encoder (JSON, XML, YAML) and slog show
// [REDACTED]; only [Secret.Expose] returns the value. The value sits in a
// closure, where a reflection dump cannot follow it. The zero Secret is empty.
type Secret struct{ reveal func() string }

// NewSecret wraps value. An empty value gives the zero Secret.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{reveal: func() string { return value }}
}

// Expose returns the value, for the one place that must send it.
func (s Secret) Expose() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.reveal == nil }

// Equal compares two secrets without telling by its duration where they differ.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Expose()), []byte(other.Expose())) == 1
}

// Format implements [fmt.Formatter] for every verb.
func (s Secret) Format(f fmt.State, _ rune) {
	// A failed write to the formatter's buffer has nobody to be told.
	_, _ = io.WriteString(f, redacted)
}

// String implements [fmt.Stringer].
func (s Secret) String() string { return redacted }

// GoString implements [fmt.GoStringer].
func (s Secret) GoString() string { return redacted }

// LogValue implements [slog.LogValuer].
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements [encoding.TextMarshaler], which JSON, XML and most
// other encoders use.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// hidden holds a token where printing its owner does not reach: fmt's %s walks
// into pointers to structs, exported or not.
type hidden func() *oauth2.Token

func hide(token *oauth2.Token) hidden {
	if token == nil {
		return nil
	}
	return func() *oauth2.Token { return token }
}

func (h hidden) token() *oauth2.Token {
	if h == nil {
		return nil
	}
	return h()
}
