package inbound

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	mcpauth "github.com/modelcontextprotocol/go-sdk/auth"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/internal/dial"
	"github.com/msptoolbelt/toolbelt/internal/origin"
)

// Config says which tokens to accept. Issuers and Audiences are required.
type Config struct {
	// Issuers are the authorization servers to trust; see [Entra].
	Issuers []Issuer
	// Audiences are the names of this server; the token's aud must be, or
	// hold, one of them, letter by letter. In Entra that is the application id
	// (v2 tokens) or the application id URI (v1 tokens).
	Audiences []string
	// Algorithms accepted; nil is RS256, PS256, ES256 and EdDSA. There are no
	// others.
	Algorithms []string
	// Types accepted in the header's typ, in any case; nil is "at+jwt" (RFC
	// 9068) and "JWT" (Entra). An empty string among them accepts tokens
	// without a type.
	Types []string
	// ClockSkew is how much the issuer's clock may differ: default one minute,
	// at most five.
	ClockSkew time.Duration
	// KeyAge is after how long newer keys are looked for, while the known ones
	// serve on: default one hour, at least a minute. A key that the issuer
	// withdrew is accepted no longer than that, if the issuer can be reached.
	KeyAge time.Duration
	// KeyLife is how long keys serve if the issuer cannot be reached: default
	// and maximum 24 hours.
	KeyLife time.Duration
	// Transport fetches the key sets. Nil is a transport of our own, which
	// refuses names that lead to private addresses.
	Transport http.RoundTripper
}

const maxSkew = 5 * time.Minute

var errSkew = errors.New("inbound: the clock skew must be between 0 and 5 minutes")

// tenantTemplate is how Entra writes its issuer for all tenants.
const tenantTemplate = "{tenantid}"

// Issuer is an authorization server whose tokens are accepted. That of an
// auth.Authority, such as auth.Discover finds, is
// Issuer{ID: authority.Issuer, KeysURL: authority.JWKSURL}.
type Issuer struct {
	// ID is what iss must be, letter by letter. In that of a service with
	// tenants, "{tenantid}" stands for the token's tid.
	ID string
	// KeysURL is the address of its JWK set (RFC 7517): https, or http on
	// loopback. Nothing in a token can change it.
	KeysURL string
	// Tenants are the values of tid to accept, if ID has a "{tenantid}".
	Tenants []string
}

// Entra returns the issuers of a Microsoft cloud for the given tenants, by
// their ids: that of its v2 tokens, and in the known clouds that of v1 tokens
// too (which one a client gets is decided by the registration of the API that
// it asks for: requestedAccessTokenVersion). An empty cloud is
// [auth.CloudGlobal].
//
// https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-issuer
func Entra(cloud auth.Cloud, tenants ...string) ([]Issuer, error) {
	if cloud == "" {
		cloud = auth.CloudGlobal
	}
	if len(tenants) == 0 {
		return nil, errors.New("inbound: no tenants to accept tokens of")
	}
	ids := make([]string, len(tenants))
	for i, tenant := range tenants {
		if !isUUID(tenant) {
			return nil, fmt.Errorf("inbound: tenant %q is not an id: tokens do not carry domains", tenant)
		}
		ids[i] = strings.ToLower(tenant)
	}
	place := "common"
	if len(ids) == 1 {
		place = ids[0]
	}
	base := strings.TrimRight(string(cloud), "/")
	issuers := []Issuer{{
		ID: base + "/" + tenantTemplate + "/v2.0", KeysURL: base + "/" + place + "/discovery/v2.0/keys", Tenants: ids,
	}}
	if first := firstVersion(cloud); first != "" {
		issuers = append(issuers, Issuer{ID: first, KeysURL: base + "/" + place + "/discovery/keys", Tenants: ids})
	}
	return issuers, nil
}

// firstVersion returns the issuer of v1 tokens, if it is known. The clouds of
// the US government share that of the global one.
func firstVersion(cloud auth.Cloud) string {
	switch cloud {
	case auth.CloudGlobal, auth.CloudGCCHigh: // which is also that of the DoD
		return "https://sts.windows.net/" + tenantTemplate + "/"
	case auth.CloudChina:
		return "https://sts.chinacloudapi.cn/" + tenantTemplate + "/"
	}
	return ""
}

// verifier is safe for concurrent use.
type verifier struct {
	issuers    []trusted
	audiences  []string
	algorithms []string
	kinds      []string
	skew       time.Duration
}

type trusted struct {
	Issuer
	keys *keySet
}

// NewVerifier returns a verifier of access tokens, safe for concurrent use. It
// makes no request yet; ctx is its life: when it ends, no more keys are
// fetched.
//
// The verifier returns an [*Error], which unwraps to the SDK's
// ErrInvalidToken, for a token that is not accepted, [ErrKeysUnavailable] if
// that cannot be told, and the cause of a context that ended. None of them
// holds anything of the token.
//
// TokenInfo.UserID is "tid|oid" for tokens of tenants, otherwise "iss|sub".
// Scopes are those of scp, scope and roles. Extra holds "iss", "sub", "tid",
// "oid" and "client_id" (azp, appid or client_id) where the token has them,
// and "app_only", true if an application acts for itself (no user).
func NewVerifier(ctx context.Context, config Config) (mcpauth.TokenVerifier, error) {
	v := &verifier{
		audiences:  slices.Clone(config.Audiences),
		algorithms: config.Algorithms,
		skew:       config.ClockSkew,
	}
	if len(config.Issuers) == 0 || len(v.audiences) == 0 || slices.Contains(v.audiences, "") {
		return nil, errors.New("inbound: issuers and audiences are required")
	}
	known := []string{RS256, PS256, ES256, EdDSA}
	if len(v.algorithms) == 0 {
		v.algorithms = known
	}
	for _, algorithm := range v.algorithms {
		if !slices.Contains(known, algorithm) {
			return nil, fmt.Errorf("inbound: algorithm %q is not one of %s", algorithm, strings.Join(known, ", "))
		}
	}
	kinds := config.Types
	if kinds == nil {
		kinds = []string{"at+jwt", "JWT"}
	}
	for _, kind := range kinds {
		v.kinds = append(v.kinds, shortType(kind))
	}
	if v.skew == 0 {
		v.skew = time.Minute
	}
	if v.skew < 0 || v.skew > maxSkew {
		return nil, errSkew
	}
	var err error
	if v.issuers, err = trust(ctx, config); err != nil {
		return nil, err
	}
	return v.verify, nil
}

func trust(ctx context.Context, config Config) ([]trusted, error) {
	age, life := config.KeyAge, config.KeyLife
	if age == 0 {
		age = time.Hour
	}
	if life == 0 {
		life = 24 * time.Hour
	}
	if age < time.Minute || life < age || life > 24*time.Hour {
		return nil, errors.New("inbound: keys must be renewed after a minute or more, and end within 24 hours")
	}
	transport := config.Transport
	if transport == nil {
		// A key set an hour is not worth an idle connection.
		transport = dial.Harden(&http.Transport{DisableKeepAlives: true, TLSHandshakeTimeout: fetchTime}, false)
	}
	client := &http.Client{
		Transport:     transport,
		Timeout:       fetchTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	sets := map[string]*keySet{}
	var issuers []trusted
	for _, issuer := range config.Issuers {
		if err := issuer.check(); err != nil {
			return nil, err
		}
		set := sets[issuer.KeysURL]
		if set == nil {
			set = &keySet{url: issuer.KeysURL, client: client, life: ctx, refresh: age, stale: life}
			sets[issuer.KeysURL] = set
		}
		issuer.Tenants = slices.Clone(issuer.Tenants)
		issuers = append(issuers, trusted{issuer, set})
	}
	return issuers, nil
}

func (i Issuer) check() error {
	if i.ID == "" || strings.Contains(i.ID, "|") || len(i.ID) > maxText {
		return fmt.Errorf("inbound: %q is no issuer", i.ID)
	}
	if strings.Contains(i.ID, tenantTemplate) != (len(i.Tenants) > 0) {
		return fmt.Errorf("inbound: issuer %s: tenants belong to an issuer with %s, and to no other", i.ID, tenantTemplate)
	}
	if slices.ContainsFunc(i.Tenants, func(tenant string) bool { return !isUUID(tenant) || tenant != strings.ToLower(tenant) }) {
		return fmt.Errorf("inbound: issuer %s: tenants are given by their ids, in small letters", i.ID)
	}
	u, err := url.Parse(i.KeysURL)
	if err == nil {
		_, err = origin.Of(u)
	}
	if err != nil {
		return fmt.Errorf("inbound: issuer %s: the address of its keys must be an https URL", i.ID)
	}
	return nil
}

// shortType is how RFC 7515 section 4.1.9 makes types equal.
func shortType(kind string) string {
	return strings.TrimPrefix(strings.ToLower(kind), "application/")
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, r := range s {
		if hyphen := i == 8 || i == 13 || i == 18 || i == 23; hyphen != (r == '-') ||
			!hyphen && !strings.ContainsRune("0123456789abcdefABCDEF", r) {
			return false
		}
	}
	return true
}
