package fakehttp

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Kind says in what way a request left the official description.
type Kind string

// The kinds of violation. All but the last two are refused by the real
// service. SilentlyIgnored is the trap: it answers as if all were well.
const (
	UnknownPath     Kind = "unknown-path"
	UnknownQuery    Kind = "unknown-query"
	UnknownField    Kind = "unknown-field"
	WrongKind       Kind = "wrong-kind"
	BadHeader       Kind = "bad-header"
	LeakedToken     Kind = "leaked-token"
	SilentlyIgnored Kind = "silently-ignored"
	FakeBroken      Kind = "fake-broken" // the fake itself panicked: a bug in it
)

// Violation is one thing in a request that the real service would refuse or
// silently ignore.
type Violation struct {
	Method string
	Path   string
	Kind   Kind
	Detail string
}

// String returns the violation in one line.
func (v Violation) String() string {
	return string(v.Kind) + ": " + v.Method + " " + v.Path + ": " + v.Detail
}

// Request is what a [Recorder] keeps of one request. Bodies and credentials
// are not kept: of Authorization only the scheme remains.
type Request struct {
	Time      time.Time
	Method    string
	Path      string
	Template  string // path template the fake matched, such as "/users/{id}"
	Query     url.Values
	Header    http.Header
	BodyBytes int
	Status    int    // 0 when the connection was dropped before an answer
	Fault     string // the injected fault, or empty
}

const (
	defaultKeptRequests = 20_000
	keptViolations      = 1_000
)

// Recorder keeps the latest requests and the first violations. The zero value
// is ready; it is safe for concurrent use.
type Recorder struct {
	// Keep bounds the number of requests kept, the oldest going first. Zero
	// means 20,000. Set it before the first request.
	Keep int

	mu         sync.Mutex
	requests   []*Request
	total      int
	violations []Violation
}

type recordKey struct{}

// Wrap records every request that passes to next.
func (rec *Recorder) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		entry := &Request{
			Time: time.Now(), Method: r.Method, Path: r.URL.Path,
			Query: r.URL.Query(), Header: withoutSecrets(r.Header),
		}
		body := &countingBody{ReadCloser: r.Body}
		status := &statusWriter{ResponseWriter: w}
		r = r.WithContext(context.WithValue(r.Context(), recordKey{}, entry))
		r.Body = body
		defer func() {
			if p := recover(); p != nil { // a fault that cuts the connection, or a bug
				if p != http.ErrAbortHandler { //nolint:errorlint // panics with the bare value
					rec.Violate(r, FakeBroken, fmt.Sprintf("panic: %v", p))
				}
				defer panic(http.ErrAbortHandler)
			}
			rec.mu.Lock()
			defer rec.mu.Unlock()
			entry.BodyBytes, entry.Status = body.n, status.code
			rec.add(entry)
		}()
		next.ServeHTTP(status, r)
		status.defaultTo(http.StatusOK)
	})
}

func (rec *Recorder) add(entry *Request) {
	keep := rec.Keep
	if keep <= 0 {
		keep = defaultKeptRequests
	}
	rec.total++
	if len(rec.requests) >= keep {
		rec.requests = slices.Delete(rec.requests, 0, 1+len(rec.requests)-keep)
	}
	rec.requests = append(rec.requests, entry)
}

// SetTemplate notes the path template that the fake matched for r.
func SetTemplate(r *http.Request, template string) {
	if entry, ok := r.Context().Value(recordKey{}).(*Request); ok {
		entry.Template = template
	}
}

func setFault(r *http.Request, fault string) {
	if entry, ok := r.Context().Value(recordKey{}).(*Request); ok {
		entry.Fault = fault
	}
}

// Violate records a violation by r.
func (rec *Recorder) Violate(r *http.Request, kind Kind, detail string) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if len(rec.violations) < keptViolations {
		rec.violations = append(rec.violations, Violation{r.Method, r.URL.Path, kind, detail})
	}
}

// Violations returns the violations recorded since the last Reset, in order;
// at most 1,000.
func (rec *Recorder) Violations() []Violation {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return slices.Clone(rec.violations)
}

// Requests returns the finished requests kept, in the order they finished.
func (rec *Recorder) Requests() []Request {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	out := make([]Request, len(rec.requests))
	for i, entry := range rec.requests {
		out[i] = *entry
	}
	return out
}

// Total returns the number of requests finished since the last Reset,
// including those no longer kept.
func (rec *Recorder) Total() int {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return rec.total
}

// Reset forgets all requests and violations.
func (rec *Recorder) Reset() {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.requests, rec.violations, rec.total = nil, nil, 0
}

func withoutSecrets(h http.Header) http.Header {
	h = h.Clone()
	if auth := h.Get("Authorization"); auth != "" {
		scheme, _, _ := strings.Cut(auth, " ")
		h.Set("Authorization", scheme)
	}
	h.Del("Cookie")
	h.Del("X-Halo-Api-Key")
	return h
}

type countingBody struct {
	io.ReadCloser
	n int
}

func (b *countingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n += n
	return n, err
}

type statusWriter struct {
	http.ResponseWriter
	code int
}

func (w *statusWriter) defaultTo(code int) {
	if w.code == 0 {
		w.code = code
	}
}

func (w *statusWriter) WriteHeader(code int) {
	w.defaultTo(code)
	w.ResponseWriter.WriteHeader(code)
}

func (w *statusWriter) Write(p []byte) (int, error) {
	w.defaultTo(http.StatusOK)
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
