package resilience

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/msptoolbelt/toolbelt/internal/origin"
)

// originOf returns the origin of u if it is plain and safe.
func originOf(u *url.URL) (origin.Origin, error) {
	o, err := origin.Of(u)
	switch {
	case errors.Is(err, origin.ErrInsecure):
		return o, ErrInsecureURL
	case err != nil:
		return o, ErrHostNotAllowed
	}
	return o, nil
}

// hosts is the allow-list.
type hosts struct {
	origins map[origin.Origin]bool
	spelled []spelling // as the list has them: most requests are spelled so, and need no parsing
}

type spelling struct{ scheme, host string }

func parseHosts(list []string) (*hosts, error) {
	if len(list) == 0 {
		return nil, errors.New("resilience: Options.Hosts is empty; list the origins that may be reached")
	}
	allowed := &hosts{origins: make(map[origin.Origin]bool, len(list)), spelled: make([]spelling, 0, len(list))}
	for _, text := range list {
		u, err := url.Parse(text)
		if err != nil {
			return nil, errors.New("resilience: Options.Hosts has an entry that is not a URL")
		}
		o, err := originOf(u)
		if err != nil {
			return nil, fmt.Errorf("%w: Options.Hosts entry %s", err, u.Redacted())
		}
		allowed.origins[o] = true
		allowed.spelled = append(allowed.spelled, spelling{u.Scheme, u.Host})
	}
	return allowed, nil
}

// check refuses a request that must not be sent. The Host header must agree
// with the URL: some servers and proxies route by it. The error names the host
// only, since paths and queries can hold personal data.
func (h *hosts) check(req *http.Request) error {
	if req.URL == nil {
		return ErrHostNotAllowed
	}
	allowed := req.URL.User == nil && req.URL.Opaque == "" && slices.Contains(h.spelled, spelling{req.URL.Scheme, req.URL.Host})
	if !allowed {
		o, err := originOf(req.URL)
		if err != nil {
			return fmt.Errorf("%w: %q", err, req.URL.Host)
		}
		allowed = h.origins[o]
	}
	if !allowed || req.Host != "" && req.Host != req.URL.Host {
		return fmt.Errorf("%w: %q", ErrHostNotAllowed, req.URL.Host)
	}
	return nil
}
