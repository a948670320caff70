package auth

import (
	"context"
	"net/http"

	"golang.org/x/oauth2"
)

// HaloKeyHeader is the header of HaloPSA's static API keys, which need no
// sign-in.
const HaloKeyHeader = "X-Halo-Api-Key" //nolint:gosec // the name of a header

// APIKey is a [TokenSource] for services that take a static key in a header of
// its own instead of a bearer token. [Transport] puts it there, and only on
// requests to its hosts.
func APIKey(header string, key Secret) TokenSource {
	return &apiKey{name: http.CanonicalHeaderKey(header), token: hide(&oauth2.Token{AccessToken: key.Expose(), TokenType: "key"})}
}

type apiKey struct {
	name  string
	token hidden
}

// TokenContext implements [TokenSource]. The "token" is the key.
func (k *apiKey) TokenContext(context.Context) (*oauth2.Token, error) {
	token := k.token.token()
	if token.AccessToken == "" || k.name == "" {
		return nil, &Error{Code: "login_required", Description: "the API key is empty", NeedsUser: true}
	}
	return token, nil
}

// credentialHeader returns where the token of a source goes, and how.
func credentialHeader(source TokenSource, token *oauth2.Token) (name, value string) {
	if key, ok := source.(*apiKey); ok {
		return key.name, token.AccessToken
	}
	return "Authorization", "Bearer " + token.AccessToken
}
