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
	Scopes   []string  // scp: what the user delegated; elsewhere scope (RFC 9068)
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
	var raw map[string]any
	if json.Unmarshal(payload, &raw) != nil || raw == nil {
		return Claims{}, false
	}
	text := func(names ...string) string {
		for _, name := range names {
			if value, ok := raw[name].(string); ok && value != "" {
				return value
			}
		}
		return ""
	}
	c := Claims{
		Issuer: text("iss"), TenantID: text("tid"), Subject: text("sub"), ObjectID: text("oid"),
		Username: text("upn", "preferred_username"), Name: text("name"), AppID: text("azp", "appid"),
		Scopes: listOf(raw["scp"]), Roles: listOf(raw["roles"]),
	}
	kind := text("idtyp")
	c.AppOnly = kind == "app" || kind == "" && len(c.Scopes) == 0
	if len(c.Scopes) == 0 {
		c.Scopes = listOf(raw["scope"])
	}
	if exp, ok := raw["exp"].(float64); ok && 0 < exp && exp < 1<<40 {
		c.Expires = time.Unix(int64(exp), 0)
	}
	return c, true
}

// listOf reads a claim that is an array of strings, or words in one string.
func listOf(claim any) []string {
	switch claim := claim.(type) {
	case string:
		return strings.Fields(claim)
	case []any:
		var words []string
		for _, word := range claim {
			if word, ok := word.(string); ok {
				words = append(words, word)
			}
		}
		return words
	}
	return nil
}
