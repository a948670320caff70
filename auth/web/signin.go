package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/internal/origin"
	"github.com/msptoolbelt/toolbelt/internal/page"
)

// loginLife is how long a person may take at the identity provider.
const loginLife = 10 * time.Minute

// Flows begins and completes sign-ins; [*auth.PKCE] does.
type Flows interface {
	Begin(redirect string) (*auth.Flow, error)
	Complete(ctx context.Context, flow *auth.Flow, answer url.Values) (*oauth2.Token, error)
}

// SignInOptions say where people sign in and what becomes of them.
type SignInOptions struct {
	// Flows is required: the application at the identity provider. Of a
	// [*auth.PKCE] that several people use, never use the Source: its token is
	// that of whoever signed in last.
	Flows Flows
	// Redirect is the redirect URI that is registered there, such as
	// "https://tools.example/auth/callback": https, or http on loopback.
	// The other pages are beside it: "login" and "logout".
	Redirect string
	// Sessions is required.
	Sessions *Sessions
	// User is required: it says who the token belongs to, and is the place to
	// keep the token for that user (auth.Accounts.Accept). "" or an error
	// refuses the sign-in. See [IDToken].
	User func(ctx context.Context, token *oauth2.Token) (user string, err error)
	// SignedOut, if set, is told who signed out: the place to revoke and
	// forget the user's tokens (auth.Accounts.SignOut).
	SignedOut func(ctx context.Context, user string) error
	// Home is the path to go to after signing in: default "/".
	Home string
	// Limit slows down who tries often: default ten at once, then one in six
	// seconds, for each client address.
	Limit *RateLimit
	// Failed, if set, is told why a sign-in or sign-out did not work: for logs.
	// The page does not say.
	Failed func(*http.Request, error)
	// MaxPending is how many sign-ins may be under way at once: default 10,000.
	MaxPending int
}

// SignIn are the pages by which people sign in to a web server and out again:
//
//   - GET login goes to the identity provider;
//   - GET callback, the redirect URI, comes back from it and starts a session;
//   - GET logout asks, and POST logout ends the session.
//
// A sign-in belongs to the browser that began it, by a cookie of its own: with
// SameSite=Lax, because the way back from the identity provider comes from
// another site. What lies behind the cookie is in this process, so replicas
// must send a browser's sign-in to one of them (the session that follows may be
// shared). Safe for concurrent use.
type SignIn struct {
	options SignInOptions
	cookie  cookie
	base    string // the path of the folder of the pages
	back    string // the path of the redirect URI

	mu      sync.Mutex
	pending lru[[sha256.Size]byte, pendingLogin]
}

type pendingLogin struct {
	flow    *auth.Flow
	session string // the id of the session that the browser had, to end it
	expires time.Time
}

var (
	errNoLogin  = errors.New("web: no sign-in is under way in this browser")
	errNobody   = errors.New("web: the token belongs to nobody")
	errNotHere  = errors.New("web: a form of another site")
	errPathname = errors.New("web: Home must be a path on this server")
)

// NewSignIn checks options.
func NewSignIn(options SignInOptions) (*SignIn, error) {
	if options.Flows == nil || options.Sessions == nil || options.User == nil {
		return nil, errors.New("web: sign-in needs flows, sessions, and to know the user")
	}
	u, err := url.Parse(options.Redirect)
	if err == nil {
		_, err = origin.Of(u)
	}
	if err != nil || u.RawQuery != "" || u.Fragment != "" || u.EscapedPath() != path.Clean(u.Path) || path.Base(u.Path) == "/" {
		return nil, errors.New("web: the redirect URI must be an https URL with a plain path, and nothing after it")
	}
	if name := path.Base(u.Path); name == "login" || name == "logout" {
		return nil, fmt.Errorf("web: the redirect URI cannot be called %s", name)
	}
	if options.Home == "" {
		options.Home = "/"
	}
	if !strings.HasPrefix(options.Home, "/") || strings.HasPrefix(options.Home, "//") || strings.ContainsAny(options.Home, "\\\r\n\t") {
		return nil, errPathname
	}
	if options.Limit == nil {
		options.Limit, err = NewRateLimit(RateOptions{Every: 6 * time.Second, Burst: 10, Proxies: options.Sessions.options.Proxies})
		if err != nil {
			return nil, err
		}
	}
	if options.MaxPending <= 0 {
		options.MaxPending = 10_000
	}
	s := &SignIn{
		options: options, back: u.Path, base: strings.TrimSuffix(path.Dir(u.Path), "/"),
		cookie: cookie{name: hostPrefix + "login", sameSite: http.SameSiteLaxMode, proxies: options.Sessions.options.Proxies},
	}
	s.pending.max = options.MaxPending
	return s, nil
}

// Handler serves the pages, at the paths that Redirect gives them.
func (s *SignIn) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+s.base+"/login", s.login)
	mux.HandleFunc("GET "+s.back, s.callback)
	mux.HandleFunc("GET "+s.base+"/logout", s.askLogout)
	mux.HandleFunc("POST "+s.base+"/logout", s.logout)
	return s.options.Limit.Wrap(mux)
}

// login sends the browser to the identity provider.
func (s *SignIn) login(w http.ResponseWriter, r *http.Request) {
	if !secure(r, s.cookie.proxies) {
		s.fail(w, r, http.StatusMisdirectedRequest, ErrInsecure)
		return
	}
	flow, err := s.options.Flows.Begin(s.options.Redirect)
	if err != nil {
		s.fail(w, r, http.StatusInternalServerError, err)
		return
	}
	id := rand.Text()
	s.mu.Lock()
	s.pending.set(sha256.Sum256([]byte(id)), pendingLogin{flow, s.options.Sessions.cookie.read(r), time.Now().Add(loginLife)})
	s.mu.Unlock()
	s.cookie.write(w, id, loginLife)
	page.Protect(w.Header())
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, flow.URL, http.StatusSeeOther)
}

// callback takes the answer. One that does not belong to the sign-in under way
// in this browser does not end it.
func (s *SignIn) callback(w http.ResponseWriter, r *http.Request) {
	key := sha256.Sum256([]byte(s.cookie.read(r)))
	s.mu.Lock()
	login, ok := s.pending.get(key)
	s.mu.Unlock()
	if !ok || time.Now().After(login.expires) {
		s.fail(w, r, http.StatusBadRequest, errNoLogin)
		return
	}
	token, err := s.options.Flows.Complete(r.Context(), login.flow, r.URL.Query())
	if _, answered := errors.AsType[*auth.Error](err); err != nil && !answered {
		s.fail(w, r, http.StatusBadRequest, err)
		return
	}
	s.mu.Lock()
	s.pending.remove(key)
	s.mu.Unlock()
	s.cookie.write(w, "", -1)
	if err == nil {
		err = s.start(w, r, login, token)
	}
	if err != nil {
		s.fail(w, r, http.StatusForbidden, err)
		return
	}
	// A redirect would still count as coming from the identity provider, and
	// the new cookie would not go with it.
	page.Page{
		Title: "Signed in", Text: "You can go on, or close this window.",
		Link: s.options.Home, Label: "Go on", Refresh: true,
	}.Write(w, http.StatusOK)
}

func (s *SignIn) start(w http.ResponseWriter, r *http.Request, login pendingLogin, token *oauth2.Token) error {
	user, err := s.options.User(r.Context(), token)
	if err != nil {
		return err
	}
	if user == "" {
		return errNobody
	}
	// The browser did not send the session that it had: we come from another site.
	if login.session != "" {
		if err := s.options.Sessions.options.KV.Delete(r.Context(), sessionKey(login.session)); err != nil {
			return fmt.Errorf("web: session: %w", err)
		}
	}
	_, err = s.options.Sessions.Start(w, r, user, nil)
	return err
}

func (s *SignIn) askLogout(w http.ResponseWriter, _ *http.Request) {
	page.Page{Title: "Sign out", Text: "Do you want to sign out here?", Link: s.base + "/logout", Label: "Sign out", Post: true}.Write(w, http.StatusOK)
}

// logout ends the session, whatever becomes of the user's tokens.
func (s *SignIn) logout(w http.ResponseWriter, r *http.Request) {
	if http.NewCrossOriginProtection().Check(r) != nil {
		s.fail(w, r, http.StatusForbidden, errNotHere)
		return
	}
	session, err := s.options.Sessions.Get(r)
	if ended := s.options.Sessions.End(w, r); ended != nil {
		s.fail(w, r, http.StatusInternalServerError, ended)
		return
	}
	if err == nil && s.options.SignedOut != nil {
		if err := s.options.SignedOut(r.Context(), session.User); err != nil && s.options.Failed != nil {
			s.options.Failed(r, err)
		}
	}
	w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	page.Page{Title: "Signed out", Text: "You can close this window.", Link: s.base + "/login", Label: "Sign in again"}.Write(w, http.StatusOK)
}

func (s *SignIn) fail(w http.ResponseWriter, r *http.Request, status int, err error) {
	if s.options.Failed != nil {
		s.options.Failed(r, err)
	}
	page.Page{
		Title: "That did not work", Text: "The sign-in could not be completed. Nothing has changed. You can try once more.",
		Link: s.base + "/login", Label: "Sign in",
	}.Write(w, status)
}
