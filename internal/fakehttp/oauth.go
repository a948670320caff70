package fakehttp

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// OAuthError is an error answer of a token endpoint (RFC 6749, section 5.2).
type OAuthError struct {
	Code        string // such as "invalid_grant"
	Description string
}

func (e *OAuthError) Error() string { return e.Code + ": " + e.Description }

// TokenRequest is a request for a token whose client and grant were checked.
type TokenRequest struct {
	GrantType string
	ClientID  string
	Scope     string // as asked for; on refresh, or with a code, the scope asked for at first when absent
	Form      url.Values
	Path      string
}

// Grant is what a [TokenRequest] gets.
type Grant struct {
	Claims  map[string]any // of the access token; iat, nbf and exp are added
	Scope   string         // in the answer; empty: absent
	Refresh bool           // also issue a refresh token
	Fields  map[string]any // further fields of the answer
}

// OAuthOptions configures an [OAuth].
type OAuthOptions struct {
	Clients map[string]string // client id to secret; an empty secret marks a public client
	// Grant decides what a request gets; an *OAuthError refuses it.
	Grant func(TokenRequest) (Grant, error)
	// ErrorFields adds fields to error answers; may be nil.
	ErrorFields func(code string) map[string]any
	Lifetime    time.Duration    // of access tokens; zero: one hour
	Now         func() time.Time // nil: time.Now
	// RotateRefresh makes each refresh token good for one use; using it again
	// ends the whole family (RFC 9700, section 4.14.2).
	RotateRefresh bool
	// Opaque makes access tokens that carry nothing a client could read.
	Opaque bool
	// Sign makes an access token of its claims; nil: one that only looks signed.
	Sign func(claims map[string]any) string
	// Authenticate checks clients that prove themselves otherwise than by a
	// secret: it returns "" for those it does not know. May be nil.
	Authenticate func(r *http.Request) (client string, err error)
	// GrantTypes are further ones that Grant takes care of.
	GrantTypes []string
	// Answer may change the answer of the authorization endpoint, such as by
	// adding iss or replacing the code by an error. May be nil.
	Answer func(asked, answer url.Values)
}

// OAuth is a token and authorization endpoint (client credentials, refresh
// token, authorization code with PKCE) and the check of the bearer tokens it
// issued. Access tokens look like signed JWTs, but only this server knows
// them. It is safe for concurrent use.
type OAuth struct {
	opts OAuthOptions

	mu       sync.Mutex
	lifetime time.Duration
	access   map[string]accessToken
	refresh  map[string]*refreshFamily
	codes    map[string]pendingCode
	requests int
}

type accessToken struct {
	claims  map[string]any
	expires time.Time
}

type refreshFamily struct {
	client, scope, current string
	revoked                bool
}

type pendingCode struct {
	client, redirect, scope, challenge string
	expires                            time.Time
}

// NewOAuth returns an endpoint with no tokens issued.
func NewOAuth(opts OAuthOptions) *OAuth {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Lifetime <= 0 {
		opts.Lifetime = time.Hour
	}
	return &OAuth{
		opts: opts, lifetime: opts.Lifetime,
		access: map[string]accessToken{}, refresh: map[string]*refreshFamily{}, codes: map[string]pendingCode{},
	}
}

// SetLifetime changes the lifetime of access tokens issued from now on.
func (o *OAuth) SetLifetime(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lifetime = d
}

// Requests returns how many requests the token endpoint has had.
func (o *OAuth) Requests() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.requests
}

// RevokeAll makes every access and refresh token issued so far invalid.
func (o *OAuth) RevokeAll() {
	o.mu.Lock()
	defer o.mu.Unlock()
	clear(o.access)
	for _, family := range o.refresh {
		family.revoked = true
	}
}

// Issue returns a fresh access token with these claims.
func (o *OAuth) Issue(claims map[string]any) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.issue(claims)
}

func (o *OAuth) issue(claims map[string]any) string {
	now := o.opts.Now()
	claims = maps.Clone(claims)
	if claims == nil {
		claims = map[string]any{}
	}
	claims["iat"], claims["nbf"], claims["exp"] = now.Unix(), now.Unix(), now.Add(o.lifetime).Unix()
	claims["uti"] = randomText(16)
	token := randomText(48)
	switch {
	case o.opts.Opaque:
	case o.opts.Sign != nil:
		token = o.opts.Sign(claims)
	default:
		token = unsignedJWT(claims)
	}
	o.access[token] = accessToken{claims, now.Add(o.lifetime)}
	return token
}

// unsignedJWT has the form of a signed JWT; the signature is noise.
func unsignedJWT(claims map[string]any) string {
	payload, err := json.Marshal(claims)
	if err != nil {
		payload = []byte("{}")
	}
	return base64.RawURLEncoding.EncodeToString([]byte(`{"typ":"JWT","alg":"RS256","kid":"fake"}`)) + "." +
		base64.RawURLEncoding.EncodeToString(payload) + "." + randomText(256)
}

// ErrNoToken and ErrBadToken are the errors of [OAuth.Check].
var (
	ErrNoToken  = errors.New("no bearer token")
	ErrBadToken = errors.New("token unknown, revoked or expired")
)

// Check returns the claims of the request's bearer token, [ErrNoToken] or
// [ErrBadToken].
func (o *OAuth) Check(r *http.Request) (map[string]any, error) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return nil, ErrNoToken
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	issued, ok := o.access[token]
	if !ok || !o.opts.Now().Before(issued.expires) {
		return nil, ErrBadToken
	}
	return maps.Clone(issued.claims), nil
}

// Authorize is the authorization endpoint. It approves at once: it redirects
// with a code, or answers 400 to a request that a real one would not redirect.
func (o *OAuth) Authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	redirect, err := url.Parse(q.Get("redirect_uri"))
	if _, known := o.opts.Clients[q.Get("client_id")]; !known || err != nil || !redirect.IsAbs() || q.Get("response_type") != "code" {
		o.refuse(w, http.StatusBadRequest, &OAuthError{"invalid_request", "client_id, redirect_uri and response_type=code are needed"})
		return
	}
	if q.Get("code_challenge") == "" || q.Get("code_challenge_method") != "S256" {
		o.refuse(w, http.StatusBadRequest, &OAuthError{"invalid_request", "code_challenge with method S256 is needed"})
		return
	}
	code := randomText(32)
	o.mu.Lock()
	o.codes[code] = pendingCode{
		client: q.Get("client_id"), redirect: q.Get("redirect_uri"), scope: q.Get("scope"),
		challenge: q.Get("code_challenge"), expires: o.opts.Now().Add(10 * time.Minute),
	}
	o.mu.Unlock()
	answer := redirect.Query()
	answer.Set("code", code)
	if state := q.Get("state"); state != "" {
		answer.Set("state", state)
	}
	if o.opts.Answer != nil {
		o.opts.Answer(q, answer)
	}
	redirect.RawQuery = answer.Encode()
	w.Header().Set("Location", redirect.String()) // http.Redirect would write a body
	w.WriteHeader(http.StatusFound)
}

// Token is the token endpoint.
func (o *OAuth) Token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	parseErr := r.ParseForm()
	o.mu.Lock()
	o.requests++
	o.mu.Unlock()
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodPost || parseErr != nil || len(r.URL.Query()) > 0 && r.PostForm.Get("grant_type") == "" {
		o.refuse(w, http.StatusBadRequest, &OAuthError{"invalid_request", "a form must be posted"})
		return
	}
	answer, err := o.exchange(r)
	if err == nil {
		WriteJSON(w, http.StatusOK, answer)
		return
	}
	var refused *OAuthError
	if !errors.As(err, &refused) {
		refused = &OAuthError{"server_error", "the fake's grant function failed"}
	}
	status := http.StatusBadRequest
	if refused.Code == "invalid_client" {
		status = http.StatusUnauthorized
	}
	o.refuse(w, status, refused)
}

func (o *OAuth) refuse(w http.ResponseWriter, status int, e *OAuthError) {
	body := map[string]any{"error": e.Code, "error_description": e.Description}
	if o.opts.ErrorFields != nil {
		maps.Copy(body, o.opts.ErrorFields(e.Code))
	}
	WriteJSON(w, status, body)
}

func (o *OAuth) exchange(r *http.Request) (map[string]any, error) {
	client, proven, err := o.authenticate(r)
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	req := TokenRequest{
		GrantType: r.PostForm.Get("grant_type"), ClientID: client, Scope: r.PostForm.Get("scope"),
		Form: r.PostForm, Path: r.URL.Path,
	}
	var family *refreshFamily
	switch req.GrantType {
	case "client_credentials":
		if !proven {
			return nil, &OAuthError{"unauthorized_client", "a public client has no credentials of its own"}
		}
	case "refresh_token":
		if family, err = o.redeemRefresh(client, r.PostForm.Get("refresh_token")); err != nil {
			return nil, err
		}
		req.Scope = cmp.Or(req.Scope, family.scope)
	case "authorization_code":
		code, err := o.redeemCode(client, r.PostForm)
		if err != nil {
			return nil, err
		}
		req.Scope = cmp.Or(req.Scope, code.scope)
	default:
		if !slices.Contains(o.opts.GrantTypes, req.GrantType) {
			return nil, &OAuthError{"unsupported_grant_type", "grant_type is not supported"}
		}
	}
	grant, err := o.opts.Grant(req)
	if err != nil {
		return nil, err
	}
	return o.answer(grant, req, family), nil
}

func (o *OAuth) answer(grant Grant, req TokenRequest, family *refreshFamily) map[string]any {
	body := map[string]any{
		"token_type": "Bearer", "expires_in": int(o.lifetime / time.Second), "access_token": o.issue(grant.Claims),
	}
	if grant.Scope != "" {
		body["scope"] = grant.Scope
	}
	if grant.Refresh {
		if family == nil {
			family = &refreshFamily{client: req.ClientID, scope: req.Scope}
		}
		if family.current == "" || o.opts.RotateRefresh {
			family.current = randomText(48)
			o.refresh[family.current] = family
		}
		body["refresh_token"] = family.current
	}
	maps.Copy(body, grant.Fields)
	return body
}

// authenticate checks the client by form fields or HTTP Basic (RFC 6749,
// section 2.3.1) and returns its id, and whether it proved to be that client.
func (o *OAuth) authenticate(r *http.Request) (id string, proven bool, err error) {
	if o.opts.Authenticate != nil {
		if id, err := o.opts.Authenticate(r); id != "" || err != nil {
			return id, err == nil, err
		}
	}
	id, secret := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	if user, pass, ok := r.BasicAuth(); ok {
		var err1, err2 error
		id, err1 = url.QueryUnescape(user)
		secret, err2 = url.QueryUnescape(pass)
		if err1 != nil || err2 != nil {
			return "", false, &OAuthError{"invalid_client", "malformed Basic credentials"}
		}
	}
	want, known := o.opts.Clients[id]
	if !known || subtle.ConstantTimeCompare([]byte(want), []byte(secret)) != 1 {
		return "", false, &OAuthError{"invalid_client", "unknown client or wrong secret"}
	}
	return id, want != "", nil
}

// Revoke is the revocation endpoint (RFC 7009): an access token ends alone, a
// refresh token with its family and every access token.
func (o *OAuth) Revoke(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	if r.Method != http.MethodPost || r.ParseForm() != nil || r.PostForm.Get("token") == "" {
		o.refuse(w, http.StatusBadRequest, &OAuthError{"invalid_request", "a token must be posted"})
		return
	}
	client, _, err := o.authenticate(r)
	if err != nil {
		o.refuse(w, http.StatusUnauthorized, &OAuthError{"invalid_client", "unknown client or wrong secret"})
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	token := r.PostForm.Get("token")
	if family := o.refresh[token]; family != nil && family.client == client {
		family.revoked = true
		clear(o.access) // the tokens of a family are not kept apart
	}
	delete(o.access, token) // an unknown token is fine (section 2.2)
	w.WriteHeader(http.StatusOK)
}

func (o *OAuth) redeemRefresh(client, token string) (*refreshFamily, error) {
	family, ok := o.refresh[token]
	if !ok || family.revoked || family.client != client {
		return nil, &OAuthError{"invalid_grant", "the refresh token is unknown or revoked"}
	}
	if o.opts.RotateRefresh && token != family.current {
		family.revoked = true
		return nil, &OAuthError{"invalid_grant", "the refresh token was used before"}
	}
	return family, nil
}

func (o *OAuth) redeemCode(client string, form url.Values) (pendingCode, error) {
	code, ok := o.codes[form.Get("code")]
	delete(o.codes, form.Get("code")) // good for one attempt
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	switch {
	case !ok || code.client != client || !o.opts.Now().Before(code.expires):
		return code, &OAuthError{"invalid_grant", "the code is unknown, used or expired"}
	case code.redirect != form.Get("redirect_uri"):
		return code, &OAuthError{"invalid_grant", "redirect_uri differs from the authorization request"}
	case code.challenge != base64.RawURLEncoding.EncodeToString(sum[:]):
		return code, &OAuthError{"invalid_grant", "code_verifier does not match"}
	}
	return code, nil
}

func randomText(bytes int) string {
	raw := make([]byte, bytes)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(raw)
}
