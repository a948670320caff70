package authe2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/msptoolbelt/toolbelt/auth"
)

// provider is a running oidc-provider.
type provider struct {
	issuer    string
	authority auth.Authority
	client    *http.Client // for token requests; it keeps their forms

	mu    sync.Mutex
	forms []url.Values
}

// startProvider runs oidc-provider until the end of the test, and discovers it.
func startProvider(t *testing.T, options map[string]any) *provider {
	t.Helper()
	missing := t.Skipf
	if os.Getenv("TOOLBELT_REQUIRE_NODE") != "" {
		missing = t.Fatalf
	}
	dir, err := filepath.Abs(filepath.Join("testdata", "node"))
	if err != nil {
		t.Fatal(err)
	}
	node, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat(filepath.Join(dir, "node_modules", "oidc-provider"))
	}
	if err != nil {
		missing("NOT TESTED with oidc-provider: it needs Node and npm install --prefix internal/authe2e/testdata/node (%v)", err)
	}
	if options == nil {
		options = map[string]any{}
	}
	argument, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, "provider.mjs", string(argument))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "NODE_NO_WARNINGS=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close() // which ends it
		ended := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		defer ended.Stop()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(stderr.String())
		}
	})
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		t.Fatalf("oidc-provider did not start: %v\n%s", err, stderr.String())
	}
	var said struct{ Issuer string }
	if err := json.Unmarshal(line, &said); err != nil {
		t.Fatal(err)
	}
	p := &provider{issuer: said.Issuer}
	p.client = &http.Client{Transport: p, Timeout: 20 * time.Second}
	if p.authority, err = auth.Discover(t.Context(), p.issuer, auth.DiscoverOptions{}); err != nil {
		t.Fatal(err)
	}
	return p
}

// RoundTrip implements [http.RoundTripper].
func (p *provider) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return nil, err
		}
		raw, err := io.ReadAll(body)
		if err != nil {
			return nil, err
		}
		form, err := url.ParseQuery(string(raw))
		if err != nil {
			return nil, err
		}
		p.mu.Lock()
		p.forms = append(p.forms, form)
		p.mu.Unlock()
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true
	return transport.RoundTrip(r)
}

func (p *provider) requests() []url.Values {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]url.Values(nil), p.forms...)
}

// ask posts a form to an endpoint and decodes the answer, if it is JSON.
func (p *provider) ask(t *testing.T, endpoint string, form url.Values) (int, map[string]any) {
	t.Helper()
	resp, err := http.PostForm(endpoint, form)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var answer map[string]any
	_ = json.Unmarshal(raw, &answer) // an empty answer is fine
	return resp.StatusCode, answer
}

// person is somebody with a browser, who fills in every form she meets.
type person struct {
	t      *testing.T
	client *http.Client
	typed  map[string]string
	pages  []string // with a form, as she met them
}

func newPerson(t *testing.T) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &person{t: t, client: client, typed: map[string]string{"login": "alex", "password": "any"}}
}

var (
	formTag  = regexp.MustCompile(`(?s)<form[^>]*action="([^"]*)"[^>]*>(.*?)</form>`)
	inputTag = regexp.MustCompile(`<input[^>]*>`)
	attrTag  = regexp.MustCompile(`(\w+)="([^"]*)"`)
)

// walk goes to an address, follows redirects and submits forms until one leads
// to a host other than the provider's, or a page has no form. It returns that
// address or the page's text.
func (h *person) walk(address string) (*url.URL, string) {
	h.t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		h.t.Fatal(err)
	}
	home := at.Host
	next, page := h.visit(http.MethodGet, at, nil)
	for range 20 {
		if next != nil {
			if next.Host != home {
				return next, ""
			}
			at = next
			next, page = h.visit(http.MethodGet, at, nil)
			continue
		}
		form := formTag.FindStringSubmatch(page)
		if form == nil {
			return at, page
		}
		h.pages = append(h.pages, page)
		if at, err = at.Parse(html.UnescapeString(form[1])); err != nil {
			h.t.Fatal(err)
		}
		next, page = h.visit(http.MethodPost, at, h.fill(page, form[2]))
	}
	h.t.Fatal("the sign-in goes round in circles")
	return nil, ""
}

// visit makes one request, and returns where it redirects to or the page.
func (h *person) visit(method string, at *url.URL, form url.Values) (*url.URL, string) {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), method, at.String(), strings.NewReader(form.Encode()))
	if err != nil {
		h.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := h.client.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	next, _ := resp.Location() // nil if there is none
	return next, string(raw)
}

// fill reads the inputs of a form (the device pages keep them outside, by the
// attribute form).
func (h *person) fill(page, form string) url.Values {
	inputs := inputTag.FindAllString(form, -1)
	for _, input := range inputTag.FindAllString(page, -1) {
		if strings.Contains(input, `form="`) {
			inputs = append(inputs, input)
		}
	}
	values := url.Values{}
	for _, input := range inputs {
		attributes := map[string]string{}
		for _, pair := range attrTag.FindAllStringSubmatch(input, -1) {
			attributes[pair[1]] = html.UnescapeString(pair[2])
		}
		value := attributes["value"]
		if typed, ok := h.typed[attributes["name"]]; ok {
			value = typed
		}
		if attributes["name"] != "" && attributes["type"] != "submit" {
			values.Set(attributes["name"], value)
		}
	}
	return values
}

// desktop is a program that signs people in.
func (p *provider) desktop(t *testing.T, change func(*auth.PKCEConfig)) *auth.PKCE {
	t.Helper()
	config := auth.PKCEConfig{Authority: p.authority, ClientID: "desktop", Scopes: []string{"openid", "tickets:read"}, HTTPClient: p.client}
	if change != nil {
		change(&config)
	}
	login, err := auth.NewPKCE(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(login.Source().Close)
	return login
}

// signIn walks a person through a sign-in and returns the flow and the answer.
func (h *person) signIn(login *auth.PKCE) (*auth.Flow, url.Values) {
	h.t.Helper()
	flow, err := login.Begin("http://localhost:47115/")
	if err != nil {
		h.t.Fatal(err)
	}
	back, page := h.walk(flow.URL)
	if back.Host != "localhost:47115" {
		h.t.Fatalf("ended at %s: %s", back.Host, page)
	}
	return flow, back.Query()
}

func (h *person) token(login *auth.PKCE) *oauth2.Token {
	h.t.Helper()
	flow, answer := h.signIn(login)
	token, err := login.Complete(h.t.Context(), flow, answer)
	if err != nil {
		h.t.Fatal(err)
	}
	return token
}

func code(err error) string {
	var failure *auth.Error
	if ok := asError(err, &failure); ok {
		return failure.Code
	}
	return fmt.Sprint(err)
}
