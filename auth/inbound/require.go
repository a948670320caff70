package inbound

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	mcpauth "github.com/modelcontextprotocol/go-sdk/auth"

	"github.com/msptoolbelt/toolbelt/internal/origin"
)

// Options say what [RequireToken] asks for and how it answers.
type Options struct {
	// Scopes that a token must have, all of them, as they stand in the token.
	Scopes []string
	// ScopePrefix is put before each scope in an answer: what a client must ask
	// the issuer for. Entra's tokens say "access_as_user" where a client asks
	// for "api://<application id>/access_as_user".
	ScopePrefix string
	// ResourceMetadata is the URL of this server's metadata (RFC 9728); see
	// [MetadataURL]. A client finds out from it where to get a token.
	ResourceMetadata string
	// ClockSkew is for the expiry of the token, as in [Config]: default one
	// minute.
	ClockSkew time.Duration
	// Refused, if set, is told of every request that is not let through, for
	// audit and metrics. The error holds nothing of the token.
	Refused func(*http.Request, error)
}

var (
	// ErrNoToken is what Options.Refused is told of a request without a token.
	ErrNoToken = errors.New("inbound: no token")
	// ErrBadRequest is what it is told of a request that presents a token in
	// more than one way, or not in the Authorization header.
	ErrBadRequest = errors.New("inbound: malformed authorization")
	// ErrScope is what it is told of a good token without the needed scopes.
	ErrScope = errors.New("inbound: insufficient scope")
)

// RequireToken returns middleware that lets a request through if it brings a
// token that verifier accepts and that has the scopes; the handler finds the
// [Caller] in the request's context, the SDK finds its TokenInfo there, and
// neither finds an Authorization header.
//
// Otherwise it answers by RFC 6750 section 3: 401 without an error code to a
// request without a token, 400 invalid_request, 401 invalid_token, 403
// insufficient_scope with the scopes that are needed. It is 503 if the verifier
// cannot tell. The answer never says what is wrong with a token.
//
// It replaces the SDK's RequireBearerToken, which sends no error code and shows
// the verifier's error text; what the SDK does with a TokenInfo works as with
// that one, such as refusing another user's session. RequireToken panics if
// options hold what cannot stand in a header.
func RequireToken(verifier mcpauth.TokenVerifier, options Options) func(http.Handler) http.Handler {
	g := &guard{verifier: verifier, options: options}
	if err := g.prepare(); err != nil {
		panic(err)
	}
	return func(next http.Handler) http.Handler {
		// The SDK's middleware alone can put a TokenInfo where the SDK looks.
		pass := mcpauth.RequireBearerToken(verified, &mcpauth.RequireBearerTokenOptions{
			AllowMissingExpiration: true, ClockSkew: time.Hour, // both have been checked
		})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("Authorization") // of the copy below
			next.ServeHTTP(w, r)
		}))
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			info, err := g.check(r)
			if err != nil {
				g.refuse(w, r, err)
				return
			}
			r = r.Clone(context.WithValue(r.Context(), callerKey{}, info))
			pass.ServeHTTP(w, r)
		})
	}
}

// verified hands over what check found out.
func verified(ctx context.Context, _ string, _ *http.Request) (*mcpauth.TokenInfo, error) {
	info, ok := Caller(ctx)
	if !ok {
		return nil, mcpauth.ErrInvalidToken
	}
	return info, nil
}

type guard struct {
	verifier mcpauth.TokenVerifier
	options  Options
	params   []string // of every challenge
	scope    string   // of a challenge: what a client must ask for
}

// prepare writes the parts of the answers that are always the same.
func (g *guard) prepare() error {
	if g.verifier == nil {
		return errors.New("inbound: no verifier")
	}
	if g.options.ClockSkew == 0 {
		g.options.ClockSkew = time.Minute
	}
	if g.options.ClockSkew < 0 || g.options.ClockSkew > maxSkew {
		return errSkew
	}
	g.options.Scopes = slices.Clone(g.options.Scopes)
	wanted := make([]string, len(g.options.Scopes))
	for i, scope := range g.options.Scopes {
		wanted[i] = g.options.ScopePrefix + scope
		if !isScope(wanted[i]) {
			return fmt.Errorf("inbound: %q is no scope", wanted[i])
		}
	}
	if len(wanted) > 0 {
		g.scope = `scope="` + strings.Join(wanted, " ") + `"`
	}
	if address := g.options.ResourceMetadata; address != "" {
		u, err := url.Parse(address)
		if err == nil {
			_, err = origin.Of(u)
		}
		if err != nil || strings.ContainsAny(address, "\"\\ ") {
			return errors.New("inbound: the address of the resource metadata must be an https URL")
		}
		g.params = append(g.params, `resource_metadata="`+address+`"`)
	}
	return nil
}

// isScope tells whether s is a scope-token of RFC 6749 section 3.3.
func isScope(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' })
}

func (g *guard) check(r *http.Request) (*mcpauth.TokenInfo, error) {
	raw, err := bearer(r)
	if err != nil {
		return nil, err
	}
	info, err := g.verifier(r.Context(), raw, r)
	if err != nil {
		return nil, err
	}
	if info == nil || info.Expiration.IsZero() || !time.Now().Before(info.Expiration.Add(g.options.ClockSkew)) {
		return nil, refuse("expired")
	}
	for _, scope := range g.options.Scopes {
		if !slices.Contains(info.Scopes, scope) {
			return nil, ErrScope
		}
	}
	return info, nil
}

// bearer returns the token of a request (RFC 6750 section 2.1). A token in the
// query would be in every log on the way; MCP forbids it.
func bearer(r *http.Request) (string, error) {
	if r.URL.Query().Has("access_token") {
		return "", ErrBadRequest
	}
	headers := r.Header.Values("Authorization")
	if len(headers) == 0 {
		return "", ErrNoToken
	}
	if len(headers) > 1 {
		return "", ErrBadRequest
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", ErrNoToken
	}
	if token = strings.Trim(token, " "); token == "" || strings.ContainsAny(token, " \t,") {
		return "", ErrBadRequest
	}
	return token, nil
}

func (g *guard) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if g.options.Refused != nil {
		g.options.Refused(r, err)
	}
	w.Header().Set("Cache-Control", "no-store")
	switch {
	case errors.Is(err, ErrNoToken):
		// RFC 6750 section 3.1: no error code for who did not know.
		g.challenge(w, http.StatusUnauthorized, "an access token is needed", g.scope)
	case errors.Is(err, ErrBadRequest):
		g.challenge(w, http.StatusBadRequest, "the access token belongs into the Authorization header, once", `error="invalid_request"`)
	case errors.Is(err, ErrScope):
		g.challenge(w, http.StatusForbidden, "the access token lacks a scope", `error="insufficient_scope"`, g.scope)
	case errors.Is(err, mcpauth.ErrInvalidToken), errors.Is(err, mcpauth.ErrOAuth):
		g.challenge(w, http.StatusUnauthorized, "the access token is not valid here", `error="invalid_token"`, g.scope)
	default:
		w.Header().Set("Retry-After", "60")
		http.Error(w, "tokens cannot be checked at the moment", http.StatusServiceUnavailable)
	}
}

func (g *guard) challenge(w http.ResponseWriter, status int, text string, params ...string) {
	var list []string
	for _, param := range slices.Concat(params, g.params) {
		if param != "" {
			list = append(list, param)
		}
	}
	w.Header().Set("WWW-Authenticate", strings.TrimSpace("Bearer "+strings.Join(list, ", ")))
	http.Error(w, text, status)
}

// MetadataURL returns where the metadata of a protected resource belongs (RFC
// 9728 section 3.1): the well-known path goes between its host and its path.
// Serve it there with the SDK's auth.ProtectedResourceMetadataHandler. The
// resource is this server's own public address, https, or http on loopback.
func MetadataURL(resource string) (string, error) {
	u, err := url.Parse(resource)
	if err == nil {
		_, err = origin.Of(u)
	}
	if err != nil || u.Fragment != "" {
		return "", errors.New("inbound: the resource must be an https URL without a fragment")
	}
	const place = "/.well-known/oauth-protected-resource"
	metadata := url.URL{Scheme: u.Scheme, Host: u.Host, Path: place, RawQuery: u.RawQuery}
	if u.Path != "/" {
		metadata.Path, metadata.RawPath = place+u.Path, ""
		if u.RawPath != "" {
			metadata.RawPath = place + u.RawPath
		}
	}
	return metadata.String(), nil
}
