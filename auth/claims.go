package auth

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// Claims is what an access token in JWT form says about itself, in the names
// that Entra uses.
//
// https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
type Claims struct {
	Issuer   string    // iss
	TenantID string    // tid
	Subject  string    // sub
	ObjectID string    // oid: the user or service principal in the directory
	Username string    // upn, or preferred_username
	Name     string    // name
	AppID    string    // azp, or appid: the client application
	Scopes   []string  // scp: what the user delegated
	Roles    []string  // roles: application permissions
	Expires  time.Time // exp; zero if absent
	// AppOnly says that the application acts for itself (idtyp is "app", or
	// there are no delegated scopes); otherwise it acts for a user.
	AppOnly bool
}

// DecodeClaims reads the payload of a JWT access token without verifying
// anything: anybody can write such a token. Use the result for display and as
// a cache key for the very token it came from, and never to decide what a
// caller may do. It reports false for opaque tokens and malformed ones.
func DecodeClaims(token string) (Claims, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || len(parts[1]) > 64<<10 {
		return Claims{}, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return Claims{}, false
	}
	var raw struct {
		Iss, Tid, Sub, Oid, Upn, Name, Azp, Appid, Scp, Idtyp string
		PreferredUsername                                     string `json:"preferred_username"`
		Roles                                                 []string
		Exp                                                   float64
	}
	if json.Unmarshal(payload, &raw) != nil {
		return Claims{}, false
	}
	c := Claims{
		Issuer: raw.Iss, TenantID: raw.Tid, Subject: raw.Sub, ObjectID: raw.Oid,
		Username: first(raw.Upn, raw.PreferredUsername), Name: raw.Name, AppID: first(raw.Azp, raw.Appid),
		Scopes: strings.Fields(raw.Scp), Roles: raw.Roles,
		AppOnly: raw.Idtyp == "app" || raw.Idtyp == "" && raw.Scp == "",
	}
	if 0 < raw.Exp && raw.Exp < 1<<40 {
		c.Expires = time.Unix(int64(raw.Exp), 0)
	}
	return c, true
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
