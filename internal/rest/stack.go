package rest

import (
	"net/http"
	"net/url"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/resilience"
)

// Stack returns an HTTP client that reaches base and no other host, with the
// tokens of source. The token is added below the retries, so that a repeated
// request carries a fresh one. A nil source sends none.
func Stack(base *url.URL, source auth.TokenSource, options resilience.Options, more ...string) (*http.Client, error) {
	origin := base.Scheme + "://" + base.Host
	options.Hosts = append([]string{origin}, more...)
	if source != nil {
		inner := options.Base
		if inner == nil {
			inner = resilience.NewBase()
		}
		options.Base = &auth.Transport{Base: inner, Source: source, Hosts: []string{origin}}
	}
	transport, err := resilience.New(options)
	if err != nil {
		return nil, err
	}
	return transport.Client(), nil
}

// Snapshot returns the state of the transports of clients that [Stack] made.
func Snapshot(clients ...*http.Client) resilience.Snapshot {
	var all resilience.Snapshot
	for _, c := range clients {
		if transport, ok := c.Transport.(*resilience.Transport); ok {
			s := transport.Snapshot()
			all.Breakers = append(all.Breakers, s.Breakers...)
			all.Throttles = append(all.Throttles, s.Throttles...)
		}
	}
	return all
}
