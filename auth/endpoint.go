package auth

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// tokenEndpoint makes the token requests of all grants.
type tokenEndpoint struct {
	authority Authority
	clientID  string
	auth      ClientAuth
	resource  string
	params    url.Values // of every request
	client    *http.Client
}

// token sends one token request. X/oauth2 does the exchange; its type for
// client credentials lets the form name any other grant. Confidential values
// are those of the form that a server must not be able to echo into an error.
func (e *tokenEndpoint) token(ctx context.Context, form url.Values, confidential ...string) (*oauth2.Token, error) {
	form, secret, hidden, err := e.complete(ctx, form)
	if err != nil {
		return nil, err
	}
	grant := clientcredentials.Config{
		ClientID: e.clientID, ClientSecret: secret, TokenURL: e.authority.TokenURL,
		EndpointParams: form, AuthStyle: oauth2.AuthStyleInParams,
	}
	if secret != "" && e.authority.Style == oauth2.AuthStyleInHeader {
		grant.AuthStyle = oauth2.AuthStyleInHeader
	}
	token, err := grant.Token(withClient(ctx, e.client))
	if err != nil {
		return nil, tokenError(err, append(hidden, confidential...)...)
	}
	if token.TokenType != "" && !strings.EqualFold(token.TokenType, "Bearer") {
		return nil, &Error{Description: "the server issued a token that is not a bearer token"} // RFC 6749 section 7.1
	}
	return token, nil
}

// complete adds to form what every request to the authorization server needs,
// and returns the client's secret apart because its place varies.
func (e *tokenEndpoint) complete(ctx context.Context, form url.Values) (full url.Values, secret string, hidden []string, err error) {
	full = url.Values{}
	maps.Copy(full, e.params)
	maps.Copy(full, form)
	if e.resource != "" && e.authority.AcceptsResource {
		full.Set("resource", e.resource)
	}
	claims, err := e.claims(ctx)
	if err != nil {
		return nil, "", nil, err
	}
	if claims != "" {
		full.Set("claims", claims)
	}
	if e.auth.IsZero() {
		return full, "", nil, nil
	}
	audience := e.authority.AssertionAudience
	if audience == "" {
		audience = e.authority.TokenURL
	}
	p, err := e.auth.prove(ctx, e.clientID, audience)
	if err != nil {
		return nil, "", nil, err
	}
	if p.assertion != "" {
		full.Set("client_assertion_type", assertionType)
		full.Set("client_assertion", p.assertion)
		return full, "", []string{p.assertion}, nil
	}
	basic := url.QueryEscape(e.clientID) + ":" + url.QueryEscape(p.secret)
	return full, p.secret, []string{p.secret, e.clientID + ":" + p.secret, basic}, nil
}

// claims joins a claims challenge with the capabilities of the client, both of
// which are claims requested for the access token (OpenID Connect Core section
// 5.5; RFC 9470 has the like).
func (e *tokenEndpoint) claims(ctx context.Context) (string, error) {
	return joinClaims(ClaimsFrom(ctx), e.authority.Capabilities)
}

func joinClaims(demanded string, capabilities []string) (string, error) {
	if len(capabilities) == 0 {
		return demanded, nil
	}
	all := map[string]json.RawMessage{}
	access := map[string]json.RawMessage{}
	if demanded != "" {
		if json.Unmarshal([]byte(demanded), &all) != nil || all == nil {
			return "", &Error{Description: "the claims challenge is not a JSON object"}
		}
		if raw, ok := all["access_token"]; ok && (json.Unmarshal(raw, &access) != nil || access == nil) {
			return "", &Error{Description: "the claims challenge is malformed"}
		}
	}
	values, err := json.Marshal(map[string][]string{"values": capabilities})
	if err != nil {
		return "", err
	}
	access["xms_cc"] = values
	if all["access_token"], err = json.Marshal(access); err != nil {
		return "", err
	}
	joined, err := json.Marshal(all)
	return string(joined), err
}

// refresh is the FetchFunc of sign-ins: a new token for the refresh token. The
// server may rotate it (RFC 6749 section 6); x/oauth2 keeps the old one if the
// server does not.
func (e *tokenEndpoint) refresh(ctx context.Context, previous *oauth2.Token) (*oauth2.Token, error) {
	if previous == nil || previous.RefreshToken == "" {
		return nil, &Error{Code: "login_required", Description: "nobody is signed in", NeedsUser: true}
	}
	return e.token(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {previous.RefreshToken}}, previous.RefreshToken)
}
