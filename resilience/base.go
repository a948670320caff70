package resilience

import (
	"net/http"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/dial"
)

// NewBase returns the transport that [Options] uses by default: TLS 1.2 or
// later, bounded connecting, and enough idle connections per host for an API
// client. HTTP/2 connections that went silent are found by pings. A name that
// leads to an address which is not public is refused with [ErrPrivateAddress];
// localhost and addresses that the URL itself has are what they are.
func NewBase() *http.Transport { return newBase(false) }

// NewPrivateBase is [NewBase] for services on premises: names may lead to the
// private networks of RFC 1918 and RFC 4193, though not to link-local addresses
// or to where clouds keep credentials.
func NewPrivateBase() *http.Transport { return newBase(true) }

func newBase(private bool) *http.Transport {
	return dial.Harden(&http.Transport{
		TLSHandshakeTimeout:    10 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        90 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 1 << 20,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second},
	}, private)
}

// maxRedirects is how many are followed.
const maxRedirects = 5

// Client returns a client on t that follows at most five redirects, and only
// within the same origin, so that no body or credential goes elsewhere. An
// answer that redirects to another origin is returned as it is, unfollowed. So
// is one that would turn a write into a GET: its answer would look as if the
// write had been done.
func (t *Transport) Client() *http.Client {
	return &http.Client{Transport: t, CheckRedirect: checkRedirect}
}

func checkRedirect(req *http.Request, via []*http.Request) error {
	from, err := originOf(via[len(via)-1].URL)
	if err != nil {
		return err
	}
	to, err := originOf(req.URL)
	if err != nil || to != from || req.Method != via[0].Method || len(via) > maxRedirects {
		return http.ErrUseLastResponse
	}
	return nil
}
