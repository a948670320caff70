package auth

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/oauth2"

	"github.com/msptoolbelt/toolbelt/internal/dial"
)

// tokenClient returns the client for token requests: like base, but one that
// never follows a redirect (a 307 would carry the secret to another host) and
// keeps no cookies.
func tokenClient(base *http.Client) *http.Client {
	c := &http.Client{Timeout: 30 * time.Second}
	if base != nil {
		c.Transport = base.Transport
		if base.Timeout > 0 {
			c.Timeout = base.Timeout
		}
	}
	if c.Transport == nil {
		c.Transport = baseTransport()
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c
}

func baseTransport() http.RoundTripper {
	standard, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport // the embedder replaced it, and means it
	}
	t := dial.Harden(standard.Clone(), false)
	t.DisableKeepAlives = true // a token an hour is not worth an idle connection and its goroutines
	return t
}

// withClient is how x/oauth2 is told which client to use.
func withClient(ctx context.Context, c *http.Client) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, c)
}
