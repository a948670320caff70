package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/oauth2"

	"github.com/msptoolbelt/toolbelt/internal/origin"
)

// DiscoverOptions tunes [Discover]. The zero value is the strict one.
type DiscoverOptions struct {
	// Origins are those, apart from the issuer's own, at which its endpoints
	// may be, such as "https://login.example".
	Origins []string
	// HTTPClient makes the request; only its Transport and Timeout are used.
	// Nil is a client of our own.
	HTTPClient *http.Client
}

const maxMetadata = 256 << 10

// Discover reads the metadata of an authorization server: RFC 8414, or OpenID
// Connect Discovery if there is none. It insists that the metadata is that of
// the issuer, that all endpoints are https and at the issuer's own origin or a
// listed one, and that PKCE with S256 is offered wherever a browser is sent
// (Entra does not say so: use [Entra]). Redirects lead nowhere else.
func Discover(ctx context.Context, issuer string, options DiscoverOptions) (Authority, error) {
	d, err := newDiscovery(issuer, options)
	if err != nil {
		return Authority{}, err
	}
	for _, address := range d.addresses() {
		m, found, err := d.read(ctx, address)
		if err != nil {
			return Authority{}, err
		}
		if found {
			return d.authority(m)
		}
	}
	return Authority{}, fmt.Errorf("auth: %s publishes no metadata", issuer)
}

// metadata is what of RFC 8414 section 2 matters here.
type metadata struct {
	Issuer      string   `json:"issuer"`
	AuthURL     string   `json:"authorization_endpoint"`
	TokenURL    string   `json:"token_endpoint"`
	DeviceURL   string   `json:"device_authorization_endpoint"` // RFC 8628 section 4
	RevokeURL   string   `json:"revocation_endpoint"`
	JWKSURL     string   `json:"jwks_uri"`
	Scopes      []string `json:"scopes_supported"`
	AuthMethods []string `json:"token_endpoint_auth_methods_supported"`
	PKCEMethods []string `json:"code_challenge_methods_supported"`
	SendsIssuer bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207 section 3
}

type discovery struct {
	issuer  *url.URL
	raw     string
	allowed map[origin.Origin]bool
	client  *http.Client
}

func newDiscovery(issuer string, options DiscoverOptions) (*discovery, error) {
	u, err := url.Parse(issuer)
	if err != nil || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery || strings.HasSuffix(issuer, "#") {
		return nil, errors.New("auth: the issuer must be a URL without a query or fragment")
	}
	home, err := originOf(u)
	if err != nil {
		return nil, fmt.Errorf("auth: the issuer %w", err)
	}
	d := &discovery{issuer: u, raw: issuer, client: tokenClient(options.HTTPClient)}
	hosts := parseHosts(append([]string{issuer}, options.Origins...), true)
	if hosts.invalid != nil {
		return nil, hosts.invalid
	}
	d.allowed = hosts.origins
	d.client.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if o, err := originOf(req.URL); err != nil || o != home || len(via) > 3 {
			return errors.New("the metadata redirects to another origin")
		}
		return nil
	}
	return d, nil
}

// addresses returns where the metadata may be, in the order of RFC 8414
// section 3.1 and section 5; the last is that of OpenID Connect Discovery
// section 4.1.
func (d *discovery) addresses() []string {
	path := strings.TrimSuffix(d.issuer.EscapedPath(), "/")
	home := d.issuer.Scheme + "://" + d.issuer.Host
	all := []string{
		home + "/.well-known/oauth-authorization-server" + path,
		home + "/.well-known/openid-configuration" + path,
		home + path + "/.well-known/openid-configuration",
	}
	return slices.Compact(all)
}

// read gets one document. A 404 and its like mean that there is none.
func (d *discovery) read(ctx context.Context, address string) (m metadata, found bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return m, false, fmt.Errorf("auth: discovery: %w", errInsecure)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := d.client.Do(req)
	if err != nil {
		return m, false, fmt.Errorf("auth: discovery: %w", innerError(err))
	}
	defer func() { _ = resp.Body.Close() }()
	switch {
	case resp.StatusCode == http.StatusOK:
	case 400 <= resp.StatusCode && resp.StatusCode < 500 && resp.StatusCode != http.StatusTooManyRequests:
		return m, false, nil
	default:
		return m, false, fmt.Errorf("auth: discovery: the server answered HTTP %d", resp.StatusCode)
	}
	if kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return m, false, nil // a page of an application that answers every path
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxMetadata+1))
	switch {
	case err != nil:
		return m, false, fmt.Errorf("auth: discovery: %w", err)
	case len(body) > maxMetadata:
		return m, false, errors.New("auth: discovery: the metadata is too large")
	case json.Unmarshal(body, &m) != nil:
		return m, false, errors.New("auth: discovery: the metadata is malformed")
	}
	return m, true, nil
}

// authority checks the metadata. RFC 8414 section 3.3: an issuer that is not
// the same, character for character, must not be used.
func (d *discovery) authority(m metadata) (Authority, error) {
	if m.Issuer != d.raw {
		return Authority{}, errors.New("auth: discovery: the metadata is that of another issuer")
	}
	for _, endpoint := range []struct{ name, url string }{
		{"authorization_endpoint", m.AuthURL}, {"token_endpoint", m.TokenURL},
		{"device_authorization_endpoint", m.DeviceURL}, {"revocation_endpoint", m.RevokeURL}, {"jwks_uri", m.JWKSURL},
	} {
		if endpoint.url == "" {
			continue
		}
		u, err := url.Parse(endpoint.url)
		if err != nil {
			return Authority{}, fmt.Errorf("auth: discovery: %s %w", endpoint.name, errInsecure)
		}
		o, err := originOf(u)
		if err != nil {
			return Authority{}, fmt.Errorf("auth: discovery: %s %w", endpoint.name, err)
		}
		if !d.allowed[o] {
			return Authority{}, fmt.Errorf("auth: discovery: %s is at an origin that is neither the issuer's nor listed", endpoint.name)
		}
	}
	if m.AuthURL != "" && !slices.Contains(m.PKCEMethods, "S256") {
		return Authority{}, errors.New("auth: discovery: the server does not offer PKCE with S256")
	}
	a := Authority{
		Issuer: m.Issuer, SendsIssuer: m.SendsIssuer,
		AuthURL: m.AuthURL, TokenURL: m.TokenURL, DeviceURL: m.DeviceURL, RevokeURL: m.RevokeURL, JWKSURL: m.JWKSURL,
		Style: secretStyle(m.AuthMethods), AcceptsResource: true, // who does not know resource ignores it: RFC 6749 section 3.2
	}
	if slices.Contains(m.Scopes, "offline_access") {
		a.SignInScopes = []string{"offline_access"}
	}
	return a, a.check()
}

// secretStyle chooses how a client's secret travels. Without a word from the
// server that is HTTP Basic (RFC 8414 section 2).
func secretStyle(methods []string) oauth2.AuthStyle {
	if slices.Contains(methods, "client_secret_post") && !slices.Contains(methods, "client_secret_basic") {
		return oauth2.AuthStyleInParams
	}
	if len(methods) == 0 || slices.Contains(methods, "client_secret_basic") {
		return oauth2.AuthStyleInHeader
	}
	return oauth2.AuthStyleInParams
}
