package auth

import (
	"net/http"
	"sync"
)

// HaloAPIKeyHeader is the header of HaloPSA's static API keys, which need no
// sign-in.
const HaloAPIKeyHeader = "X-Halo-Api-Key"

// KeyTransport adds a static API key in a header of its own to requests to the
// hosts in Hosts and passes every other request on without it. The caller's
// request is not changed; one that has the header already is passed on as it is.
//
// Set the fields before the first request. It is safe for concurrent use.
type KeyTransport struct {
	// Base makes the requests; nil is [http.DefaultTransport].
	Base http.RoundTripper
	// Header names the header, such as [HaloAPIKeyHeader].
	Header string
	Key    Secret
	// Hosts are the origins that may see the key, as in [Transport].
	Hosts []string

	parse sync.Once
	hosts hostList
}

// RoundTrip implements [http.RoundTripper].
func (t *KeyTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	t.parse.Do(func() { t.hosts = parseHosts(t.Hosts, t.Header != "" && !t.Key.IsZero()) })
	if t.hosts.invalid != nil {
		closeBody(req)
		return nil, t.hosts.invalid
	}
	name := http.CanonicalHeaderKey(t.Header)
	if _, own := req.Header[name]; own || !t.hosts.allow(req) {
		return baseOr(t.Base).RoundTrip(req)
	}
	return baseOr(t.Base).RoundTrip(withHeader(req, name, t.Key.Expose()))
}

// CloseIdleConnections lets [http.Client.CloseIdleConnections] reach the base.
func (t *KeyTransport) CloseIdleConnections() { closeIdle(baseOr(t.Base)) }
