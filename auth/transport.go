package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"sync"

	"golang.org/x/oauth2"
)

// Transport adds a bearer token (RFC 6750), or an [APIKey], to requests to the hosts in Hosts
// and passes every other request on without one. A 401 is answered once: the
// token is invalidated at its source, with the claims that the API demands if it
// sent a claims challenge, and the request repeated with a new one if its body
// can be had again (there is none, or GetBody is set). The caller's request is
// not changed; one that has an Authorization header of its own, or such a key, is
// passed on as it is.
//
// Set the fields before the first request. It is safe for concurrent use.
type Transport struct {
	// Base makes the requests; nil is [http.DefaultTransport].
	Base http.RoundTripper
	// Source hands out the tokens. It may choose by the request's context, as
	// [SourceFunc] does. A 401 uses its methods Challenge(*oauth2.Token, string)
	// or Invalidate(*oauth2.Token), if it has them, as [Source] has.
	Source TokenSource
	// Hosts are the origins that may see the token, such as
	// "https://graph.microsoft.com": https, or http on loopback. They are
	// compared as parsed origins, not as text. Empty is an error.
	Hosts []string

	parse sync.Once
	hosts hostList
}

// RoundTrip implements [http.RoundTripper]. The error is that of the base, an
// [*Error] if there is no token, or that of the request's context.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	t.parse.Do(func() { t.hosts = parseHosts(t.Hosts, t.Source != nil) })
	if t.hosts.invalid != nil {
		closeBody(req)
		return nil, t.hosts.invalid
	}
	if !t.hosts.allow(req) || has(req, "Authorization") {
		return t.base().RoundTrip(req)
	}
	source, err := chosen(req.Context(), t.Source)
	if err != nil {
		closeBody(req)
		return nil, noToken(req.Context(), err)
	}
	token, err := source.TokenContext(req.Context())
	if err != nil {
		closeBody(req)
		return nil, noToken(req.Context(), err)
	}
	name, value := credentialHeader(source, token)
	if has(req, name) {
		return t.base().RoundTrip(req)
	}
	resp, err := t.base().RoundTrip(withHeader(req, name, value))
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	return t.again(req, resp, source, token)
}

// again repeats a refused request with a new token, or returns resp as it is.
func (t *Transport) again(req *http.Request, resp *http.Response, source TokenSource, refused *oauth2.Token) (*http.Response, error) {
	if !invalidate(source, refused, resp.Header) {
		return resp, nil
	}
	hasBody := req.Body != nil && req.Body != http.NoBody
	if hasBody && req.GetBody == nil {
		return resp, nil
	}
	token, err := source.TokenContext(req.Context())
	if err == nil && token.AccessToken == refused.AccessToken {
		return resp, nil
	}
	discard(resp)
	if err != nil {
		return nil, noToken(req.Context(), err)
	}
	name, value := credentialHeader(source, token)
	second := withHeader(req, name, value)
	if hasBody {
		if second.Body, err = req.GetBody(); err != nil {
			return nil, fmt.Errorf("auth: repeat the request's body: %w", err)
		}
	}
	return t.base().RoundTrip(second)
}

// invalidate tells the source that an API refused its token, and what the API
// wants instead.
func invalidate(source TokenSource, refused *oauth2.Token, answer http.Header) bool {
	if claims, ok := claimsChallenge(answer); ok {
		if source, ok := source.(interface{ Challenge(*oauth2.Token, string) }); ok {
			source.Challenge(refused, claims)
			return true
		}
	}
	if source, ok := source.(interface{ Invalidate(*oauth2.Token) }); ok {
		source.Invalidate(refused)
		return true
	}
	return false
}

// noToken makes an [*Error] of any failure but that of the caller's context:
// without a token there is nothing to retry.
func noToken(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	return &Error{cause: err}
}

func (t *Transport) base() http.RoundTripper {
	if t.Base != nil {
		return t.Base
	}
	return http.DefaultTransport
}

// CloseIdleConnections lets [http.Client.CloseIdleConnections] reach the base.
func (t *Transport) CloseIdleConnections() {
	if c, ok := t.base().(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func has(req *http.Request, header string) bool {
	_, ok := req.Header[header]
	return ok
}

// withHeader copies the request: a RoundTripper must not change it.
func withHeader(req *http.Request, name, value string) *http.Request {
	out := req.WithContext(req.Context())
	out.Header = make(http.Header, len(req.Header)+1)
	maps.Copy(out.Header, req.Header)
	out.Header[name] = []string{value}
	return out
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close() // it was not sent
	}
}

// discard reads a little so that the connection can be used again.
func discard(resp *http.Response) {
	// What cannot be read is closed with the connection.
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10)
	_ = resp.Body.Close()
}
