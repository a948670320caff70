package halotest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
	"github.com/msptoolbelt/toolbelt/internal/specindex"
)

// scopeAreas are the areas of Halo's read: and edit: scopes (research 3.2).
var scopeAreas = strings.Fields(`tickets calendar customers crm timesheets contracts suppliers items projects sales
	quotes sos pos invoices reporting software softwarelicensing kb assets`)

// pathScopes tells the scope area of a path's first segment. Reference lists
// (statuses, teams, agents …) want a token, but no scope of their own.
var pathScopes = map[string]string{
	"tickets": "tickets", "actions": "tickets", "attachment": "tickets", "todo": "tickets", "ticketapproval": "tickets",
	"feedback": "tickets", "client": "customers", "site": "customers", "users": "customers", "toplevel": "customers",
	"crmnote": "crm", "clientprepay": "customers", "asset": "assets", "clientcontract": "contracts",
	"invoice": "invoices", "recurringinvoice": "invoices", "appointment": "calendar", "holiday": "calendar",
	"timesheet": "timesheets", "timesheetevent": "timesheets", "kbarticle": "kb", "report": "reporting",
	"projects": "projects", "opportunities": "sales", "quotation": "quotes", "salesorder": "sos", "purchaseorder": "pos",
	"item": "items", "supplier": "suppliers", "softwarelicence": "softwarelicensing",
}

func (s *Server) newOAuth() *fakehttp.OAuth {
	return fakehttp.NewOAuth(fakehttp.OAuthOptions{
		Clients:       map[string]string{ClientID: ClientSecret, NativeClientID: ""},
		Grant:         s.grant,
		Lifetime:      s.options.TokenLifetime,
		Now:           s.options.Now,
		RotateRefresh: true, // 3.2: single-use, rotated
		Opaque:        s.options.OpaqueTokens,
	})
}

// grant decides on a token. A request without a scope gets a token without
// scopes, which every call refuses with 401 (3.2).
func (s *Server) grant(request fakehttp.TokenRequest) (fakehttp.Grant, error) {
	granted := []string{}
	for scope := range strings.FieldsSeq(request.Scope) {
		if !knownScope(scope) {
			return fakehttp.Grant{}, &fakehttp.OAuthError{Code: "invalid_scope", Description: "The specified scope is not valid."}
		}
		if s.options.Scopes == nil || slices.Contains(s.options.Scopes, scope) || slices.Contains(s.options.Scopes, "all") {
			granted = append(granted, scope)
		} else if scope == "all" || scope == "all:standard" {
			granted = append(granted, s.options.Scopes...)
		}
	}
	scope := strings.Join(granted, " ")
	return fakehttp.Grant{
		Claims:  map[string]any{"sub": "2", "agentid": AgentSam, "client_id": request.ClientID, "tenant": s.Tenant(), "scope": scope},
		Scope:   scope,
		Refresh: request.GrantType != "client_credentials",
	}, nil
}

func knownScope(scope string) bool {
	switch scope {
	case "all", "all:standard", "admin", "admin:webhooks", "editMine:timesheets", "access:chat", "access:adpasswordreset",
		"openid", "profile", "offline_access":
		return true
	}
	verb, area, _ := strings.Cut(scope, ":")
	return (verb == "read" || verb == "edit") && slices.Contains(scopeAreas, area)
}

// Token returns a fresh access token of the API's agent with the scopes given,
// or with "all".
func (s *Server) Token(scopes ...string) string { return s.TokenFor(AgentSam, scopes...) }

// TokenFor returns a fresh access token of an agent who signed in.
func (s *Server) TokenFor(agent int, scopes ...string) string {
	scope := strings.Join(scopes, " ")
	if scope == "" {
		scope = "all"
	}
	return s.oauth.Issue(map[string]any{"sub": strconv.Itoa(agent), "agentid": agent, "client_id": ClientID, "tenant": s.Tenant(), "scope": scope})
}

// RevokeTokens makes every token issued so far invalid: the next call with one
// is answered 401.
func (s *Server) RevokeTokens() { s.oauth.RevokeAll() }

// TokenRequests returns how often the token endpoint was asked.
func (s *Server) TokenRequests() int { return s.oauth.Requests() }

// SetTokenLifetime changes the lifetime of tokens issued from now on.
func (s *Server) SetTokenLifetime(d time.Duration) { s.oauth.SetLifetime(d) }

// authHandler is the authorisation server below prefix.
func (s *Server) authHandler(prefix string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(prefix+"/token", func(w http.ResponseWriter, r *http.Request) {
		fakehttp.SetTemplate(r, "/auth/token")
		if r.Header.Get("Authorization") != "" && strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
			s.recorder.Violate(r, fakehttp.LeakedToken, "an access token was sent to the authorisation server")
		}
		// Both are in use: the tenant as a query parameter and as a form field.
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		if tenant := r.FormValue("tenant"); tenant != s.Tenant() && !s.options.OnPremises {
			fakehttp.WriteJSON(w, http.StatusBadRequest, Record{
				"error": "invalid_request", "error_description": "The tenant could not be found.",
			})
			return
		}
		s.oauth.Token(w, r)
	})
	mux.HandleFunc(prefix+"/authorize", func(w http.ResponseWriter, r *http.Request) {
		fakehttp.SetTemplate(r, "/auth/authorize")
		s.oauth.Authorize(w, r)
	})
	return mux
}

// authInfo is GET /api/authinfo, which needs no token.
func (s *Server) authInfo() Record {
	return Record{"auth_url": s.AuthURL(), "tenant_id": s.Tenant(), "client_id": nil, "hosted": !s.options.OnPremises}
}

// authenticate returns the acting agent and the scopes of the request's
// credentials.
func (s *Server) authenticate(r *http.Request) (agent int, scopes []string, err error) {
	unauthorized := &failure{http.StatusUnauthorized, ErrorText, ""}
	if key := r.Header.Get("X-Halo-Api-Key"); key != "" {
		if key != APIKey {
			return 0, nil, unauthorized
		}
		return AgentSam, []string{"all"}, nil
	}
	claims, err := s.oauth.Check(r)
	if err != nil {
		return 0, nil, unauthorized
	}
	agent, _ = claims["agentid"].(int)
	scope, _ := claims["scope"].(string)
	if scopes = strings.Fields(scope); len(scopes) == 0 {
		return 0, nil, unauthorized
	}
	return agent, scopes, nil
}

// authorize checks the scope that an operation needs.
func (s *Server) authorize(op *specindex.HaloOperation, scopes []string) error {
	first, _, _ := strings.Cut(strings.TrimPrefix(strings.ToLower(op.Path), "/"), "/")
	allowed := []string{"all", "all:standard", "admin"}
	switch area := pathScopes[first]; {
	case first == "webhook" || first == "webhookrepository":
		allowed = []string{"admin", "admin:webhooks", "all"}
	case area == "":
		return nil
	case op.Method == http.MethodGet:
		allowed = append(allowed, "read:"+area, "edit:"+area)
	default:
		allowed = append(allowed, "edit:"+area)
		if area == "timesheets" {
			allowed = append(allowed, "editMine:timesheets")
		}
	}
	if slices.ContainsFunc(scopes, func(scope string) bool { return slices.Contains(allowed, scope) }) {
		return nil
	}
	shape := ErrorText
	if s.options.ScopeRefusal == http.StatusBadRequest {
		shape = ErrorSentence
	}
	return &failure{s.options.ScopeRefusal, shape, "Please contact the administrator"}
}
