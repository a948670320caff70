package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
)

// loginService is an authorization server that believes everybody, and issues
// tokens of a fake of Graph.
type loginService struct {
	*httptest.Server
	fake *graphtest.Server

	mu       sync.Mutex
	approved bool // the person has entered the code
	forms    []url.Values
}

func newLoginService(t *testing.T) *loginService {
	t.Helper()
	l := &loginService{fake: graphtest.New(graphtest.Options{})}
	t.Cleanup(l.fake.Close)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{tenant}/oauth2/v2.0/authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		http.Redirect(w, r, q.Get("redirect_uri")+"?code=1&state="+q.Get("state"), http.StatusFound)
	})
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/devicecode", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"device_code":"d","user_code":"ABCD-EFGH","verification_uri":%q,"expires_in":60,"interval":1}`, "http://"+r.Host+"/device")
	})
	mux.HandleFunc("/{path...}", l.token)
	l.Server = httptest.NewServer(mux)
	t.Cleanup(l.Close)
	return l
}

func (l *loginService) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, "form", http.StatusBadRequest)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	token := map[string]any{"access_token": l.fake.AppToken(), "token_type": "Bearer", "expires_in": "3600"}
	switch r.Form.Get("grant_type") {
	case "urn:ietf:params:oauth:grant-type:device_code":
		if !l.approved {
			w.WriteHeader(http.StatusBadRequest)
			token = map[string]any{"error": "authorization_pending"}
			break
		}
		fallthrough
	case "authorization_code", "refresh_token":
		token["access_token"], token["refresh_token"] = l.fake.Token(), "canary-refresh"
	}
	l.forms = append(l.forms, r.Form)
	_ = json.NewEncoder(w).Encode(token) // a client that left is seen by the test
}

// approve plays the person who enters the code.
func (l *loginService) approve() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.approved = true
}

// last returns the last form that was posted.
func (l *loginService) last() url.Values {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.forms) == 0 {
		return nil
	}
	return l.forms[len(l.forms)-1]
}

func (l *loginService) env(more ...string) []string {
	return append(more, "M365_TENANT_ID=contoso.example", "M365_CLIENT_ID=app", "M365_LOGIN_URL="+l.URL, "M365_GRAPH_URL="+l.fake.URL())
}

// inside runs the program in this process, which is faster.
func inside(t *testing.T, env []string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	get := func(name string) string {
		for _, pair := range env {
			if value, ok := strings.CutPrefix(pair, name+"="); ok {
				return value
			}
		}
		return ""
	}
	err = program{env: get, stdout: &out, stderr: &errs}.run(t.Context(), args)
	if err != nil {
		fmt.Fprintln(&errs, err)
	}
	return out.String(), errs.String(), err
}

func write(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func clientCertificate(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "server"}, NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
}

// The application signs in by whatever its environment offers.
func TestApplicationSignsIn(t *testing.T) {
	l := newLoginService(t)
	for name, test := range map[string]struct {
		env    []string
		field  string
		prefix string
	}{
		"secret":      {[]string{"M365_CLIENT_SECRET=canary-secret"}, "client_secret", "canary-secret"},
		"secret file": {[]string{"M365_CLIENT_SECRET_FILE=" + write(t, "secret", []byte("canary-file\n"))}, "client_secret", "canary-file"},
		"certificate": {[]string{"M365_CLIENT_CERTIFICATE_PATH=" + write(t, "app.pem", clientCertificate(t))}, "client_assertion", "eyJ"},
		"federation":  {[]string{"AZURE_FEDERATED_TOKEN_FILE=" + write(t, "token", []byte("canary.federated.token"))}, "client_assertion", "canary.federated.token"},
	} {
		out, errs, err := inside(t, l.env(test.env...), "-check", "-systems", "m365")
		form := l.last()
		// The fake's whoami is about a user, of whom an application knows
		// nothing; that the token arrived is enough.
		if strings.Contains(out+errs, "canary") || form.Get("grant_type") != "client_credentials" || !strings.HasPrefix(form.Get(test.field), test.prefix) {
			t.Errorf("%s: %v, form %v\n%s%s", name, err, form, out, errs)
		}
	}
}

// An application that cannot reach Graph has checked nothing; one that may not
// read its tenant works all the same.
func TestCheckReachesGraph(t *testing.T) {
	l := newLoginService(t)
	gone := append([]string{"M365_GRAPH_URL=http://127.0.0.1:1/v1.0"}, l.env("M365_CLIENT_SECRET=canary-secret")...)
	out, _, err := inside(t, gone, "-check", "-systems", "m365")
	if err == nil || !strings.Contains(out, "Microsoft 365: FAILED") || !strings.Contains(out, "unavailable") {
		t.Errorf("without Graph: %v\n%s", err, out)
	}
	l.fake.Faults().Next(1, "", "", graphtest.Answer{Status: http.StatusForbidden, Body: `{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges"}}`})
	out, _, err = inside(t, l.env("M365_CLIENT_SECRET=canary-secret"), "-check", "-systems", "m365")
	if err != nil || !strings.Contains(out, "Microsoft 365: ok") || !strings.Contains(out, "permission_denied") {
		t.Errorf("without Organization.Read.All: %v\n%s", err, out)
	}
}

// The scopes to grant are those of whoever signs in.
func TestListHasTheScopesInUse(t *testing.T) {
	l := newLoginService(t)
	const delegated, applications, neither = "Calendars.Read.Shared", "Organization.Read.All", "not for an application"
	for name, test := range map[string]struct {
		env       []string
		args      []string
		has, lack []string
	}{
		"a secret":         {l.env("M365_CLIENT_SECRET=canary"), nil, []string{applications, neither}, []string{delegated}},
		"an identity":      {[]string{"M365_MANAGED_IDENTITY=system"}, nil, []string{applications, neither}, []string{delegated}},
		"a person":         {l.env(), nil, []string{delegated}, []string{applications, neither}},
		"a device":         {l.env("M365_CLIENT_SECRET=canary"), []string{"-device"}, []string{delegated}, []string{applications}},
		"its token":        {[]string{"M365_ACCESS_TOKEN=" + l.fake.AppToken()}, nil, []string{applications}, []string{delegated}},
		"a person's token": {[]string{"M365_ACCESS_TOKEN=" + l.fake.Token()}, nil, []string{delegated}, []string{applications}},
		"nothing":          {nil, nil, []string{delegated, applications, neither}, nil},
	} {
		out, _, err := inside(t, test.env, append(test.args, "-list", "-preset", "all")...)
		for _, want := range test.has {
			if err != nil || !strings.Contains(out, want) {
				t.Errorf("%s: %v, no %q in\n%s", name, err, want, out)
			}
		}
		for _, no := range test.lack {
			if strings.Contains(out, no) {
				t.Errorf("%s: %q in\n%s", name, no, out)
			}
		}
	}
}

func TestManagedIdentitySignsIn(t *testing.T) {
	l := newLoginService(t)
	var asked atomic.Pointer[http.Request]
	identity := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r)
		fmt.Fprintf(w, `{"access_token":%q,"expires_in":"3600"}`, l.fake.Token())
	}))
	defer identity.Close()
	out, errs, err := inside(t, []string{
		"M365_MANAGED_IDENTITY=11111111-2222-3333-4444-555555555555", "IDENTITY_ENDPOINT=" + identity.URL, "IDENTITY_HEADER=canary", "M365_GRAPH_URL=" + l.fake.URL(),
	}, "-check", "-systems", "m365")
	if err != nil || asked.Load() == nil || asked.Load().URL.Query().Get("client_id") != "11111111-2222-3333-4444-555555555555" || strings.Contains(out+errs, "canary") {
		t.Errorf("%v\n%s%s", err, out, errs)
	}
}

func TestHaloKey(t *testing.T) {
	fake := halotest.New(halotest.Options{})
	defer fake.Close()
	out, errs, err := inside(t, []string{"HALO_URL=" + fake.URL(), "HALO_API_KEY=" + halotest.APIKey}, "-check", "-systems", "halo")
	if err != nil || !strings.Contains(out, ": ok") || strings.Contains(out+errs, halotest.APIKey) {
		t.Errorf("%v\n%s%s", err, out, errs)
	}
}

// -check says which of the offered tools HaloPSA will refuse, before somebody
// needs them.
func TestCheckNamesWhatHaloLacks(t *testing.T) {
	fake := halotest.New(halotest.Options{Scopes: []string{"read:tickets", "read:customers"}})
	defer fake.Close()
	env := []string{"HALO_URL=" + fake.URL(), "HALO_CLIENT_ID=" + halotest.ClientID, "HALO_CLIENT_SECRET=" + halotest.ClientSecret}
	out, _, err := inside(t, env, "-check", "-systems", "halo")
	for _, want := range []string{"HaloPSA: ok", "halo_tickets_create lacks edit:tickets\n", "halo_time_list lacks read:timesheets\n"} {
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("%v, no %q in\n%s", err, want, out)
		}
	}
	if strings.Contains(out, "halo_tickets_search lacks") {
		t.Errorf("a tool that works is said to lack something:\n%s", out)
	}
	if out, _, err := inside(t, env, "-check", "-systems", "halo", "-tools", "halo_tickets_search"); err != nil || strings.Contains(out, "lacks") {
		t.Errorf("tools that are not offered: %v\n%s", err, out)
	}
	whole := halotest.New(halotest.Options{})
	defer whole.Close()
	env[0] = "HALO_URL=" + whole.URL()
	if out, _, err := inside(t, env, "-check", "-systems", "halo"); err != nil || strings.Contains(out, "lacks") {
		t.Errorf("all scopes: %v\n%s", err, out)
	}
}

// A tool that is called before the sign-in says what to do, and works after it
// without a restart; the next process needs no sign-in.
func TestPersonSignsIn(t *testing.T) {
	for name, test := range map[string]struct {
		args   []string
		todo   *regexp.Regexp
		signIn func(t *testing.T, l *loginService, todo string)
	}{
		"device": {[]string{"-device"}, regexp.MustCompile(`ABCD-EFGH`), func(_ *testing.T, l *loginService, _ string) { l.approve() }},
		"browser": {nil, regexp.MustCompile(`http://\S+/authorize\?[^\s,;]+`), func(t *testing.T, _ *loginService, todo string) {
			resp, err := http.Get(todo) //nolint:gosec // of our own server
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLoginService(t)
			store := t.TempDir()
			args := append([]string{"-systems", "m365", "-store", store}, test.args...)
			whoami := func(session *mcp.ClientSession) (string, bool) {
				t.Helper()
				result, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "m365_whoami"})
				if err != nil {
					t.Fatal(err)
				}
				return text(result), !result.IsError
			}
			connect := func() *mcp.ClientSession {
				cmd := command(t, l.env("PATH=/nonexistent"), args...) // there is no browser
				return dial(t, &mcp.CommandTransport{Command: cmd}, "2025-11-25", "accept")
			}
			session := connect()
			said, ok := whoami(session)
			todo := test.todo.FindString(said)
			if ok || todo == "" {
				t.Fatalf("before the sign-in: %s", said)
			}
			test.signIn(t, l, todo)
			for range 100 {
				if said, ok = whoami(session); ok {
					break
				}
				time.Sleep(100 * time.Millisecond)
			}
			if !ok {
				t.Fatalf("after the sign-in: %s", said)
			}
			if said, ok := whoami(connect()); !ok || l.last().Get("grant_type") == "refresh_token" { // it shares the token
				t.Errorf("another process: %s", said)
			}
			noTokens(t, store)
			listed, _, err := inside(t, nil, "-accounts", "-store", store)
			if err != nil || !strings.Contains(listed, l.URL) || strings.Contains(listed, "canary") {
				t.Errorf("-accounts: %v\n%s", err, listed)
			}
			if out, _, err := inside(t, nil, "-logout", "-store", store); err != nil || !strings.Contains(out, "1 sign-ins forgotten") {
				t.Errorf("-logout: %v\n%s", err, out)
			}
			if said, ok := whoami(connect()); ok {
				t.Errorf("after -logout: %s", said)
			}
		})
	}
}

// noTokens looks for tokens in the files of the store.
func noTokens(t *testing.T, store string) {
	t.Helper()
	err := filepath.WalkDir(store, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if strings.Contains(string(content), "canary") {
			t.Errorf("%s holds a token", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestLoginCommand(t *testing.T) {
	l := newLoginService(t)
	l.approve()
	store := t.TempDir()
	out, errs, err := inside(t, l.env(), "-login", "-device", "-store", store)
	if err != nil || !strings.Contains(out, "ABCD-EFGH") || !strings.Contains(out, "Signed in.") {
		t.Fatalf("%v\n%s%s", err, out, errs)
	}
	if out, errs, err := inside(t, l.env(), "-check", "-systems", "m365", "-store", store); err != nil {
		t.Errorf("%v\n%s%s", err, out, errs)
	}
	noTokens(t, store)
	out, errs, err = inside(t, l.env(), "-check", "-systems", "m365", "-device", "-store", "none")
	if err != nil || !strings.Contains(out, "ABCD-EFGH") || !strings.Contains(out, ": ok") {
		t.Errorf("-check signs in too: %v\n%s%s", err, out, errs)
	}
	for _, env := range [][]string{{"M365_ACCESS_TOKEN=canary"}, l.env("M365_CLIENT_SECRET=canary")} {
		if _, errs, err := inside(t, env, "-login", "-store", store); err == nil || !strings.Contains(errs, "nobody signs in here") || strings.Contains(errs, "canary") {
			t.Errorf("%v %s", err, errs)
		}
	}
}
