package halotest

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
	"github.com/msptoolbelt/toolbelt/internal/specindex"
)

// Options say which HaloPSA the server plays. The zero value is a recent
// hosted build without a rate limit; the rest are differences between builds
// and tenants that the research found.
type Options struct {
	// Now is the clock of tokens, the rate limit and new records. The seeded
	// records lie around its value when the server starts. Nil means time.Now.
	Now func() time.Time

	// OnPremises plays a self-hosted installation: no tenant is needed.
	OnPremises bool
	// SeparateAuthHost puts the authorisation server on a host of its own, as
	// Halo's shared https://auth.<product domain> is (research 3.2).
	SeparateAuthHost bool
	// OpaqueTokens makes access tokens that are no JWTs (3.2).
	OpaqueTokens bool
	// TokenLifetime of access tokens; zero means an hour.
	TokenLifetime time.Duration
	// Scopes are what the API application may have; nil means everything.
	Scopes []string
	// ScopeRefusal is the status that a missing scope gets: 401, 400, or 403,
	// which is the default (3.8).
	ScopeRefusal int

	// RateLimit is how many requests a rolling five minutes allow; zero means
	// any number. Hosted tenants had 300 (3.8).
	RateLimit int
	// RetryAfter adds the header to a 429. No real one is known.
	RetryAfter bool

	// ErrorShape makes every 400 have this form (3.8).
	ErrorShape ErrorShape
	// Replies is the form of replies to writes, and of single records (3.5).
	Replies ReplyShape
	// NoZone plays builds that write times without the Z, which are UTC all
	// the same (3.9).
	NoZone bool
	// NoTeamID plays builds before 2026 that ignore team_id on tickets and
	// take only the name in team (3.6).
	NoTeamID bool
	// IgnoreClientSearch plays builds where /Client?search= has no effect (3.4).
	IgnoreClientSearch bool
	// IgnoreQuery names further query parameters that have no effect, by path
	// ("/Users"): Halo's builds ignore what they do not know (3.4).
	IgnoreQuery map[string][]string
	// IgnoreViews plays builds where view_id has no effect on tickets (3.4).
	IgnoreViews bool
	// MergeCustomFields makes tickets keep custom fields that a write leaves
	// out. By default arrays are replaced whole (3.6; open question 7).
	MergeCustomFields bool
	// AttachmentContent is the field that carries an attachment's content:
	// data_base64 (default), data, or link (open question 5).
	AttachmentContent string
	// AdvancedSearch narrows the fields that advanced_search takes, by path
	// ("/Users"); the whitelist varies by tenant (3.4).
	AdvancedSearch map[string][]string
	// SQL answers POST /Report with a statement. Nil answers each with the
	// error of a table that does not exist.
	SQL func(sql string) ([]Record, error)
}

// ReplyShape is how a build wraps the records it answers with.
type ReplyShape uint8

// The known shapes. Several saved objects always come as an array.
const (
	ReplyObject   ReplyShape = iota // one record is a bare object
	ReplyArray                      // a write of one element answers with an array of one
	ReplyEnvelope                   // {"tickets": [ … ]}, also for a single record read
)

// What the seeded API application signs in with. They open nothing but this
// server.
const (
	ClientID     = "6f2b1c0e-5a38-4d0c-9a5e-nordlicht-api"
	ClientSecret = "fictional-secret-of-the-fake" //nolint:gosec // no secret: the fake's only key
	APIKey       = "fictional-static-key"         //nolint:gosec // likewise
	// NativeClientID is the application for authorization code with PKCE; it
	// has no secret.
	NativeClientID = "0d4e8a77-2c61-4b1f-8f52-nordlicht-app"
	// TenantName is the hosted tenant's name.
	TenantName = "nordlicht"
)

// Server is an in-memory HaloPSA on a loopback port. All methods are safe for
// concurrent use.
type Server struct {
	options  Options
	recorder fakehttp.Recorder
	faults   fakehttp.Faults
	oauth    *fakehttp.OAuth
	api      *fakehttp.Server
	login    *fakehttp.Server // the same as api unless SeparateAuthHost
	routes   map[string]handler
	handler  http.Handler

	mu     sync.Mutex
	data   *data
	recent []time.Time // requests of the last five minutes, for RateLimit
}

// New starts a server with the seeded company. Close it after use.
func New(options Options) *Server {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.AttachmentContent == "" {
		options.AttachmentContent = "data_base64"
	}
	if options.ScopeRefusal == 0 {
		options.ScopeRefusal = http.StatusForbidden
	}
	s := &Server{options: options, data: seed(options.Now())}
	s.faults.ErrorBody = faultBody
	s.oauth = s.newOAuth()
	s.routes = allRoutes()
	mux := http.NewServeMux()
	mux.Handle("/", http.HandlerFunc(s.serveAPI))
	if options.SeparateAuthHost {
		s.login = fakehttp.Serve(s.recorder.Wrap(s.faults.Wrap(s.authHandler(""))))
	} else {
		mux.Handle("/auth/", s.authHandler("/auth"))
	}
	s.handler = s.recorder.Wrap(s.faults.Wrap(mux))
	// The address is known once it is served, and answers tell it.
	ready := make(chan struct{})
	defer close(ready)
	s.api = fakehttp.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-ready
		s.handler.ServeHTTP(w, r)
	}))
	if s.login == nil {
		s.login = s.api
	}
	return s
}

// ServeHTTP answers a request as the server at URL does, without a connection.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Close ends the server and its connections.
func (s *Server) Close() {
	s.api.Close()
	s.login.Close()
}

// URL is the tenant's address without a trailing slash; the API is below /api.
func (s *Server) URL() string { return s.api.URL() }

// AuthURL is the authorisation server's address; the token endpoint is
// AuthURL + "/token". /api/authinfo tells it as well.
func (s *Server) AuthURL() string {
	if s.options.SeparateAuthHost {
		return s.login.URL()
	}
	return s.api.URL() + "/auth"
}

// Tenant is the name that the token endpoint wants, empty on premises.
func (s *Server) Tenant() string {
	if s.options.OnPremises {
		return ""
	}
	return TenantName
}

// Faults makes requests fail on demand, those for tokens included.
func (s *Server) Faults() *Faults { return &s.faults }

// Violations returns what requests got wrong so far: paths, query parameters
// and body fields that Halo does not have, values of the wrong kind, and
// whatever Halo would have ignored in silence.
func (s *Server) Violations() []Violation { return s.recorder.Violations() }

// Requests returns the requests so far, in the order they finished.
func (s *Server) Requests() []Request { return s.recorder.Requests() }

// ResetRecord forgets the recorded requests and violations. The company stays.
func (s *Server) ResetRecord() { s.recorder.Reset() }

// The recorded and injected things, in the words of both fakes.
type (
	// Faults makes a server fail on demand.
	Faults = fakehttp.Faults
	// Answer is one planned fault.
	Answer = fakehttp.Answer
	// Rates are the probabilities of random faults.
	Rates = fakehttp.Rates
	// Violation is one thing that Halo would refuse or silently ignore.
	Violation = fakehttp.Violation
	// Request is what is kept of a request; bodies and credentials are not.
	Request = fakehttp.Request
)

// The ways to lose a connection, for [Answer].
const (
	DropBefore = fakehttp.DropBefore // cut before the request is handled
	DropAfter  = fakehttp.DropAfter  // cut after it was handled, without an answer
	DropDuring = fakehttp.DropDuring // cut in the middle of the answer
)

// call is one request on its way through the API. Handlers run one at a time,
// under the server's lock.
type call struct {
	*Server
	request *http.Request
	op      *specindex.HaloOperation
	query   query
	id, seq int      // from the path
	body    []Record // one element when the operation takes a bare object
	agent   int
	now     time.Time
}

// handler answers a call with a value to encode, or a *failure.
type handler func(*call) (any, error)

func (c *call) violate(kind fakehttp.Kind, detail string) {
	c.recorder.Violate(c.request, kind, detail)
}

func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	value, err := s.answer(w, r)
	if err != nil {
		s.writeFailure(w, err)
		return
	}
	if s.options.NoZone {
		value = withoutZone{value}
	}
	fakehttp.WriteJSON(w, http.StatusOK, value)
}

// answer checks a request in the order a real server does (path, credentials,
// scope, query, body) and runs its handler.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) (any, error) {
	path, ok := apiPath(r.URL.Path)
	if !ok {
		s.recorder.Violate(r, fakehttp.UnknownPath, "nothing is served outside /api and /auth")
		return nil, &failure{http.StatusNotFound, ErrorText, ""}
	}
	if strings.EqualFold(path, "/authinfo") && r.Method == http.MethodGet {
		fakehttp.SetTemplate(r, "/AuthInfo")
		return s.authInfo(), nil
	}
	if err := s.throttle(w); err != nil {
		return nil, err
	}
	op, err := s.operation(r, path)
	if err != nil {
		return nil, err
	}
	agent, scopes, err := s.authenticate(r)
	if err != nil {
		return nil, err
	}
	fakehttp.SetTemplate(r, op.Path)
	if err := s.authorize(op, scopes); err != nil {
		return nil, err
	}
	c := &call{Server: s, request: r, op: op, agent: agent, query: query(r.URL.Query()), now: s.options.Now().UTC()}
	if c.id, c.seq, err = pathIDs(path, op.Path); err != nil {
		return nil, err
	}
	c.checkQuery()
	for _, name := range s.options.IgnoreQuery[op.Path] {
		delete(c.query, name)
	}
	if r.Method == http.MethodPost {
		if err := c.readBody(); err != nil {
			return nil, err
		}
	}
	handle, ok := s.routes[op.Method+" "+op.Path]
	if !ok {
		return nil, &failure{http.StatusNotImplemented, ErrorText, "halotest does not play " + op.Method + " " + op.Path}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return handle(c)
}

func (s *Server) operation(r *http.Request, path string) (*specindex.HaloOperation, error) {
	if op, ok := specindex.Halo().Operation(r.Method, path); ok {
		return op, nil
	}
	s.recorder.Violate(r, fakehttp.UnknownPath, "Halo has no such operation")
	if specindex.Halo().HasPath(path) {
		return nil, &failure{http.StatusMethodNotAllowed, ErrorMessage, "The requested resource does not support http method '" + r.Method + "'."}
	}
	return nil, &failure{http.StatusNotFound, ErrorMessage, "No HTTP resource was found that matches the request URI."}
}

// apiPath cuts the leading /api, whatever its case.
func apiPath(path string) (string, bool) {
	if len(path) < len("/api/") || !strings.EqualFold(path[:len("/api/")], "/api/") {
		return "", false
	}
	return path[len("/api"):], true
}

// throttle counts requests in a rolling window of five minutes. Refused ones
// do not count.
func (s *Server) throttle(w http.ResponseWriter) error {
	if s.options.RateLimit == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	for len(s.recent) > 0 && now.Sub(s.recent[0]) >= rateWindow {
		s.recent = s.recent[1:]
	}
	if len(s.recent) < s.options.RateLimit {
		s.recent = append(s.recent, now)
		return nil
	}
	if s.options.RetryAfter {
		wait := rateWindow - now.Sub(s.recent[0])
		w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	}
	return &failure{http.StatusTooManyRequests, ErrorText, tooMany}
}

const rateWindow = 5 * time.Minute
