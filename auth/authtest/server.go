package authtest

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
)

// Dialect is whose manners a [Server] has.
type Dialect uint8

const (
	// Generic keeps to the standards: OpenID Connect discovery, keys, iss in
	// answers (RFC 9207), resource indicators (RFC 8707), rotated refresh
	// tokens with reuse detection (RFC 9700), revocation (RFC 7009), the
	// device flow (RFC 8628) and private_key_jwt (RFC 7523).
	Generic Dialect = iota
	// Entra has Microsoft's v2 endpoints below the tenant, AADSTS errors with
	// correlation ids, no resource parameter (AADSTS9010010), no revocation
	// endpoint, claims challenges, and refresh tokens only for offline_access.
	Entra
	// Halo wants its tenant in every request, and a scope; its refresh tokens
	// are good for one use.
	Halo
)

// What every server knows. The values are no secrets: they open nothing else.
//
//nolint:gosec // see above
const (
	ClientID       = "0a1b2c3d-1111-4222-8333-444455556666" // has ClientSecret
	ClientSecret   = "fake8Q~only-good-for-this-fake-server.00"
	PublicClientID = "0a1b2c3d-7777-4888-8999-aaaabbbbcccc" // has no secret
	TenantID       = "5f6e7d8c-1234-4321-8888-0123456789ab" // of the Entra dialect
	HaloTenant     = "example"
	Subject        = "alex" // who signs in
)

// Options configures a [Server]. The zero value is ready.
type Options struct {
	Dialect Dialect
	// Secrets are further clients by id; an empty secret makes a public one.
	Secrets map[string]string
	// Certificates are clients by id that prove themselves with a signature
	// (private_key_jwt), which must name the certificate by x5t#S256.
	Certificates map[string]*x509.Certificate
	// Keys are the same without a certificate: *rsa.PublicKey or
	// *ecdsa.PublicKey.
	Keys map[string]crypto.PublicKey
	// Lifetime of access tokens; zero: one hour.
	Lifetime time.Duration
	// Interval is how many seconds a device has to wait between two polls;
	// zero: 1.
	Interval int
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Server is an authorization server on loopback, in this process, with an API
// behind it. It has the faults that you ask for and no others. It is safe for
// concurrent use.
type Server struct {
	options Options
	oauth   *fakehttp.OAuth
	http    *fakehttp.Server
	keys    *signer

	mu       sync.Mutex
	hostile  []Hostile // for the next token requests
	issuer   *string   // sent as iss instead of the true one
	denied   string    // error code for the next sign-ins
	claims   string    // what the API demands
	devices  map[string]*device
	seen     map[string]bool // jti of assertions
	forms    []url.Values
	received []string // tokens that the API was shown
}

// NewServer starts a server. Close it when done.
func NewServer(options Options) *Server {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Interval <= 0 {
		options.Interval = 1
	}
	s := &Server{
		options: options, keys: newSigner(),
		devices: map[string]*device{}, seen: map[string]bool{},
	}
	clients := map[string]string{ClientID: ClientSecret, PublicClientID: ""}
	maps.Copy(clients, options.Secrets)
	s.oauth = fakehttp.NewOAuth(fakehttp.OAuthOptions{
		Clients:       clients,
		Grant:         s.grant,
		ErrorFields:   s.errorFields,
		Lifetime:      options.Lifetime,
		Now:           options.Now,
		RotateRefresh: options.Dialect != Entra,
		Opaque:        options.Dialect == Halo,
		Sign:          s.keys.sign,
		Authenticate:  s.authenticate,
		GrantTypes:    []string{deviceGrant, bearerGrant},
		Answer:        s.answer,
	})
	s.http = fakehttp.Serve(s.routes())
	return s
}

// Close ends the server.
func (s *Server) Close() { s.http.Close() }

// URL is the server's address.
func (s *Server) URL() string { return s.http.URL() }

// Issuer is what its tokens, metadata and answers name.
func (s *Server) Issuer() string {
	if s.options.Dialect == Entra {
		return s.URL() + "/" + TenantID + "/v2.0"
	}
	return s.URL()
}

// Authority describes the server. It panics if package auth refuses its own
// fake.
func (s *Server) Authority() auth.Authority {
	var a auth.Authority
	var err error
	switch s.options.Dialect {
	case Entra:
		a, err = auth.Entra(auth.Cloud(s.URL()), TenantID)
	case Halo:
		a, err = auth.Halo(s.URL()+"/auth", HaloTenant)
	default:
		a = auth.Authority{
			Issuer: s.Issuer(), SendsIssuer: true,
			AuthURL: s.URL() + "/authorize", TokenURL: s.TokenURL(), DeviceURL: s.URL() + "/device", RevokeURL: s.URL() + "/revoke",
			JWKSURL: s.URL() + "/jwks", SignInScopes: []string{"offline_access"}, Style: oauth2.AuthStyleInParams, AcceptsResource: true,
		}
	}
	if err != nil {
		panic(err)
	}
	return a
}

// TokenURL is the token endpoint.
func (s *Server) TokenURL() string {
	switch s.options.Dialect {
	case Entra:
		return s.URL() + "/" + TenantID + "/oauth2/v2.0/token"
	case Halo:
		return s.URL() + "/auth/token?tenant=" + HaloTenant
	}
	return s.URL() + "/token"
}

// APIURL is the API behind the server. It answers 200 to a good token and 401
// to any other.
func (s *Server) APIURL() string { return s.URL() + "/api" }

// Requests returns the forms of the token requests so far.
func (s *Server) Requests() []url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]url.Values(nil), s.forms...)
}

// Received returns the bearer tokens that the API has been shown.
func (s *Server) Received() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.received...)
}

// RevokeAll ends every token, as an administrator can.
func (s *Server) RevokeAll() { s.oauth.RevokeAll() }

// Issue returns an access token with these claims, signed with the server's
// key (or opaque, from Halo).
func (s *Server) Issue(claims map[string]any) string { return s.oauth.Issue(claims) }

// Deny makes sign-ins fail with this error code, such as "access_denied",
// until it is called with "".
func (s *Server) Deny(code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied = code
}

// SendIssuer makes sign-ins answer with this iss; "" leaves it out.
func (s *Server) SendIssuer(issuer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.issuer = &issuer
}

// Challenge makes the API of the Entra dialect refuse tokens with a claims
// challenge unless they were asked for with these claims, a JSON document such
// as {"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}.
//
// https://learn.microsoft.com/entra/identity-platform/claims-challenge
func (s *Server) Challenge(claims string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.claims = claims
}

// answer finishes the answer of the authorization endpoint.
func (s *Server) answer(_, answer url.Values) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.denied != "" {
		answer.Del("code")
		answer.Set("error", s.denied)
		answer.Set("error_description", "The user said no.")
	}
	switch {
	case s.issuer != nil && *s.issuer == "":
	case s.issuer != nil:
		answer.Set("iss", *s.issuer)
	case s.options.Dialect == Generic:
		answer.Set("iss", s.Issuer())
	}
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	prefix := ""
	switch s.options.Dialect {
	case Entra:
		prefix = "/" + TenantID + "/oauth2/v2.0"
		mux.HandleFunc("POST "+prefix+"/devicecode", s.deviceCode)
		mux.HandleFunc("GET /"+TenantID+"/v2.0/.well-known/openid-configuration", s.metadata)
		mux.HandleFunc("GET /"+TenantID+"/discovery/v2.0/keys", s.jwks)
	case Halo:
		prefix = "/auth"
		mux.HandleFunc("GET /api/authinfo", func(w http.ResponseWriter, _ *http.Request) {
			fakehttp.WriteJSON(w, http.StatusOK, map[string]any{"auth_url": s.URL() + "/auth", "tenant_id": HaloTenant, "hosted": true})
		})
	default:
		mux.HandleFunc("POST /device", s.deviceCode)
		mux.HandleFunc("POST /revoke", s.oauth.Revoke)
		mux.HandleFunc("GET /.well-known/oauth-authorization-server", s.metadata)
		mux.HandleFunc("GET /.well-known/openid-configuration", s.metadata)
		mux.HandleFunc("GET /jwks", s.jwks)
	}
	mux.HandleFunc("GET "+prefix+"/authorize", s.oauth.Authorize)
	mux.HandleFunc("POST "+prefix+"/token", s.token)
	mux.HandleFunc("/api", s.api)
	mux.HandleFunc("/api/", s.api)
	return mux
}

// metadata is RFC 8414's. Entra does not mention PKCE in its own.
func (s *Server) metadata(w http.ResponseWriter, _ *http.Request) {
	a := s.Authority()
	document := map[string]any{
		"issuer": s.Issuer(), "authorization_endpoint": a.AuthURL, "token_endpoint": a.TokenURL,
		"device_authorization_endpoint": a.DeviceURL, "jwks_uri": a.JWKSURL,
		"response_types_supported":              []string{"code"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "client_secret_basic", "private_key_jwt", "none"},
		"subject_types_supported":               []string{"pairwise"}, "id_token_signing_alg_values_supported": []string{"ES256"},
	}
	if s.options.Dialect == Generic {
		document["revocation_endpoint"] = a.RevokeURL
		document["code_challenge_methods_supported"] = []string{"S256"}
		document["authorization_response_iss_parameter_supported"] = true
	}
	fakehttp.WriteJSON(w, http.StatusOK, document)
}

func (s *Server) jwks(w http.ResponseWriter, _ *http.Request) {
	fakehttp.WriteJSON(w, http.StatusOK, map[string]any{"keys": []any{s.keys.jwk()}})
}

// api is the resource server.
func (s *Server) api(w http.ResponseWriter, r *http.Request) {
	claims, err := s.oauth.Check(r)
	asked, _ := claims["claims_asked"].(string)
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	defer s.mu.Unlock()
	if token != "" {
		s.received = append(s.received, token)
	}
	switch {
	case err != nil:
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		w.WriteHeader(http.StatusUnauthorized)
	case s.claims != "" && !covers(asked, s.claims):
		w.Header().Set("WWW-Authenticate", `Bearer realm="", authorization_uri="`+s.URL()+`", error="insufficient_claims", claims="`+encode([]byte(s.claims))+`"`)
		w.WriteHeader(http.StatusUnauthorized)
	default:
		fakehttp.WriteJSON(w, http.StatusOK, map[string]any{"ok": true})
	}
}

// covers reports whether the claims asked for include those wanted.
func covers(asked, wanted string) bool {
	var have, want struct {
		AccessToken map[string]any `json:"access_token"`
	}
	if json.Unmarshal([]byte(asked), &have) != nil || json.Unmarshal([]byte(wanted), &want) != nil {
		return false
	}
	for name, value := range want.AccessToken {
		if !reflect.DeepEqual(have.AccessToken[name], value) {
			return false
		}
	}
	return true
}
