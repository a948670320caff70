package web

import (
	"net/http"
	"strings"
	"time"
)

// hostPrefix makes a browser accept a cookie only from this very host, by TLS,
// for all paths (RFC 6265bis section 4.1.3.2).
const hostPrefix = "__Host-"

// idLength is that of rand.Text: 26 characters of 5 bits.
const idLength = 26

// cookie is one that holds a random id.
type cookie struct {
	name     string
	sameSite http.SameSite
	proxies  Proxies
}

// read returns the id of a request, "" if it has none, more than one, or one
// that cannot be ours, or if others can read the request.
func (c cookie) read(r *http.Request) string {
	all := r.CookiesNamed(c.name)
	if len(all) != 1 || len(all[0].Value) != idLength || !secure(r, c.proxies) {
		return ""
	}
	if strings.ContainsFunc(all[0].Value, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '2' || r > '7') }) {
		return ""
	}
	return all[0].Value
}

// write sets the cookie for a time; a negative one takes it away.
func (c cookie) write(w http.ResponseWriter, id string, life time.Duration) {
	age := int(life.Round(time.Second) / time.Second)
	if life < 0 {
		age = -1
	}
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // SameSite is Strict or Lax, never absent
		Name: c.name, Value: id, Path: "/", MaxAge: age, Secure: true, HttpOnly: true, SameSite: c.sameSite,
	})
}

// secure reports whether nobody on the way can read a request.
func secure(r *http.Request, proxies Proxies) bool { return proxies.Secure(r) || local(r) }
