package graphtest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

func (r *rig) requestToken(form url.Values) answer {
	r.t.Helper()
	resp, err := r.client.PostForm(r.LoginURL()+"/"+TenantID+"/oauth2/v2.0/token", form)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer{status: resp.StatusCode, raw: text}
}

func TestTokens(t *testing.T) {
	now := start
	var mu sync.Mutex
	r := newRig(t, Options{Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {ClientID}, "client_secret": {ClientSecret}, "scope": {"https://graph.microsoft.com/.default"}}
	if a := r.requestToken(form); a.status != 200 || !strings.Contains(string(a.raw), `"ext_expires_in":3599`) {
		t.Errorf("%d %s", a.status, a.raw)
	}
	form.Set("client_secret", "wrong")
	if a := r.requestToken(form); a.status != 401 || !strings.Contains(string(a.raw), `"error_codes":[7000215]`) {
		t.Errorf("%d %s", a.status, a.raw)
	}
	r.get("/me").want(t, 200)
	mu.Lock()
	now = now.Add(2 * time.Hour)
	mu.Unlock()
	a := r.get("/me")
	if a.status != 401 || a.code() != "InvalidAuthenticationToken" || !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer ") {
		t.Errorf("%d %s %v", a.status, a.raw, a.header)
	}
	r.token = r.AppToken()
	if a := r.get("/me"); a.status != 400 || !strings.Contains(string(a.raw), "/me request is only valid with delegated authentication flow.") {
		t.Errorf("%d %s", a.status, a.raw)
	}
	r.get("/users/"+SignedInUser+"/messages").want(t, 200)
	r.RevokeTokens()
	r.get("/users").want(t, 401)
	if r.TokenRequests() != 2 {
		t.Errorf("%d token requests", r.TokenRequests())
	}
}

func TestSignInWithPKCE(t *testing.T) {
	r := newRig(t, Options{})
	r.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636, appendix B
	ask := url.Values{
		"client_id": {PublicClientID}, "response_type": {"code"}, "redirect_uri": {"http://127.0.0.1:1/back"}, "state": {"s"},
		"scope": {"https://graph.microsoft.com/Mail.Read offline_access"}, "code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	}
	a := r.get(r.LoginURL()+"/"+TenantID+"/oauth2/v2.0/authorize?"+ask.Encode()).want(t, 302)
	back, err := url.Parse(a.header.Get("Location"))
	if err != nil || back.Query().Get("state") != "s" {
		t.Fatalf("%v %v", back, err)
	}
	got := r.requestToken(url.Values{
		"grant_type": {"authorization_code"}, "client_id": {PublicClientID}, "code": {back.Query().Get("code")}, "code_verifier": {verifier}, "redirect_uri": {"http://127.0.0.1:1/back"},
	})
	var tokens struct {
		AccessToken  string `json:"access_token"`
		RefreshToken string `json:"refresh_token"`
		Scope        string
	}
	if err := json.Unmarshal(got.raw, &tokens); err != nil || got.status != 200 || tokens.Scope != "Mail.Read" || tokens.RefreshToken == "" {
		t.Fatalf("%d %s %v", got.status, got.raw, err)
	}
	r.token = tokens.AccessToken
	r.get("/me/messages?$top=1").want(t, 200)
	r.get("/me/calendars").want(t, 403)
	if again := r.requestToken(url.Values{"grant_type": {"refresh_token"}, "client_id": {PublicClientID}, "refresh_token": {tokens.RefreshToken}}); again.status != 200 {
		t.Errorf("refresh: %d %s", again.status, again.raw)
	}
}

// TestCommittedWithoutAnswer is the fault that retries must not make worse.
func TestCommittedWithoutAnswer(t *testing.T) {
	r := newRig(t, Options{})
	for drop, sent := range map[Drop]int{DropBefore: 0, DropAfter: 1} {
		before := len(r.Sent())
		r.Faults().Next(1, "POST", "/me/sendMail", Answer{Drop: drop})
		body := strings.NewReader(`{"message":{"toRecipients":[{"emailAddress":{"address":"a@b.example"}}]}}`)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.URL()+"/me/sendMail", body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+r.token)
		req.Header.Set("Content-Type", "application/json")
		if resp, err := r.client.Do(req); err == nil {
			resp.Body.Close()
			t.Errorf("drop %d: answered %d", drop, resp.StatusCode)
		}
		if got := len(r.Sent()) - before; got != sent {
			t.Errorf("drop %d: %d mails sent, want %d", drop, got, sent)
		}
	}
}

func TestPermissions(t *testing.T) {
	r := newRig(t, Options{Deny: []string{"Mail.Send", "Mail.Send.Shared"}})
	if a := r.do("POST", "/me/sendMail", object{"message": object{"toRecipients": to("a@b.example")}}); a.status != 403 || a.code() != "ErrorAccessDenied" {
		t.Errorf("%d %s", a.status, a.raw)
	}
	r.token = r.TokenFor(SignedInUser, "Mail.ReadBasic", "User.Read")
	if a := r.get("/me/messages?$top=1").want(t, 200); a.values()[0]["body"] != nil || a.values()[0]["bodyPreview"] != nil {
		t.Errorf("Mail.ReadBasic shows bodies: %s", a.raw)
	}
	if a := r.get("/groups"); a.status != 403 || a.code() != "Authorization_RequestDenied" {
		t.Errorf("%d %s", a.status, a.raw)
	}
	r.token = r.Token()
	if a := r.get("/users/tom.lindqvist@nordlicht.example/messages"); a.status != 403 || a.code() != "ErrorAccessDenied" {
		t.Errorf("a colleague's mail: %d %s", a.status, a.raw)
	}
	if a := r.get("/users/servicedesk@nordlicht.example/messages?$select=subject").want(t, 200); len(a.values()) != 2 {
		t.Errorf("the shared mailbox: %s", a.raw)
	}
	r.token = r.TokenFor(SignedInUser, "Mail.Read", "User.Read.All")
	if a := r.get("/users/servicedesk@nordlicht.example/messages"); a.status != 403 {
		t.Errorf("a shared mailbox without Mail.Read.Shared: %d", a.status)
	}
	r.token = r.Token()
	guest := r.firstID("/users?$filter=userType eq 'Guest'&$select=id")
	if a := r.get("/users/" + guest + "/messages"); a.status != 404 || a.code() != "MailboxNotEnabledForRESTAPI" {
		t.Errorf("a guest's mail: %d %s", a.status, a.raw)
	}
	r.clean()
}

func TestUnknownPathsAndHeaders(t *testing.T) {
	r := newRig(t, Options{})
	for _, path := range []string{"/me/mails", "/mee", "/me/messages/x/y/z"} {
		r.ResetRecord()
		if a := r.get(path); a.status != 400 || !r.violated("unknown-path") {
			t.Errorf("%s: %d %v", path, a.status, r.Violations())
		}
	}
	if a := r.get("/me/sendMail"); a.status != 405 {
		t.Errorf("GET of an action: %d", a.status)
	}
	if a := r.get(r.LoginURL() + "/beta/me"); a.status != 404 {
		t.Errorf("beta: %d", a.status)
	}
	r.ResetRecord()
	if a := r.get("/users", "ConsistencyLevel: strong"); a.status != 400 || !r.violated("bad-header") {
		t.Errorf("%d %v", a.status, r.Violations())
	}
	if a := r.get("/me/events", `Prefer: outlook.timezone="Hamburg"`); a.status != 400 || a.code() != "TimeZoneNotSupportedException" {
		t.Errorf("%d %s", a.status, a.raw)
	}
	r.ResetRecord()
	if a := r.get("/me", "Prefer: cheese"); a.status != 200 || !r.violated("silently-ignored") {
		t.Errorf("%d %v", a.status, r.Violations())
	}
	a := r.get("/me/messages/"+strings.Repeat("A", 152), "client-request-id: abc")
	if a.status != 404 || a.header.Get("request-id") == "" || a.header.Get("client-request-id") != "abc" || textAt(a.body, "error", "innerError", "request-id") != a.header.Get("request-id") {
		t.Errorf("%d %v %s", a.status, a.header, a.raw)
	}
	last := r.Requests()[len(r.Requests())-1]
	if last.Template != "/me/messages/{id}" || last.Header.Get("Authorization") != "Bearer" {
		t.Errorf("%+v", last)
	}
}

func TestBatch(t *testing.T) {
	r := newRig(t, Options{})
	id := r.firstID("/me/messages?$select=id")
	r.Faults().Next(1, "GET", "/me/mailFolders", Answer{Status: 429, RetryAfter: "3"})
	a := r.do("POST", "/$batch", object{"requests": []object{
		{"id": "1", "method": "GET", "url": "/me?$select=displayName"},
		{"id": "2", "method": "PATCH", "url": "/me/messages/" + id, "headers": object{"Content-Type": "application/json"}, "body": object{"isRead": true}},
		{"id": "3", "method": "GET", "url": "/me/messages/" + strings.Repeat("A", 152)},
		{"id": "4", "method": "GET", "url": "/me", "dependsOn": []string{"3"}},
		{"id": "5", "method": "GET", "url": "/me/mailFolders"},
	}}).want(t, 200)
	parts := map[string]object{}
	for _, p := range elements(a.body["responses"]) {
		parts[textAt(p, "id")] = asObject(p)
	}
	for id, status := range map[string]int{"1": 200, "2": 200, "3": 404, "4": 424, "5": 429} {
		if number(parts[id]["status"]) != status {
			t.Errorf("part %s: %v", id, parts[id])
		}
	}
	if textAt(parts["1"], "body", "displayName") != "Sam Okafor" || textAt(parts["5"], "headers", "Retry-After") != "3" || textAt(parts["3"], "body", "error", "code") != "ErrorItemNotFound" {
		t.Errorf("%s", a.raw)
	}
	if m, _ := r.Message(id); m["isRead"] != true {
		t.Error("the PATCH in the batch did nothing")
	}
	if last := r.Requests()[len(r.Requests())-1]; last.Template != "/$batch" {
		t.Errorf("template %q", last.Template)
	}
	r.clean()
	var many []object
	for range 21 {
		many = append(many, object{"id": newGUID(), "method": "GET", "url": "/me"})
	}
	for name, requests := range map[string][]object{
		"21": many, "none": {}, "same id": {many[0], many[0]}, "absolute": {{"id": "1", "method": "GET", "url": r.URL() + "/me"}},
		"unknown dependency": {{"id": "1", "method": "GET", "url": "/me", "dependsOn": []string{"0"}}},
		"no content type":    {{"id": "1", "method": "POST", "url": "/me/sendMail", "body": object{}}},
	} {
		if a := r.do("POST", "/$batch", object{"requests": requests}); a.status != 400 {
			t.Errorf("%s: %d", name, a.status)
		}
	}
}

// TestConcurrentUse is for the race detector.
func TestConcurrentUse(t *testing.T) {
	r := newRig(t, Options{})
	r.Faults().SetRates(1, Rates{TooManyRequests: 0.2, Unavailable: 0.1, Slow: 0.1, SlowBy: time.Millisecond, RetryAfter: []string{"", "0"}})
	id := r.firstIDUnderFaults("/me/messages?$select=id")
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for range 10 {
				switch i % 4 {
				case 0:
					r.get("/me/messages?$top=5&$expand=attachments")
				case 1:
					r.do("PATCH", "/me/messages/"+id, object{"isRead": i%2 == 0})
				case 2:
					r.do("POST", "/me/sendMail", object{"message": object{"subject": "x", "toRecipients": to("priya.nair@nordlicht.example")}})
				case 3:
					r.get("/me/calendarView?startDateTime=2026-03-01T00:00:00Z&endDateTime=2026-04-01T00:00:00Z")
					r.Sent()
					r.Events(SignedInUser)
				}
			}
		})
	}
	group.Wait()
	ok202 := 0
	for _, request := range r.Requests() {
		ok202 += btoi(request.Status == http.StatusAccepted)
	}
	if sent := len(r.Sent()); sent != ok202 || sent == 0 {
		t.Errorf("%d mails sent, %d accepted", sent, ok202)
	}
}

func (r *rig) firstIDUnderFaults(path string) string {
	for {
		if a := r.get(path); a.status == http.StatusOK {
			return textAt(a.values()[0], "id")
		}
	}
}
