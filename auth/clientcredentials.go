package auth

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// ClientCredentialsConfig describes an application that signs in by itself
// (RFC 6749 section 4.4).
type ClientCredentialsConfig struct {
	Authority    Authority
	ClientID     string
	ClientSecret Secret
	// Scopes: Entra wants exactly one, such as
	// "https://graph.microsoft.com/.default"; Halo takes "all" or its own names.
	Scopes []string
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
	if config.ClientID == "" || config.ClientSecret.IsZero() {
		return nil, errors.New("auth: client credentials need a client id and a secret")
	}
	if err := config.Authority.check(); err != nil {
		return nil, err
	}
	client := tokenClient(config.HTTPClient)
	fetch := func(ctx context.Context, _ *oauth2.Token) (*oauth2.Token, error) {
		secret := config.ClientSecret.Expose()
		grant := clientcredentials.Config{
			ClientID:       config.ClientID,
			ClientSecret:   secret,
			TokenURL:       config.Authority.TokenURL,
			Scopes:         config.Scopes,
			EndpointParams: config.Params,
			AuthStyle:      config.Authority.style(),
		}
		token, err := grant.Token(withClient(ctx, client))
		return token, tokenError(err, secret,
			config.ClientID+":"+secret, url.QueryEscape(config.ClientID)+":"+url.QueryEscape(secret)) // in HTTP Basic
	}
	return NewSource(fetch, config.Source), nil
}
