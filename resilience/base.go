package resilience

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// NewBase returns the transport that [Options] uses by default: TLS 1.2 or
// later, bounded connecting, and enough idle connections per host for an API
// client. HTTP/2 connections that went silent are found by pings.
func NewBase() *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    10 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        90 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 1 << 20,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second},
	}
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
