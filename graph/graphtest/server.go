package graphtest

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
)

// Types shared with the fake of HaloPSA. Embedders name them here.
type (
	// Faults injects throttling, lost connections and slow answers.
	Faults = fakehttp.Faults
	// Answer is one planned fault.
	Answer = fakehttp.Answer
	// Rates are probabilities of random faults.
	Rates = fakehttp.Rates
	// Drop says whether and when a connection is cut.
	Drop = fakehttp.Drop
	// Violation is a part of a request that Graph refuses or ignores.
	Violation = fakehttp.Violation
	// Kind classes violations.
	Kind = fakehttp.Kind
	// Request is the record of one request.
	Request = fakehttp.Request
)

// The ways to lose a connection, see [Answer].
const (
	NoDrop     = fakehttp.NoDrop
	DropBefore = fakehttp.DropBefore
	DropAfter  = fakehttp.DropAfter
	DropDuring = fakehttp.DropDuring
)

// The kinds of violations. Graph refuses all but the last two.
const (
	UnknownPath     = fakehttp.UnknownPath
	UnknownQuery    = fakehttp.UnknownQuery
	UnknownField    = fakehttp.UnknownField
	WrongKind       = fakehttp.WrongKind
	BadHeader       = fakehttp.BadHeader
	LeakedToken     = fakehttp.LeakedToken
	SilentlyIgnored = fakehttp.SilentlyIgnored // Graph answers as if all were well
	FakeBroken      = fakehttp.FakeBroken      // a bug in the fake itself
)

// The seeded tenant, its app registrations and its signed-in user.
const (
	TenantID       = "5d1c9a40-7f0e-4c39-9a53-0c8d1f6b2e71"
	ClientID       = "9b3f6a52-1d47-4e0b-8f6c-2a7e5c90d184" // confidential client
	ClientSecret   = "graphtest-client-secret"              //nolint:gosec // of a fake
	PublicClientID = "c4e81f0d-63ab-4b7e-9d25-71f0a8e3b6c2" // public client, for PKCE
	SignedInUser   = "sam.okafor@nordlicht.example"
)

// Options configures a [Server]. The zero value is useful.
type Options struct {
	// Now is the clock of the server; nil means time.Now. Seeded dates are
	// relative to its value at the start.
	Now func() time.Time
	// PageSize caps the rows of a page, whatever $top asks for, so that
	// paging can be tested with few rows. Zero means Graph's own limits.
	PageSize int
	// Deny lists permissions that no token gets, such as "Mail.Send":
	// requests that need them meet Graph's 403.
	Deny []string
	// Latency delays every answer.
	Latency time.Duration
	// TokenLifetime is the lifetime of access tokens; zero means one hour.
	TokenLifetime time.Duration
}

// Server is the fake. All methods are safe for concurrent use.
type Server struct {
	opts   Options
	http   *fakehttp.Server
	rec    fakehttp.Recorder
	faults fakehttp.Faults
	oauth  *fakehttp.OAuth

	mu sync.Mutex // guards everything below
	tenant
}

// New starts a server. Close it when done.
func New(opts Options) *Server {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	s := &Server{opts: opts}
	s.faults.ErrorBody = s.faultBody
	s.oauth = s.newOAuth()
	s.tenant = newTenant(opts.Now().UTC().Truncate(time.Second))
	s.seed()
	mux := http.NewServeMux()
	mux.HandleFunc("/{tenant}/oauth2/v2.0/token", s.oauth.Token)
	mux.HandleFunc("GET /{tenant}/oauth2/v2.0/authorize", s.oauth.Authorize)
	mux.HandleFunc(uploadPath, s.serveUpload)
	mux.HandleFunc("/", s.serveGraph)
	s.http = fakehttp.Serve(s.rec.Wrap(s.faults.Wrap(s.late(mux))))
	return s
}

// late delays requests by Options.Latency.
func (s *Server) late(next http.Handler) http.Handler {
	if s.opts.Latency <= 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(s.opts.Latency):
			next.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	})
}

// URL returns the address of Graph with its version, such as
// "http://127.0.0.1:40123/v1.0".
func (s *Server) URL() string { return s.http.URL() + "/v1.0" }

// LoginURL returns the address of the authority; the token endpoint is
// LoginURL() + "/" + TenantID + "/oauth2/v2.0/token".
func (s *Server) LoginURL() string { return s.http.URL() }

// Close stops the server.
func (s *Server) Close() { s.http.Close() }

// Faults returns the fault injection of this server.
func (s *Server) Faults() *Faults { return &s.faults }

// Violations returns what requests did that Graph refuses or ignores.
func (s *Server) Violations() []Violation { return s.rec.Violations() }

// Requests returns the latest requests (at most 20,000).
func (s *Server) Requests() []Request { return s.rec.Requests() }

// ResetRecord forgets requests and violations; the state stays.
func (s *Server) ResetRecord() { s.rec.Reset() }

// Sent returns the mails sent through the server, in order.
func (s *Server) Sent() []SentMail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent)
}

// Message returns the message with this id (of either form) in any mailbox, as
// Graph shows it, with its body.
func (s *Server) Message(id string) (map[string]any, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, box := range s.boxes {
		if m := box.message(id); m != nil {
			return m.view(prefs{}), true
		}
	}
	return nil, false
}

// Messages returns the messages in a folder (its id, well-known name or
// display name) of a user's mailbox, newest first.
func (s *Server) Messages(user, folder string) []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	box := s.box(user)
	if box == nil {
		return nil
	}
	f := box.folder(folder)
	for _, other := range box.folders {
		if f == nil && strings.EqualFold(other.name, folder) {
			f = other
		}
	}
	var out []map[string]any
	for _, m := range box.newestFirst() {
		if m.folder == f {
			out = append(out, m.view(prefs{}))
		}
	}
	return out
}

// Events returns the events and series masters in a user's calendars, in the
// order they were made.
func (s *Server) Events(user string) []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	box := s.box(user)
	if box == nil {
		return nil
	}
	var out []map[string]any
	for _, e := range box.events {
		out = append(out, e.view(prefs{}))
	}
	return out
}

// box returns the mailbox of a user by id, user principal name or mail.
func (s *Server) box(user string) *mailbox {
	if u := s.user(user); u != nil {
		return u.box
	}
	return nil
}
