package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"
)

// OnBehalfOfConfig describes a server that calls another API for the user who
// calls it (Microsoft's on-behalf-of flow, which is RFC 7523 section 2.1).
//
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow
type OnBehalfOfConfig struct {
	Authority Authority
	ClientID  string
	// ClientAuth is needed: the server is a confidential client.
	ClientAuth ClientAuth
	// Scopes of the other API.
	Scopes []string
	// Assertion returns the token with which the user called this server, from
	// the context of that call. It must have been verified, and issued for
	// this server: the other API never sees it.
	Assertion func(ctx context.Context) (Secret, error)
	// Size is how many users' tokens are kept, those used last. Default 1000.
	Size int
	// HTTPClient makes the token requests; only its Transport and Timeout are
	// used, and redirects are never followed. Nil is a client of our own.
	HTTPClient *http.Client
	// Source tunes the sources of the users. Initial, Save and Wrap are not
	// used: nothing outlives the user's own token.
	Source SourceOptions
}

// OnBehalfOf is a [TokenSource] whose tokens are those of the user in the
// context of the call. It is safe for concurrent use.
type OnBehalfOf struct {
	config   OnBehalfOfConfig
	endpoint *tokenEndpoint
	pool     *Pool
}

// NewOnBehalfOf checks config. It fetches nothing yet.
func NewOnBehalfOf(config OnBehalfOfConfig) (*OnBehalfOf, error) {
	if config.ClientID == "" || config.ClientAuth.IsZero() || config.Assertion == nil {
		return nil, errors.New("auth: on-behalf-of needs a client id, a secret, certificate or assertion, and the user's token")
	}
	if err := config.Authority.check(); err != nil {
		return nil, err
	}
	config.Source.Initial, config.Source.Save, config.Source.Wrap = nil, nil, nil
	o := &OnBehalfOf{config: config, endpoint: &tokenEndpoint{
		authority: config.Authority, clientID: config.ClientID, auth: config.ClientAuth, client: tokenClient(config.HTTPClient),
	}, pool: NewPool(config.Size, nil)}
	return o, nil
}

// SourceFor returns the source of the user in ctx, which [Transport] uses to
// answer a 401. Its error is an [*Error], or [ErrClosed].
func (o *OnBehalfOf) SourceFor(ctx context.Context) (TokenSource, error) { return o.source(ctx) }

// TokenContext implements [TokenSource].
func (o *OnBehalfOf) TokenContext(ctx context.Context) (*oauth2.Token, error) {
	source, err := o.source(ctx)
	if err != nil {
		return nil, err
	}
	return source.TokenContext(ctx)
}

// Close ends the requests under way and forgets all tokens.
func (o *OnBehalfOf) Close() { o.pool.Close() }

// source returns the source for the user's token. A hash stands for that in
// the pool, so that it is kept in one place only.
func (o *OnBehalfOf) source(ctx context.Context) (*Source, error) {
	assertion, err := o.config.Assertion(ctx)
	if err != nil {
		return nil, noToken(ctx, err)
	}
	if assertion.IsZero() {
		return nil, &Error{Code: "login_required", Description: "the call brought no token of a user", NeedsUser: true}
	}
	sum := sha256.Sum256([]byte(assertion.Expose()))
	return o.pool.get(string(sum[:]), func() (*Source, error) {
		return NewSource(func(ctx context.Context, _ *oauth2.Token) (*oauth2.Token, error) {
			return o.exchange(ctx, assertion)
		}, o.config.Source), nil
	})
}

func (o *OnBehalfOf) exchange(ctx context.Context, assertion Secret) (*oauth2.Token, error) {
	form := url.Values{
		"grant_type":          {"urn:ietf:params:oauth:grant-type:jwt-bearer"},
		"assertion":           {assertion.Expose()},
		"requested_token_use": {"on_behalf_of"},
	}
	if len(o.config.Scopes) > 0 {
		form.Set("scope", strings.Join(o.config.Scopes, " "))
	}
	return o.endpoint.token(ctx, form, assertion.Expose())
}
