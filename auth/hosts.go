package auth

import (
	"net/http"
	"net/url"

	"github.com/msptoolbelt/toolbelt/internal/origin"
)

// hostList is the origins that may see a credential.
type hostList struct {
	origins map[origin.Origin]bool
	invalid error
}

func parseHosts(hosts []string, hasCredential bool) hostList {
	if !hasCredential || len(hosts) == 0 {
		return hostList{invalid: &Error{Description: "the transport needs a credential and at least one host"}}
	}
	origins := make(map[origin.Origin]bool, len(hosts))
	for _, host := range hosts {
		u, err := url.Parse(host)
		if err != nil {
			return hostList{invalid: &Error{Description: "the transport's Hosts has an entry that is not a URL"}}
		}
		o, err := originOf(u)
		if err != nil {
			return hostList{invalid: &Error{Description: "the transport's Hosts entry " + u.Redacted(), cause: err}}
		}
		origins[o] = true
	}
	return hostList{origins: origins}
}

// allow reports whether the request goes to an allowed origin. The Host header
// must agree with the URL: some servers and proxies route by it.
func (l hostList) allow(req *http.Request) bool {
	if req.URL == nil {
		return false
	}
	o, err := originOf(req.URL)
	if err != nil || !l.origins[o] {
		return false
	}
	if req.Host == "" || req.Host == req.URL.Host {
		return true
	}
	header, err := originOf(&url.URL{Scheme: req.URL.Scheme, Host: req.Host})
	return err == nil && header == o
}
