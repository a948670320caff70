package auth

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
)

type claimsKey struct{}

func withClaims(ctx context.Context, claims string) context.Context {
	if claims == "" {
		return ctx
	}
	return context.WithValue(ctx, claimsKey{}, claims)
}

// ClaimsFrom returns the claims, a JSON object, that an API has demanded of the
// token that is being fetched with ctx; empty if there was no such challenge.
func ClaimsFrom(ctx context.Context) string {
	claims, _ := ctx.Value(claimsKey{}).(string)
	return claims
}

const maxClaims = 8 << 10

// claimsChallenge returns what a 401 answer demands of the next token: the
// claims of a Bearer challenge whose error is insufficient_claims, decoded.
//
// https://learn.microsoft.com/entra/identity-platform/claims-challenge#claims-challenge-header-format
func claimsChallenge(h http.Header) (claims string, ok bool) {
	for _, line := range h.Values("WWW-Authenticate") {
		for _, c := range parseChallenges(line) {
			if c.scheme != "bearer" || c.params["error"] != "insufficient_claims" {
				continue
			}
			if claims, ok := decodeClaimsParam(c.params["claims"]); ok {
				return claims, true
			}
		}
	}
	return "", false
}

// decodeClaimsParam accepts base64 in both alphabets, padded or not.
func decodeClaimsParam(value string) (string, bool) {
	if value == "" || len(value) > maxClaims {
		return "", false
	}
	value = strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(value, "="))
	raw, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil || !isObject(raw) {
		return "", false
	}
	return string(raw), true
}

// challenge is one of RFC 9110 section 11.6.1; names are in lower case.
type challenge struct {
	scheme string
	params map[string]string
}

// parseChallenges reads a WWW-Authenticate header. What it cannot read it
// skips; the first of two parameters with one name counts.
func parseChallenges(line string) []challenge {
	var all []challenge
	rest := line
	for {
		rest = strings.TrimLeft(rest, " \t,")
		word, after := cutToken(rest)
		if word == "" {
			if rest == "" {
				return all
			}
			rest = rest[1:] // not a token: move on
			continue
		}
		if value, left, ok := cutValue(after); ok {
			if len(all) > 0 {
				last := all[len(all)-1]
				if _, twice := last.params[strings.ToLower(word)]; !twice {
					last.params[strings.ToLower(word)] = value
				}
			}
			rest = left
			continue
		}
		all = append(all, challenge{strings.ToLower(word), map[string]string{}})
		rest = after
	}
}

// cutToken splits off the token (RFC 9110 section 5.6.2) that s begins with.
func cutToken(s string) (token, rest string) {
	end := strings.IndexFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
	if end < 0 {
		end = len(s)
	}
	return s[:end], s[end:]
}

// cutValue splits off "= token" or "= quoted string".
func cutValue(s string) (value, rest string, ok bool) {
	s, ok = strings.CutPrefix(strings.TrimLeft(s, " \t"), "=")
	if !ok {
		return "", "", false
	}
	s = strings.TrimLeft(s, " \t")
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, ", \t")
		if end < 0 {
			end = len(s)
		}
		return s[:end], s[end:], true
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			i++
			if i < len(s) {
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), "", true
}
