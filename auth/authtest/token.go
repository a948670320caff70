package authtest

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
)

//nolint:gosec // names of grants, not credentials
const (
	deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"
	bearerGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
)

// token is the token endpoint.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	if err := r.ParseForm(); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.forms = append(s.forms, r.PostForm)
	var hostile Hostile
	if len(s.hostile) > 0 {
		hostile, s.hostile = s.hostile[0], s.hostile[1:]
	}
	s.mu.Unlock()
	if hostile != nil {
		hostile(w, r)
		return
	}
	if refused := s.dialectCheck(r); refused != nil {
		body := map[string]any{"error": refused.Code, "error_description": refused.Description}
		maps.Copy(body, s.errorFields(refused.Code))
		fakehttp.WriteJSON(w, http.StatusBadRequest, body)
		return
	}
	s.oauth.Token(w, r)
}

// dialectCheck is what a dialect minds before anything else.
func (s *Server) dialectCheck(r *http.Request) *fakehttp.OAuthError {
	switch s.options.Dialect {
	case Entra:
		if r.PostForm.Has("resource") {
			return &fakehttp.OAuthError{Code: "invalid_target",
				Description: "AADSTS9010010: The resource parameter provided in the request doesn't match with the requested scopes."}
		}
	case Halo:
		if r.Form.Get("tenant") != HaloTenant { // as a query parameter or a form field
			return &fakehttp.OAuthError{Code: "invalid_request", Description: "The tenant could not be found."}
		}
	}
	return nil
}

// grant decides on tokens; the client has been checked.
func (s *Server) grant(r fakehttp.TokenRequest) (fakehttp.Grant, error) {
	claims := map[string]any{"iss": s.Issuer(), "aud": "api", "sub": Subject, "client_id": r.ClientID, "scope": r.Scope}
	if resource := r.Form.Get("resource"); resource != "" {
		u, err := url.Parse(resource)
		if err != nil || !u.IsAbs() || u.Fragment != "" {
			return fakehttp.Grant{}, &fakehttp.OAuthError{Code: "invalid_target", Description: "resource is not an absolute URI"}
		}
		claims["aud"] = resource
	}
	grant := fakehttp.Grant{Claims: claims, Scope: r.Scope, Refresh: true}
	switch r.GrantType {
	case "client_credentials":
		grant.Refresh = false
		claims["sub"] = r.ClientID
	case bearerGrant:
		if r.Form.Get("assertion") == "" || r.Form.Get("requested_token_use") != "on_behalf_of" {
			return grant, &fakehttp.OAuthError{Code: "invalid_request", Description: "an assertion and requested_token_use=on_behalf_of are needed"}
		}
		grant.Refresh = false
	case deviceGrant:
		asked, err := s.redeemDevice(r)
		if err != nil {
			return grant, err
		}
		grant.Scope, claims["scope"] = asked, asked
	}
	if s.options.Dialect == Entra {
		return s.entraGrant(grant, r)
	}
	if s.options.Dialect == Halo && r.Scope == "" {
		claims["scope"] = "" // a token that opens nothing
	}
	return grant, nil
}

// entraGrant is what is different about Microsoft.
func (s *Server) entraGrant(grant fakehttp.Grant, r fakehttp.TokenRequest) (fakehttp.Grant, error) {
	claims := grant.Claims
	claims["tid"], claims["oid"], claims["azp"] = TenantID, "0f0f0f0f-0000-4000-8000-00000000a1ec", r.ClientID
	scopes := strings.Fields(grant.Scope)
	offline := false
	granted := scopes[:0]
	for _, scope := range scopes {
		offline = offline || scope == "offline_access"
		if scope != "offline_access" {
			granted = append(granted, scope)
		}
	}
	grant.Refresh = grant.Refresh && offline
	grant.Scope = strings.Join(granted, " ")
	delete(claims, "scope")
	if r.GrantType != "client_credentials" {
		claims["scp"], claims["upn"] = grant.Scope, Subject+"@contoso.example"
	} else {
		if len(granted) != 1 || !strings.HasSuffix(granted[0], "/.default") {
			return grant, &fakehttp.OAuthError{Code: "invalid_scope",
				Description: "AADSTS1002012: The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier."}
		}
		claims["idtyp"], claims["roles"] = "app", []string{"Mail.Read"}
		grant.Scope = ""
	}
	grant.Fields = map[string]any{"ext_expires_in": 3599}
	if asked := r.Form.Get("claims"); asked != "" {
		if !json.Valid([]byte(asked)) {
			return grant, &fakehttp.OAuthError{Code: "invalid_request", Description: "AADSTS50148: claims is not JSON."}
		}
		claims["claims_asked"] = asked
	}
	return grant, nil
}

// errorFields are those that Entra's errors have besides the standard ones.
func (s *Server) errorFields(code string) map[string]any {
	if s.options.Dialect != Entra {
		return nil
	}
	fields := map[string]any{
		"error_codes": []int{aadsts(code)}, "timestamp": s.options.Now().UTC().Format("2006-01-02 15:04:05Z"),
		"trace_id": "00000000-aaaa-4bbb-8ccc-000000000001", "correlation_id": "00000000-dddd-4eee-8fff-000000000002",
	}
	if code == "invalid_client" {
		fields["error_description"] = "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID."
	}
	return fields
}

func aadsts(code string) int {
	switch code {
	case "invalid_client":
		return 7000215
	case "invalid_target":
		return 9010010
	case "invalid_scope":
		return 1002012
	case "authorization_pending":
		return 70016
	case "interaction_required":
		return 50076
	}
	return 9002313
}

// device is a device authorization under way (RFC 8628).
type device struct {
	user, client, scope string
	approved            bool
	denied              bool
	interval            int
	expires, polled     time.Time
}

// ApproveDevice is the user entering the code and agreeing; it reports whether
// there is such a code.
func (s *Server) ApproveDevice(userCode string) bool { return s.decideDevice(userCode, true) }

// DenyDevice is the user refusing.
func (s *Server) DenyDevice(userCode string) bool { return s.decideDevice(userCode, false) }

func (s *Server) decideDevice(userCode string, yes bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.devices {
		if d.user == userCode {
			d.approved, d.denied = yes, !yes
			return true
		}
	}
	return false
}

func (s *Server) deviceCode(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	if r.ParseForm() != nil || r.PostForm.Get("client_id") == "" {
		fakehttp.WriteJSON(w, http.StatusBadRequest, map[string]any{"error": "invalid_request"})
		return
	}
	code, user := text(32), strings.ToUpper(text(4))
	s.mu.Lock()
	s.devices[code] = &device{
		user: user, client: r.PostForm.Get("client_id"), scope: r.PostForm.Get("scope"),
		interval: s.options.Interval, expires: s.options.Now().Add(15 * time.Minute),
	}
	s.mu.Unlock()
	fakehttp.WriteJSON(w, http.StatusOK, map[string]any{
		"device_code": code, "user_code": user, "verification_uri": s.URL() + "/activate", "expires_in": 900, "interval": s.options.Interval,
		"message": "To sign in, open the page and enter the code.",
	})
}

// redeemDevice answers one poll (RFC 8628 section 3.5).
func (s *Server) redeemDevice(r fakehttp.TokenRequest) (scope string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	code := r.Form.Get("device_code")
	d, now := s.devices[code], s.options.Now()
	if d == nil || d.client != r.ClientID {
		return "", &fakehttp.OAuthError{Code: "invalid_grant", Description: "the device code is unknown or used"}
	}
	early := now.Sub(d.polled) < time.Duration(d.interval)*time.Second-50*time.Millisecond
	first := d.polled.IsZero()
	d.polled = now
	switch {
	case !now.Before(d.expires):
		return "", &fakehttp.OAuthError{Code: "expired_token", Description: "the device code has expired"}
	case d.denied:
		return "", &fakehttp.OAuthError{Code: "access_denied", Description: "the user said no"}
	case !first && early:
		d.interval += 5
		return "", &fakehttp.OAuthError{Code: "slow_down", Description: "polled too often"}
	case !d.approved:
		return "", &fakehttp.OAuthError{Code: "authorization_pending", Description: "the user has not decided yet"}
	}
	delete(s.devices, code)
	return d.scope, nil
}
