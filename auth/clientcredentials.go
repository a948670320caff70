package auth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"
)

// ClientCredentialsConfig describes an application that signs in by itself
// (RFC 6749 section 4.4).
type ClientCredentialsConfig struct {
	Authority Authority
	ClientID  string
	// ClientAuth is needed: a secret, a certificate or an assertion.
	ClientAuth ClientAuth
	// Scopes: Entra wants exactly one, such as
	// "https://graph.microsoft.com/.default"; Halo takes "all" or its own names.
	Scopes []string
	// Resource is the API that the token is for (RFC 8707), sent to
	// authorities that accept it.
	Resource string
	// Params are further form fields of the token request, such as the tenant
	// for a Halo server that reads it there instead of in the query.
	Params url.Values
	// HTTPClient makes the token requests; only its Transport and Timeout are
	// used, and redirects are never followed. Nil is a client of our own.
	HTTPClient *http.Client
	Source     SourceOptions
}

// NewClientCredentials returns a [Source] for an application. It fetches
// nothing yet, so it never blocks and never fails because of the network.
func NewClientCredentials(config ClientCredentialsConfig) (*Source, error) {
	if config.ClientID == "" || config.ClientAuth.IsZero() {
		return nil, errors.New("auth: client credentials need a client id and a secret, certificate or assertion")
	}
	if err := config.Authority.check(); err != nil {
		return nil, err
	}
	endpoint := &tokenEndpoint{
		authority: config.Authority, clientID: config.ClientID, auth: config.ClientAuth,
		resource: config.Resource, params: config.Params, client: tokenClient(config.HTTPClient),
	}
	form := url.Values{"grant_type": {"client_credentials"}}
	if len(config.Scopes) > 0 {
		form.Set("scope", strings.Join(config.Scopes, " "))
	}
	fetch := func(ctx context.Context, _ *oauth2.Token) (*oauth2.Token, error) { return endpoint.token(ctx, form) }
	return NewSource(fetch, config.Source), nil
}
