package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Redactor takes credentials out of text that people will read: log lines,
// errors, stack traces. It knows the shapes in which they travel (headers,
// forms, JSON however often escaped, URLs, dumps of Go values, PEM), the
// fields that hold them (client_secret, code, refresh_token, sig, tempauth,
// Cookie, X-Halo-Api-Key and so on), and what tokens look like: JSON web
// tokens, Microsoft's refresh tokens, long random runs. In doubt it takes out
// too much. It is the last line of defence and not the first: this package's
// own errors hold no secrets to begin with.
//
// The zero Redactor is ready; [NewRedactor] makes one that also knows exact
// values. It is safe for concurrent use.
type Redactor struct{ known []string }

// NewRedactor returns a Redactor that also takes out these values wherever
// they stand, plain or in an encoding that requests use. Values of fewer than
// six characters are ignored: they would blank out ordinary text.
func NewRedactor(known ...Secret) *Redactor {
	r := &Redactor{}
	for _, secret := range known {
		value := secret.Expose()
		if len(value) < 6 {
			continue
		}
		r.known = append(r.known, spellings(value)...)
	}
	// Longest first: one spelling may contain another.
	slices.SortFunc(r.known, func(a, b string) int { return len(b) - len(a) })
	r.known = slices.Compact(r.known)
	return r
}

// spellings returns value as it may appear in a request or a dump of one.
func spellings(value string) []string {
	quoted := strconv.Quote(value)
	forms := []string{
		value, url.QueryEscape(value), url.PathEscape(value), html.EscapeString(value), quoted[1 : len(quoted)-1],
		base64.StdEncoding.EncodeToString([]byte(value)), base64.RawURLEncoding.EncodeToString([]byte(value)),
	}
	if encoded, err := json.Marshal(value); err == nil {
		forms = append(forms, string(encoded[1:len(encoded)-1]))
	}
	slices.Sort(forms)
	return slices.Compact(forms)
}

// String returns text without credentials. Text that holds none is returned
// as it is, without a copy.
func (r *Redactor) String(text string) string {
	for _, value := range r.known {
		if strings.Contains(text, value) {
			text = strings.ReplaceAll(text, value, redacted)
		}
	}
	return scrub(text)
}

// Error returns an error whose text is redacted and which still answers
// [errors.Is] for what err wraps. It deliberately has no Unwrap: printing what
// is inside would print the secrets again. A nil err stays nil, and an error
// with nothing to hide is returned as it is.
func (r *Redactor) Error(err error) error {
	if err == nil {
		return nil
	}
	if _, own := errors.AsType[*Error](err); own {
		if text := err.Error(); r.String(text) == text {
			return err
		}
	}
	return &redactedError{text: r.String(err.Error()), is: func(target error) bool { return errors.Is(err, target) }}
}

// redactedError keeps the original in a closure, where %#v cannot follow.
type redactedError struct {
	text string
	is   func(error) bool
}

func (e *redactedError) Error() string        { return e.text }
func (e *redactedError) Is(target error) bool { return e.is(target) }

// Handler returns a [slog.Handler] that passes records on to next with
// credentials taken out of the message and of every attribute: groups, values
// of [slog.LogValuer], errors, and any other value, which is passed on in its
// JSON form (or as text, if it has none). An attribute named like a secret
// loses its value whatever it is.
func (r *Redactor) Handler(next slog.Handler) slog.Handler {
	return &redactingHandler{r, next}
}

type redactingHandler struct {
	redactor *Redactor
	next     slog.Handler
}

func (h *redactingHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

func (h *redactingHandler) Handle(ctx context.Context, record slog.Record) error {
	clean := slog.NewRecord(record.Time, record.Level, h.redactor.String(record.Message), record.PC)
	record.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(h.redactor.attr(a))
		return true
	})
	return h.next.Handle(ctx, clean)
}

func (h *redactingHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &redactingHandler{h.redactor, h.next.WithAttrs(h.redactor.attrs(attrs))}
}

func (h *redactingHandler) WithGroup(name string) slog.Handler {
	return &redactingHandler{h.redactor, h.next.WithGroup(h.redactor.String(name))}
}

func (r *Redactor) attrs(attrs []slog.Attr) []slog.Attr {
	out := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		out[i] = r.attr(a)
	}
	return out
}

func (r *Redactor) attr(a slog.Attr) slog.Attr {
	return slog.Attr{Key: r.String(a.Key), Value: r.value(a.Key, a.Value)}
}

func (r *Redactor) value(name string, value slog.Value) slog.Value {
	value = value.Resolve()
	kind := sensitive(name)
	switch value.Kind() {
	case slog.KindBool, slog.KindDuration, slog.KindTime, slog.KindFloat64:
		return value
	case slog.KindInt64, slog.KindUint64:
		if kind > suspectField {
			return slog.StringValue(redacted)
		}
		return value
	case slog.KindGroup:
		if kind > suspectField {
			return slog.StringValue(redacted)
		}
		return slog.GroupValue(r.attrs(value.Group())...)
	case slog.KindString:
		return slog.StringValue(r.text(name, value.String()))
	}
	if kind > suspectField && value.Any() != nil {
		return slog.StringValue(redacted)
	}
	return r.any(name, value.Any())
}

// text redacts the value of a named field.
func (r *Redactor) text(name, text string) string {
	kind := sensitive(name)
	if text == "" || kind == plainField {
		return r.String(text)
	}
	if p := (pair{name: name, kind: kind, assign: true}); p.confidential(text, false) {
		return redacted
	}
	return r.String(text)
}

// any makes a plain value of what only an encoder can read.
func (r *Redactor) any(name string, value any) (out slog.Value) {
	defer func() {
		if recover() != nil { // a bug in somebody's Error, String or MarshalJSON
			out = slog.StringValue("!PANIC")
		}
	}()
	switch value := value.(type) {
	case nil:
		return slog.AnyValue(nil)
	case *slog.Source:
		return slog.AnyValue(value)
	case error:
		return slog.StringValue(r.text(name, value.Error()))
	case []byte:
		return slog.StringValue(r.text(name, string(value)))
	case fmt.Stringer:
		return slog.StringValue(r.text(name, value.String()))
	}
	document, err := json.Marshal(value)
	if err != nil {
		return slog.StringValue(r.text(name, fmt.Sprintf("%+v", value)))
	}
	decoder := json.NewDecoder(strings.NewReader(string(document)))
	decoder.UseNumber()
	var tree any
	if decoder.Decode(&tree) != nil {
		return slog.StringValue(r.text(name, string(document)))
	}
	return slog.AnyValue(r.tree(name, tree))
}

// tree redacts a decoded JSON value.
func (r *Redactor) tree(name string, node any) any {
	kind := sensitive(name)
	switch node := node.(type) {
	case string:
		return r.text(name, node)
	case []any:
		for i := range node {
			node[i] = r.tree(name, node[i])
		}
		return node
	case map[string]any:
		if kind > suspectField {
			return redacted
		}
		out := make(map[string]any, len(node))
		for key, value := range node {
			out[r.String(key)] = r.tree(key, value)
		}
		return out
	case json.Number:
		if kind > suspectField {
			return redacted
		}
	}
	return node
}
