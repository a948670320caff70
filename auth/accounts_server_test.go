package auth_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// directory is an authorization server with many users and tenants: each path
// is /{tenant}/token or /{tenant}/revoke. Refresh tokens are good once; using
// one again ends its grant. Tokens say whose they are.
type directory struct {
	mu        sync.Mutex
	Life      time.Duration // of access tokens
	Withholds string        // a scope that is never granted
	Down      bool          // of revocation
	serial    int
	codes     map[string]asked
	grants    map[string]*grant // by each refresh token that was ever given
	refreshes int
	reused    int
	revoked   int
}

type asked struct{ user, tenant, scope, challenge string }

type grant struct {
	asked
	current string
	dead    bool
}

func newDirectory() *directory {
	return &directory{Life: time.Hour, codes: map[string]asked{}, grants: map[string]*grant{}}
}

// RoundTrip implements [http.RoundTripper]: no network in between.
func (d *directory) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w.Result(), nil
}

// approve plays the user at the sign-in page and returns the answer.
func (d *directory) approve(t testing.TB, page, user string) url.Values {
	t.Helper()
	u, err := url.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.serial++
	code := fmt.Sprintf("code-%d", d.serial)
	tenant, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	d.codes[code] = asked{user, tenant, q.Get("scope"), q.Get("code_challenge")}
	return url.Values{"code": {code}, "state": {q.Get("state")}}
}

func (d *directory) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, "form", http.StatusBadRequest)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	tenant, action, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	form := r.PostForm
	if action == "revoke" {
		d.revoke(w, form)
		return
	}
	var g *grant
	switch form.Get("grant_type") {
	case "authorization_code":
		a, ok := d.codes[form.Get("code")]
		delete(d.codes, form.Get("code"))
		sum := sha256.Sum256([]byte(form.Get("code_verifier")))
		if !ok || a.tenant != tenant || a.challenge != base64.RawURLEncoding.EncodeToString(sum[:]) {
			refuse(w, http.StatusBadRequest, "invalid_grant", "bad code")
			return
		}
		g = &grant{asked: a}
	case "refresh_token":
		d.refreshes++
		g = d.grants[form.Get("refresh_token")]
		if g != nil && !g.dead && g.current != form.Get("refresh_token") {
			d.reused++
			g.dead = true
		}
		if g == nil || g.dead || g.tenant != tenant {
			refuse(w, http.StatusBadRequest, "invalid_grant", "no such grant")
			return
		}
	default:
		refuse(w, http.StatusBadRequest, "unsupported_grant_type", "")
		return
	}
	d.issue(w, g)
}

func (d *directory) issue(w http.ResponseWriter, g *grant) {
	d.serial++
	g.current = fmt.Sprintf("refresh|%s|%s|%d", g.user, g.tenant, d.serial)
	d.grants[g.current] = g
	var scopes []string
	for scope := range strings.FieldsSeq(g.scope) {
		if scope != d.Withholds {
			scopes = append(scopes, scope)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{ // a client that left is seen by the test
		"access_token":  fmt.Sprintf("access|%s|%s|%s|%d", g.user, g.tenant, strings.Join(scopes, "+"), d.serial),
		"refresh_token": g.current, "token_type": "Bearer", "expires_in": int(d.Life / time.Second), "scope": strings.Join(scopes, " "),
	})
}

func (d *directory) revoke(w http.ResponseWriter, form url.Values) {
	if d.Down {
		refuse(w, http.StatusServiceUnavailable, "temporarily_unavailable", "come back later")
		return
	}
	if g := d.grants[form.Get("token")]; g != nil && form.Get("token_type_hint") == "refresh_token" && form.Get("client_id") != "" {
		g.dead = true
		d.revoked++
	}
}

// ends revokes a user's grants behind everybody's back.
func (d *directory) ends(user string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, g := range d.grants {
		g.dead = g.dead || g.user == user
	}
}

func (d *directory) count() (refreshes, reused, revoked int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.refreshes, d.reused, d.revoked
}
