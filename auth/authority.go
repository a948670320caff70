package auth

import (
	"fmt"
	"net/url"
	"strings"

	"golang.org/x/oauth2"
)

// Cloud is the sign-in address of a Microsoft cloud. Any other origin may be
// converted to a Cloud, which is how tests point at a server of their own.
type Cloud string

// The Microsoft clouds. Their Graph addresses differ too; see package graph.
//
// https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
const (
	CloudGlobal  Cloud = "https://login.microsoftonline.com"
	CloudGCCHigh Cloud = "https://login.microsoftonline.us"
	CloudDoD     Cloud = "https://login.microsoftonline.us"
	CloudChina   Cloud = "https://login.partner.microsoftonline.cn"
)

// Authority is an authorization server: where to sign in, and its dialect.
type Authority struct {
	// Issuer is what the iss parameter of an authorization answer must be, if
	// there is one (RFC 9207). Empty: not checked.
	Issuer string
	// SendsIssuer says that the server always sends iss, so that an answer
	// without it is refused.
	SendsIssuer bool
	// AuthURL and TokenURL are the endpoints of RFC 6749 section 3. They may
	// have a query.
	AuthURL, TokenURL string
	// DeviceURL is the device authorization endpoint (RFC 8628 section 3.1),
	// RevokeURL the revocation endpoint (RFC 7009), JWKSURL the server's keys
	// (RFC 8414). Empty: there is none.
	DeviceURL, RevokeURL, JWKSURL string
	// SignInScopes are added to the scopes when a user signs in.
	SignInScopes []string
	// Style is how the client's secret travels. Zero means in the form
	// (client_secret_post), and never a trial of both.
	Style oauth2.AuthStyle
	// AssertionAudience is the aud of the client's signed assertions (RFC 7523
	// section 3). Empty: TokenURL.
	AssertionAudience string
	// AcceptsResource says that the server understands the resource parameter
	// of RFC 8707. It is never sent to others: Entra refuses it (AADSTS9010010).
	AcceptsResource bool
	// Capabilities are declared with every token request. "cp1" tells Entra
	// that claims challenges are answered, as [Transport] does; its tokens then
	// last a day and can be revoked within minutes. Leave it empty for clients
	// that do not answer a challenge.
	//
	// https://learn.microsoft.com/entra/identity-platform/claims-challenge
	Capabilities []string
}

// consumersTenant is the tenant behind "consumers": personal accounts.
const consumersTenant = "9188040d-6c67-4c5b-b112-36a304b66dad"

// Entra returns the authority of a Microsoft Entra tenant: its id, one of its
// domains, "organizations" or "consumers". An empty cloud is [CloudGlobal].
func Entra(cloud Cloud, tenant string) (Authority, error) {
	if cloud == "" {
		cloud = CloudGlobal
	}
	if !validTenant(tenant) {
		return Authority{}, fmt.Errorf("auth: %q is not a tenant id, domain, organizations or consumers", tenant)
	}
	base := strings.TrimRight(string(cloud), "/") + "/" + tenant
	a := Authority{
		AuthURL:      base + "/oauth2/v2.0/authorize",
		TokenURL:     base + "/oauth2/v2.0/token",
		DeviceURL:    base + "/oauth2/v2.0/devicecode",
		JWKSURL:      base + "/discovery/v2.0/keys",
		SignInScopes: []string{"offline_access"},
	}
	switch {
	case isUUID(tenant):
		a.Issuer = base + "/v2.0"
	case tenant == "consumers" && (cloud == CloudGCCHigh || cloud == CloudChina): // and CloudDoD, which is the same
		return Authority{}, fmt.Errorf("auth: %s has no personal accounts", cloud)
	case tenant == "consumers":
		a.Issuer = strings.TrimSuffix(base, tenant) + consumersTenant + "/v2.0"
	}
	return a, a.check()
}

// Halo returns the authority of a HaloPSA instance. AuthURL is the auth_url
// that its /api/authinfo reports, such as "https://example.halopsa.com/auth".
// Tenant is needed by hosted instances; leave it empty otherwise.
func Halo(authURL, tenant string) (Authority, error) {
	u, err := url.Parse(authURL)
	if err != nil || u.RawQuery != "" || u.Fragment != "" {
		return Authority{}, fmt.Errorf("auth: the Halo auth URL must be an address without a query")
	}
	endpoint := func(name string) string {
		e := u.JoinPath(name)
		if tenant != "" {
			e.RawQuery = url.Values{"tenant": {tenant}}.Encode()
		}
		return e.String()
	}
	a := Authority{
		AuthURL:      endpoint("authorize"),
		TokenURL:     endpoint("token"),
		SignInScopes: []string{"offline_access"},
	}
	return a, a.check()
}

// check refuses endpoints to which a secret must not be sent.
func (a Authority) check() error {
	if err := checkEndpoint(a.TokenURL); err != nil {
		return fmt.Errorf("auth: token endpoint: %w", err)
	}
	for _, endpoint := range []struct{ name, url string }{
		{"authorization", a.AuthURL}, {"device authorization", a.DeviceURL}, {"revocation", a.RevokeURL}, {"key", a.JWKSURL},
	} {
		if endpoint.url == "" {
			continue
		}
		if err := checkEndpoint(endpoint.url); err != nil {
			return fmt.Errorf("auth: %s endpoint: %w", endpoint.name, err)
		}
	}
	return nil
}

func checkEndpoint(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return errInsecure // the parse error would repeat the address
	}
	_, err = originOf(u)
	return err
}

// validTenant accepts what fits into one path segment and is a name or an id.
func validTenant(tenant string) bool {
	if tenant == "" || len(tenant) > 253 || strings.Contains(tenant, "..") {
		return false
	}
	for _, r := range tenant {
		if !strings.ContainsRune("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-.", r) {
			return false
		}
	}
	return strings.Trim(tenant, ".-") == tenant
}
