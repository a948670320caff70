package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"
)

// ErrNotRevoked is wrapped by the error of a revocation that failed. The token
// is still good at the server, for as long as the server lets it be.
var ErrNotRevoked = errors.New("auth: the sign-in could not be revoked at the server")

// revoke ends a refresh token, and with it the access tokens that came of it
// (RFC 7009 section 2.1). It does nothing where the authority does not offer
// revocation, as Entra does not.
func (e *tokenEndpoint) revoke(ctx context.Context, refreshToken Secret) error {
	if e.authority.RevokeURL == "" || refreshToken.IsZero() {
		return nil
	}
	form := url.Values{"token": {refreshToken.Expose()}, "token_type_hint": {"refresh_token"}}
	if _, err := e.post(ctx, e.authority.RevokeURL, form, refreshToken.Expose()); err != nil {
		return fmt.Errorf("%w: %w", ErrNotRevoked, err)
	}
	return nil
}

// post sends a form to an endpoint that is not for tokens, with all that proves
// the client, and returns the body of a good answer.
func (e *tokenEndpoint) post(ctx context.Context, endpoint string, form url.Values, confidential ...string) ([]byte, error) {
	form.Set("client_id", e.clientID)
	form, secret, hidden, err := e.complete(ctx, form)
	if err != nil {
		return nil, err
	}
	hidden = append(hidden, confidential...)
	basic := secret != "" && e.authority.Style == oauth2.AuthStyleInHeader
	if secret != "" && !basic {
		form.Set("client_secret", secret)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, &Error{Description: "the endpoint cannot be asked"}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if basic {
		req.SetBasicAuth(url.QueryEscape(e.clientID), url.QueryEscape(secret))
	}
	resp, err := e.client.Do(req)
	if err != nil {
		return nil, tokenError(err, hidden...)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, &Error{Description: "the endpoint's answer broke off", cause: context.Cause(ctx)}
	}
	if resp.StatusCode != http.StatusOK {
		return nil, answerError(&oauth2.RetrieveError{Response: resp, Body: body,
			ErrorCode: field(body, "error"), ErrorDescription: field(body, "error_description")}, hidden)
	}
	return body, nil
}
