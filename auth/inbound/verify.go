package inbound

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	mcpauth "github.com/modelcontextprotocol/go-sdk/auth"

	"github.com/msptoolbelt/toolbelt/auth"
)

// Error says why a token is not accepted, in fixed words that hold nothing of
// the token. It is for logs: [RequireToken] does not show it to the caller.
type Error struct {
	// Reason is one of a few fixed texts, such as "audience" or "expired".
	Reason string
}

// Error implements error.
func (e *Error) Error() string { return "inbound: token refused: " + e.Reason }

// Unwrap returns the SDK's ErrInvalidToken.
func (*Error) Unwrap() error { return mcpauth.ErrInvalidToken }

func refuse(reason string) error { return &Error{Reason: reason} }

// verify is the TokenVerifier. The signature comes last, because it may cost a
// request; nothing before it can make a token accepted.
func (v *verifier) verify(ctx context.Context, raw string, _ *http.Request) (*mcpauth.TokenInfo, error) {
	t, err := parse(raw)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(v.algorithms, t.algorithm) {
		return nil, refuse("algorithm")
	}
	if !slices.Contains(v.kinds, shortType(t.kind)) {
		return nil, refuse("type")
	}
	if t.keyID == "" {
		return nil, refuse("no key id")
	}
	issuer, tenant, err := v.issuer(t.claims)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(t.claims.audiences(), func(a string) bool { return slices.Contains(v.audiences, a) }) {
		return nil, refuse("audience")
	}
	expires, err := v.times(t.claims, time.Now())
	if err != nil {
		return nil, err
	}
	if isIDToken(t, tenant) {
		return nil, refuse("an ID token is not an access token")
	}
	info, err := describe(t.claims, tenant)
	if err != nil {
		return nil, err
	}
	info.Expiration = expires
	if err := v.signed(ctx, t, issuer, tenant); err != nil {
		return nil, err
	}
	info.Extra[assertionKey] = assertion{auth.NewSecret(raw)}
	return info, nil
}

// issuer finds the trusted issuer of a token, and its tenant if it has any.
func (v *verifier) issuer(c claims) (trusted, string, error) {
	iss := c.text("iss")
	if iss == "" {
		return trusted{}, "", refuse("issuer")
	}
	tid := c.text("tid")
	for _, known := range v.issuers {
		switch {
		case len(known.Tenants) == 0:
			if iss == known.ID {
				return known, "", nil
			}
		case isUUID(tid) && iss == strings.ReplaceAll(known.ID, tenantTemplate, tid):
			if !slices.Contains(known.Tenants, tid) {
				return trusted{}, "", refuse("tenant")
			}
			return known, tid, nil
		}
	}
	return trusted{}, "", refuse("issuer")
}

// times checks exp, which must be there, nbf and iat.
func (v *verifier) times(c claims, now time.Time) (time.Time, error) {
	expires, present, ok := c.time("exp")
	if !present || !ok {
		return time.Time{}, refuse("no time of expiry")
	}
	if !now.Before(expires.Add(v.skew)) {
		return time.Time{}, refuse("expired")
	}
	for _, name := range []string{"nbf", "iat"} {
		from, present, ok := c.time(name)
		if !ok {
			return time.Time{}, refuse("times")
		}
		if present && now.Add(v.skew).Before(from) {
			return time.Time{}, refuse("not valid yet")
		}
	}
	return expires, nil
}

// isIDToken finds tokens that tell a client who signed in. They can carry the
// very audience of an API that is its own client (RFC 8725 section 3.12).
func isIDToken(t token, tenant string) bool {
	if shortType(t.kind) == "at+jwt" {
		return false
	}
	if tenant != "" && !t.claims.has("azp", "appid") { // every access token of Entra names its client
		return true
	}
	return t.claims.has("nonce", "at_hash", "c_hash", "s_hash", "events")
}

// describe turns verified claims into what the SDK hands to tools.
func describe(c claims, tenant string) (*mcpauth.TokenInfo, error) {
	info := &mcpauth.TokenInfo{Extra: map[string]any{"iss": c.text("iss")}}
	for _, name := range []string{"sub", "tid", "oid"} {
		if value := c.text(name); value != "" {
			info.Extra[name] = value
		}
	}
	for _, name := range []string{"azp", "appid", "client_id"} {
		if value := c.text(name); value != "" {
			info.Extra["client_id"] = value
			break
		}
	}
	// Only a service with tenants is believed about tid and oid: any other
	// issuer could name somebody else's.
	if tenant != "" && c.text("oid") != "" {
		info.UserID = tenant + "|" + c.text("oid")
	} else if sub := c.text("sub"); sub != "" {
		info.UserID = c.text("iss") + "|" + sub
	} else {
		return nil, refuse("no subject")
	}
	for _, name := range []string{"scp", "scope", "roles"} {
		words, ok := c.words(name)
		if !ok {
			return nil, refuse("scopes")
		}
		for _, word := range words {
			if !slices.Contains(info.Scopes, word) {
				info.Scopes = append(info.Scopes, word)
			}
		}
	}
	info.Extra["app_only"] = tenant != "" && (c.text("idtyp") == "app" || !c.has("scp"))
	return info, nil
}

func (v *verifier) signed(ctx context.Context, t token, issuer trusted, tenant string) error {
	keys, err := issuer.keys.find(ctx, t.keyID)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.fits(t.algorithm) && k.signs(t.claims.text("iss"), tenant) {
			if k.verify(t.algorithm, t.signed, t.signature) {
				return nil
			}
			return refuse("signature")
		}
	}
	return refuse("no key of the issuer fits")
}
