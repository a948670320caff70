package graphtest

import (
	"net/http"
	"slices"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
	"github.com/msptoolbelt/toolbelt/internal/specindex"
)

// What the seeded app registrations were granted, delegated and on their own.
const (
	delegatedScopes = `AuditLog.Read.All Calendars.Read Calendars.Read.Shared Calendars.ReadBasic Calendars.ReadWrite
		Calendars.ReadWrite.Shared Device.Read.All Directory.Read.All Domain.Read.All Files.Read.All Group.Read.All GroupMember.Read.All
		LicenseAssignment.Read.All Mail.Read Mail.Read.Shared Mail.ReadBasic Mail.ReadWrite Mail.ReadWrite.Shared
		Mail.Send Mail.Send.Shared MailboxSettings.Read MailboxSettings.ReadWrite Organization.Read.All People.Read
		Place.Read.All Sites.Read.All User.Read User.Read.All User.ReadBasic.All UserAuthenticationMethod.Read.All`
	appRoles = `AuditLog.Read.All Calendars.Read Calendars.ReadBasic.All Calendars.ReadWrite Device.Read.All
		Directory.Read.All Domain.Read.All Files.Read.All Group.Read.All GroupMember.Read.All LicenseAssignment.Read.All Mail.Read
		Mail.ReadBasic.All Mail.ReadWrite Mail.Send MailboxSettings.Read MailboxSettings.ReadWrite
		Organization.Read.All People.Read.All Place.Read.All Sites.Read.All User.Read.All User.ReadBasic.All
		UserAuthenticationMethod.Read.All`
)

// caller is who a token speaks for.
type caller struct {
	app    bool
	user   string // object id of the signed-in user
	scopes []string
}

// Token returns a delegated access token of the signed-in user with every
// delegated permission that Options.Deny leaves.
func (s *Server) Token() string {
	return s.TokenFor(SignedInUser, strings.Fields(delegatedScopes)...)
}

// TokenFor returns a delegated access token of a user, named by user principal
// name, with these permissions less Options.Deny. A user who is not in the
// directory gets a token for nobody, which Graph answers with 401.
func (s *Server) TokenFor(user string, scopes ...string) string {
	return s.oauth.Issue(s.delegatedClaims(user, scopes))
}

// AppToken returns an access token of the application itself.
func (s *Server) AppToken() string { return s.oauth.Issue(s.appClaims()) }

// RevokeTokens makes every access and refresh token issued so far invalid.
func (s *Server) RevokeTokens() { s.oauth.RevokeAll() }

// TokenRequests returns how many requests the token endpoint has had.
func (s *Server) TokenRequests() int { return s.oauth.Requests() }

func (s *Server) delegatedClaims(upn string, scopes []string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	claims := s.commonClaims()
	claims["scp"] = strings.Join(s.allowed(scopes), " ")
	claims["idtyp"] = "user"
	if u := s.user(upn); u != nil {
		claims["oid"], claims["upn"], claims["name"] = u.id(), u.props["userPrincipalName"], u.props["displayName"]
	}
	return claims
}

func (s *Server) appClaims() map[string]any {
	claims := s.commonClaims()
	claims["roles"] = s.allowed(strings.Fields(appRoles))
	claims["idtyp"] = "app"
	claims["oid"] = guid("service principal")
	return claims
}

func (s *Server) commonClaims() map[string]any {
	return map[string]any{
		"aud": "https://graph.microsoft.com", "iss": "https://sts.windows.net/" + TenantID + "/",
		"tid": TenantID, "appid": ClientID, "app_displayname": "Toolbelt demo", "ver": "1.0",
	}
}

func (s *Server) allowed(scopes []string) []string {
	var out []string
	for _, scope := range scopes {
		if !slices.Contains(s.opts.Deny, scope) {
			out = append(out, scope)
		}
	}
	return out
}

func (s *Server) newOAuth() *fakehttp.OAuth {
	return fakehttp.NewOAuth(fakehttp.OAuthOptions{
		Clients:     map[string]string{ClientID: ClientSecret, PublicClientID: ""},
		Grant:       s.grant,
		ErrorFields: entraErrorFields,
		Lifetime:    s.opts.TokenLifetime,
		Now:         s.opts.Now,
	})
}

func (s *Server) grant(r fakehttp.TokenRequest) (fakehttp.Grant, error) {
	tenant, _, _ := strings.Cut(strings.TrimPrefix(r.Path, "/"), "/")
	if !slices.Contains([]string{TenantID, "nordlicht.example", "organizations", "common"}, tenant) {
		return fakehttp.Grant{}, &fakehttp.OAuthError{Code: "invalid_request", Description: "AADSTS90002: Tenant '" + tenant + "' not found."}
	}
	if r.GrantType == "client_credentials" {
		if !strings.HasSuffix(r.Scope, "/.default") {
			return fakehttp.Grant{}, &fakehttp.OAuthError{
				Code: "invalid_scope", Description: "AADSTS1002012: The provided value for scope " + r.Scope + " is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier."}
		}
		return fakehttp.Grant{Claims: s.appClaims(), Fields: map[string]any{"ext_expires_in": 3599}}, nil
	}
	granted, offline := s.delegatedGrant(r.Scope)
	claims := s.delegatedClaims(SignedInUser, granted)
	claims["appid"] = r.ClientID
	return fakehttp.Grant{
		Claims: claims, Scope: strings.Join(granted, " "), Refresh: offline,
		Fields: map[string]any{"ext_expires_in": 3599},
	}, nil
}

// delegatedGrant turns requested scopes, with or without the resource in
// front, into granted ones, and says whether offline_access is among them.
func (s *Server) delegatedGrant(requested string) (granted []string, offline bool) {
	for scope := range strings.FieldsSeq(requested) {
		if i := strings.LastIndex(scope, "/"); i >= 0 {
			scope = scope[i+1:]
		}
		switch {
		case scope == "offline_access":
			offline = true
		case scope == ".default":
			granted = append(granted, strings.Fields(delegatedScopes)...)
		case slices.Contains(strings.Fields(delegatedScopes), scope):
			granted = append(granted, scope)
		}
	}
	return granted, offline
}

func entraErrorFields(code string) map[string]any {
	number := map[string]int{
		"invalid_client": 7000215, "invalid_grant": 70008, "unsupported_grant_type": 70003, "invalid_scope": 1002012, "unauthorized_client": 700016,
	}[code]
	if number == 0 {
		number = 900144
	}
	return map[string]any{"error_codes": []int{number}, "trace_id": newGUID(), "correlation_id": newGUID(), "timestamp": "2026-01-01 00:00:00Z"}
}

// authenticate returns the caller of r, or the 401 Graph would answer with.
func (s *Server) authenticate(r *http.Request) (caller, error) {
	claims, err := s.oauth.Check(r)
	if err != nil {
		message := "Lifetime validation failed, the token is expired."
		if err == fakehttp.ErrNoToken { //nolint:errorlint // Check returns it bare
			message = "Access token is empty."
		}
		return caller{}, &graphError{http.StatusUnauthorized, "InvalidAuthenticationToken", message}
	}
	c := caller{app: claims["idtyp"] == "app"}
	c.user, _ = claims["oid"].(string)
	if c.app {
		c.scopes, _ = claims["roles"].([]string)
	} else {
		scp, _ := claims["scp"].(string)
		c.scopes = strings.Fields(scp)
		if c.user == "" {
			return caller{}, &graphError{http.StatusUnauthorized, "InvalidAuthenticationToken", "The user of the token is unknown."}
		}
	}
	return c, nil
}

// authorize checks the caller's permissions against Microsoft's map. What the
// map does not list is allowed.
func (c *call) authorize(templates ...string) error {
	for _, template := range templates {
		accepted, ok := specindex.Graph().LeastScopes(c.r.Method, template)
		if !ok {
			continue
		}
		list := accepted.Delegated
		if c.caller.app {
			list = accepted.Application
		}
		for _, scope := range list {
			shared := !c.caller.app && slices.Contains(c.caller.scopes, scope+".Shared")
			if shared || slices.Contains(c.caller.scopes, scope) && !c.needsShared(scope) {
				return nil
			}
		}
		return c.denied()
	}
	return nil
}

// needsShared says whether a delegated permission ends at the caller's own
// mailbox: Mail.Read does not open what others shared, Mail.Read.Shared does.
// Microsoft's map does not list the .Shared forms.
func (c *call) needsShared(scope string) bool {
	family, _, _ := strings.Cut(scope, ".")
	return !c.caller.app && c.owner != nil && c.owner.id() != c.caller.user && (family == "Mail" || family == "Calendars")
}

// denied is the 403 of the workload that the path belongs to.
func (c *call) denied() error {
	for _, part := range []string{"/messages", "/mailFolders", "/sendMail", "/calendar", "/events", "/mailboxSettings", "/findMeetingTimes", "/messageRules", "/outlook"} {
		if strings.Contains(c.target.Template, part) {
			return &graphError{http.StatusForbidden, "ErrorAccessDenied", "Access is denied. Check credentials and try again."}
		}
	}
	return &graphError{http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."}
}
