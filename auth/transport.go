package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"sync"

	"golang.org/x/oauth2"

	"github.com/msptoolbelt/toolbelt/internal/origin"
)

// Transport adds a bearer token (RFC 6750) to requests to the hosts in Hosts
// and passes every other request on without one. A 401 is answered once: the
// token is invalidated at its source, and the request repeated with a new one
// if its body can be had again (there is none, or GetBody is set). The
// caller's request is not changed; one that has an Authorization header of its
// own is passed on as it is.
//
// Set the fields before the first request. It is safe for concurrent use.
type Transport struct {
	// Base makes the requests; nil is [http.DefaultTransport].
	Base http.RoundTripper
	// Source hands out the tokens. If it has the method
	// Invalidate(*oauth2.Token), as [Source] has, a 401 makes use of it.
	Source TokenSource
	// Hosts are the origins that may see the token, such as
	// "https://graph.microsoft.com": https, or http on loopback. They are
	// compared as parsed origins, not as text. Empty is an error.
	Hosts []string

	parse   sync.Once
	origins map[origin.Origin]bool
	invalid error
}

// RoundTrip implements [http.RoundTripper]. The error is that of the base, an
// [*Error] if there is no token, or that of the request's context.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	t.parse.Do(t.parseHosts)
	if t.invalid != nil {
		closeBody(req)
		return nil, t.invalid
	}
	if !t.wantsToken(req) {
		return t.base().RoundTrip(req)
	}
	token, err := t.token(req.Context())
	if err != nil {
		closeBody(req)
		return nil, err
	}
	resp, err := t.base().RoundTrip(withToken(req, token))
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	return t.again(req, resp, token)
}

// again repeats a refused request with a new token, or returns resp as it is.
func (t *Transport) again(req *http.Request, resp *http.Response, refused *oauth2.Token) (*http.Response, error) {
	source, ok := t.Source.(interface{ Invalidate(*oauth2.Token) })
	hasBody := req.Body != nil && req.Body != http.NoBody
	if !ok {
		return resp, nil
	}
	source.Invalidate(refused)
	if hasBody && req.GetBody == nil {
		return resp, nil
	}
	token, err := t.token(req.Context())
	if err == nil && token.AccessToken == refused.AccessToken {
		return resp, nil
	}
	discard(resp)
	if err != nil {
		return nil, err
	}
	second := withToken(req, token)
	if hasBody {
		if second.Body, err = req.GetBody(); err != nil {
			return nil, fmt.Errorf("auth: repeat the request's body: %w", err)
		}
	}
	return t.base().RoundTrip(second)
}

// token asks the source, and makes an [*Error] of any failure but that of the
// caller's context: without a token there is nothing to retry.
func (t *Transport) token(ctx context.Context) (*oauth2.Token, error) {
	token, err := t.Source.TokenContext(ctx)
	if err == nil || ctx.Err() != nil {
		return token, err
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return nil, err
	}
	return nil, &Error{cause: err}
}

// wantsToken reports whether the request goes to an allowed origin. The Host
// header must agree with the URL: some servers and proxies route by it.
func (t *Transport) wantsToken(req *http.Request) bool {
	if _, own := req.Header["Authorization"]; own || req.URL == nil {
		return false
	}
	o, err := originOf(req.URL)
	if err != nil || !t.origins[o] {
		return false
	}
	if req.Host == "" || req.Host == req.URL.Host {
		return true
	}
	header, err := originOf(&url.URL{Scheme: req.URL.Scheme, Host: req.Host})
	return err == nil && header == o
}

func (t *Transport) parseHosts() {
	if t.Source == nil || len(t.Hosts) == 0 {
		t.invalid = &Error{Description: "Transport needs a Source and at least one host"}
		return
	}
	t.origins = make(map[origin.Origin]bool, len(t.Hosts))
	for _, host := range t.Hosts {
		u, err := url.Parse(host)
		if err != nil {
			t.invalid = &Error{Description: "Transport.Hosts has an entry that is not a URL"}
			return
		}
		o, err := originOf(u)
		if err != nil {
			t.invalid = &Error{Description: "Transport.Hosts entry " + u.Redacted(), cause: err}
			return
		}
		t.origins[o] = true
	}
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

// withToken copies the request: a RoundTripper must not change it.
func withToken(req *http.Request, token *oauth2.Token) *http.Request {
	out := req.WithContext(req.Context())
	out.Header = make(http.Header, len(req.Header)+1)
	maps.Copy(out.Header, req.Header)
	out.Header["Authorization"] = []string{"Bearer " + token.AccessToken}
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
