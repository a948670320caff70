package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"

	"github.com/msptoolbelt/toolbelt/internal/origin"
)

// flowLife is how long a sign-in may take.
const flowLife = 10 * time.Minute

// PKCEConfig describes the sign-in of a person with a browser: authorization
// code (RFC 6749 section 4.1) with PKCE (RFC 7636).
type PKCEConfig struct {
	Authority Authority
	ClientID  string
	// ClientAuth is for confidential clients (web applications); public
	// clients such as desktop programs have none.
	ClientAuth ClientAuth
	// Scopes wanted; those of the authority (offline_access) are added.
	Scopes []string
	// Resource is the API that the tokens are for (RFC 8707), sent to
	// authorities that accept it.
	Resource string
	// Params are further parameters of the sign-in page, such as prompt,
	// login_hint or domain_hint.
	Params url.Values
	// HTTPClient makes the token requests; only its Transport and Timeout are
	// used, and redirects are never followed. Nil is a client of our own.
	HTTPClient *http.Client

	// Open shows the sign-in page to the user, in a browser or as a line to
	// copy, and returns at once. [PKCE.LoginLoopback] needs it.
	Open func(url string) error
	// RedirectHost is the host of the loopback redirect URI as the application
	// is registered: "localhost" (default), "127.0.0.1" or "::1".
	RedirectHost string
	// RedirectPort is its port; 0 takes a free one, which Entra allows.
	RedirectPort int
	// RedirectPath is its path; default "/".
	RedirectPath string

	// Source tunes the renewal; its Initial token is an earlier sign-in.
	Source SourceOptions
}

// PKCE signs a person in. It is safe for concurrent use.
type PKCE struct {
	config   PKCEConfig
	endpoint *tokenEndpoint
	source   *Source
}

// NewPKCE checks config. Nobody is asked to sign in yet.
func NewPKCE(config PKCEConfig) (*PKCE, error) {
	if config.ClientID == "" || config.Authority.AuthURL == "" {
		return nil, errors.New("auth: PKCE needs a client id and an authorization endpoint")
	}
	if err := config.Authority.check(); err != nil {
		return nil, err
	}
	if config.RedirectHost == "" {
		config.RedirectHost = "localhost"
	}
	if !origin.Loopback(config.RedirectHost) {
		return nil, fmt.Errorf("auth: redirect host %q is not a loopback host", config.RedirectHost)
	}
	if !strings.HasPrefix(config.RedirectPath, "/") {
		config.RedirectPath = "/" + config.RedirectPath
	}
	p := &PKCE{config: config, endpoint: &tokenEndpoint{
		authority: config.Authority, clientID: config.ClientID, auth: config.ClientAuth,
		resource: config.Resource, client: tokenClient(config.HTTPClient),
	}}
	p.source = NewSource(p.endpoint.refresh, config.Source)
	return p, nil
}

// Source returns the tokens of the person who signed in last. Until somebody
// has, and after the sign-in has been revoked, it returns an [*Error] whose
// NeedsUser is true; it works again right after the next sign-in. Close it
// when done.
func (p *PKCE) Source() *Source { return p.source }

// Format implements [fmt.Formatter], as [Source.Format] does.
func (p *PKCE) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "auth.PKCE") // into the formatter's buffer
}

// Flow is one sign-in under way, for one user. Keep it where only that user's
// browser session leads to it.
type Flow struct {
	// URL is the page to send the browser to.
	URL string

	redirect string
	state    string
	verifier Secret
	expires  time.Time
	used     atomic.Bool
}

// Begin starts a sign-in whose answer comes to the given redirect URI: https,
// or http on loopback. Send the browser to the Flow's URL, and pass the query
// that comes back to [PKCE.Complete].
func (p *PKCE) Begin(redirect string) (*Flow, error) {
	if err := checkEndpoint(redirect); err != nil {
		return nil, fmt.Errorf("auth: redirect URI: %w", err)
	}
	page, err := url.Parse(p.config.Authority.AuthURL)
	if err != nil {
		return nil, fmt.Errorf("auth: authorization endpoint: %w", errInsecure)
	}
	f := &Flow{
		redirect: redirect,
		state:    rand.Text(),
		verifier: NewSecret(oauth2.GenerateVerifier()),
		expires:  time.Now().Add(flowLife),
	}
	query := page.Query()
	maps.Copy(query, p.config.Params)
	for name, value := range map[string]string{
		"response_type":         "code",
		"client_id":             p.config.ClientID,
		"redirect_uri":          redirect,
		"scope":                 strings.Join(p.scopes(), " "),
		"state":                 f.state,
		"code_challenge":        oauth2.S256ChallengeFromVerifier(f.verifier.Expose()),
		"code_challenge_method": "S256",
	} {
		query.Set(name, value)
	}
	if p.config.Resource != "" && p.config.Authority.AcceptsResource {
		query.Set("resource", p.config.Resource)
	}
	claims, err := joinClaims(p.source.challenged(), p.config.Authority.Capabilities)
	if err != nil {
		return nil, err
	}
	if claims != "" {
		query.Set("claims", claims)
	}
	page.RawQuery = query.Encode()
	f.URL = page.String()
	return f, nil
}

// Complete redeems the answer that the authorization server sent to the
// redirect URI. An answer that does not belong to the flow (state, issuer)
// is refused and leaves the flow open; one that does ends it, whatever comes
// of it. The token is returned and becomes that of [PKCE.Source].
func (p *PKCE) Complete(ctx context.Context, f *Flow, answer url.Values) (*oauth2.Token, error) {
	if err := p.belongs(f, answer); err != nil {
		return nil, err
	}
	if !f.used.CompareAndSwap(false, true) {
		return nil, errUsed
	}
	if code := answer.Get("error"); code != "" {
		return nil, &Error{
			Code:        clean(code, 64, nil),
			Description: clean(answer.Get("error_description"), 300, []string{f.verifier.Expose()}),
			NeedsUser:   true,
		}
	}
	code := answer.Get("code")
	token, err := p.endpoint.token(ctx, url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {f.redirect}, "code_verifier": {f.verifier.Expose()},
	}, code, f.verifier.Expose())
	if err != nil {
		return nil, err
	}
	if err := p.source.set(ctx, token); err != nil {
		return nil, err
	}
	return token, nil
}

var (
	errForeign = errors.New("auth: the answer does not belong to this sign-in")
	errUsed    = errors.New("auth: this sign-in has already been answered")
	errLate    = errors.New("auth: this sign-in took too long; start again")
)

// belongs checks everything that a page of another origin could get wrong.
func (p *PKCE) belongs(f *Flow, answer url.Values) error {
	if f == nil || len(answer["state"]) != 1 ||
		subtle.ConstantTimeCompare([]byte(answer.Get("state")), []byte(f.state)) != 1 {
		return errForeign
	}
	// RFC 9207 section 2.4: the defence against mix-up of servers.
	issuer, sent := answer["iss"]
	if p.config.Authority.SendsIssuer && !sent {
		return errForeign
	}
	if want := p.config.Authority.Issuer; sent && want != "" && !slices.Equal(issuer, []string{want}) {
		return errForeign
	}
	if len(answer["code"])+len(answer["error"]) != 1 || answer.Get("code")+answer.Get("error") == "" {
		return errForeign
	}
	if time.Now().After(f.expires) {
		return errLate
	}
	return nil
}

func (p *PKCE) scopes() []string { return p.config.Authority.signInScopes(p.config.Scopes) }

// signInScopes adds those of the authority.
func (a Authority) signInScopes(wanted []string) []string {
	scopes := slices.Clone(wanted)
	for _, extra := range a.SignInScopes {
		if !slices.Contains(scopes, extra) {
			scopes = append(scopes, extra)
		}
	}
	return scopes
}
