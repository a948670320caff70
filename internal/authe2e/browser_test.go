package authe2e

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/auth/web"
)

// chromium is a browser with a profile of its own, which finds nothing but
// loopback.
type chromium struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	policies map[string]network.Headers // headers of documents, by URL without query
	complain []string                   // what the console says
}

func startChromium(t *testing.T) *chromium {
	t.Helper()
	missing := t.Skipf
	if os.Getenv("TOOLBELT_REQUIRE_CHROMIUM") != "" {
		missing = t.Fatalf
	}
	path, err := exec.LookPath("chromium")
	if err != nil {
		missing("NOT TESTED in a browser: chromium is not installed (%v)", err)
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("ignore-certificate-errors", true), // of the test's own server
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost"),
		chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(900, 600),
	}
	allocated, stop := chromedp.NewExecAllocator(t.Context(), options...)
	allocated, cancel := context.WithTimeout(allocated, 2*time.Minute)
	ctx, quit := chromedp.NewContext(allocated)
	b := &chromium{t: t, ctx: ctx, policies: map[string]network.Headers{}}
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits for the browser to end
		cancel()
		quit()
		stop()
	})
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, network.Enable, network.EnableParams{})
		return err
	}))
	if err := chromedp.Listen(ctx, b.listen); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *chromium) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch event := event.(type) {
	case *network.EventResponseReceived:
		if event.Type == network.ResourceTypeDocument {
			address, _, _ := strings.Cut(event.Response.URL, "?")
			b.policies[address] = event.Response.Headers
		}
	case *log.EventEntryAdded:
		if event.Entry.Level == log.EntryLevelInfo || event.Entry.Level == log.EntryLevelVerbose {
			return // such as what Clear-Site-Data has cleared
		}
		b.complain = append(b.complain, event.Entry.URL+": "+event.Entry.Text)
	case *runtime.EventExceptionThrown:
		b.complain = append(b.complain, event.ExceptionDetails.Text)
	}
}

func (b *chromium) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func read[T any](b *chromium, action chromedp.Action[T]) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, action)
	if err != nil {
		b.t.Fatal(err)
	}
	return value
}

// shoot keeps a picture of the page if TOOLBELT_SCREENSHOTS names a folder.
func (b *chromium) shoot(name string) {
	b.t.Helper()
	picture := read(b, chromedp.CaptureScreenshot())
	if dir := os.Getenv("TOOLBELT_SCREENSHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600); err != nil {
			b.t.Error(err)
		}
	}
}

// page checks our own page that the browser shows: its words, its policy, and
// that it has nothing of the request in it.
func (b *chromium) page(words string, absent ...string) {
	b.t.Helper()
	address, source, visible := read(b, chromedp.Location()), read(b, chromedp.OuterHTML(chromedp.CSS("html"))), read(b, chromedp.Text(chromedp.CSS("body")))
	if !strings.Contains(visible, words) {
		b.t.Errorf("%q is not on the page: %s", words, visible)
	}
	u, err := url.Parse(address)
	if err != nil {
		b.t.Fatal(err)
	}
	for name, values := range u.Query() {
		for _, value := range values {
			if len(value) > 3 && strings.Contains(source, value) {
				b.t.Errorf("the page reflects %s", name)
			}
		}
	}
	for _, text := range absent {
		if strings.Contains(source, text) {
			b.t.Errorf("%q is on the page", text)
		}
	}
	address, _, _ = strings.Cut(address, "?")
	b.mu.Lock()
	defer b.mu.Unlock()
	headers := b.policies[address]
	for name, part := range map[string]string{
		"Content-Security-Policy": "default-src 'none'", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
	} {
		if value := fmt.Sprint(headers[name]); !strings.Contains(value, part) {
			b.t.Errorf("%s: %q at %s", name, value, address)
		}
	}
	// The page that posts a form keeps its referrer at home, not away from itself:
	// with no-referrer its Origin would be null.
	if policy := headers["Referrer-Policy"]; policy != "no-referrer" && policy != "same-origin" {
		b.t.Errorf("Referrer-Policy: %v", policy)
	}
	for _, said := range b.complain {
		if strings.HasPrefix(said, address) && !strings.Contains(said, "favicon") && !strings.Contains(said, "status of 4") {
			b.t.Errorf("the console says: %s", said)
		}
	}
}

// signIn fills in the forms of oidc-provider.
func (b *chromium) signIn() {
	b.t.Helper()
	b.do(
		chromedp.WaitVisible(chromedp.CSS(`input[name=login]`)),
		chromedp.SendKeys(chromedp.CSS(`input[name=login]`), "alex"), chromedp.SendKeys(chromedp.CSS(`input[name=password]`), "any"),
		chromedp.Submit(chromedp.CSS(`form`)),
		chromedp.WaitVisible(chromedp.CSS(`input[value=consent] ~ button`)),
		chromedp.Click(chromedp.CSS(`input[value=consent] ~ button`)),
	)
}

// TestBrowserLoopback signs a person in to a desktop program, with a browser.
func TestBrowserLoopback(t *testing.T) {
	p := startProvider(t, nil)
	b := startChromium(t)
	opened := make(chan string, 1)
	login := p.desktop(t, func(c *auth.PKCEConfig) {
		c.Open = func(address string) error { opened <- address; return nil }
	})
	done := make(chan error, 1)
	go func() {
		_, err := login.LoginLoopback(t.Context())
		done <- err
	}()
	address := <-opened
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	back := u.Query().Get("redirect_uri")
	// A page of another site sends the browser there first, with all it has.
	b.do(chromedp.Navigate(back + "?state=guessed-state&code=guessed-code&error_description=" + url.QueryEscape(`<script>document.title="owned"</script>`)))
	b.page("Not your sign-in", "owned", "guessed")
	b.shoot("loopback-foreign")
	b.do(chromedp.Navigate(address))
	b.signIn()
	b.do(chromedp.WaitVisible(chromedp.CSS("main")))
	b.page("You can close this window")
	b.shoot("loopback-done")
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	history := read(b, chromedp.Location())
	if token, err := login.Source().Token(); err != nil || strings.Contains(history, token.AccessToken) {
		t.Error(err)
	}
}

// TestBrowserLoopbackRefused is the person who says no.
func TestBrowserLoopbackRefused(t *testing.T) {
	p := startProvider(t, nil)
	b := startChromium(t)
	done := make(chan error, 1)
	opened := make(chan string, 1)
	login := p.desktop(t, func(c *auth.PKCEConfig) {
		c.Open = func(address string) error { opened <- address; return nil }
	})
	go func() {
		_, err := login.LoginLoopback(t.Context())
		done <- err
	}()
	b.do(chromedp.Navigate(<-opened), chromedp.WaitVisible(chromedp.CSS(`a[href$=abort]`)), chromedp.Click(chromedp.CSS(`a[href$=abort]`)), chromedp.WaitVisible(chromedp.CSS("main")))
	b.page("Sign-in failed", "access_denied")
	b.shoot("loopback-failed")
	if err := <-done; code(err) != "access_denied" {
		t.Error(err)
	}
}

// TestBrowserWebSignIn signs a person in to a web server, and out again.
func TestBrowserWebSignIn(t *testing.T) {
	var handler http.Handler
	site := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	defer site.Close()
	p := startProvider(t, map[string]any{"site": site.URL + "/auth/callback"})
	b := startChromium(t)
	login := p.desktop(t, func(c *auth.PKCEConfig) {
		c.ClientID, c.ClientAuth = "site", auth.WithSecret(auth.NewSecret("site-secret"))
	})
	sessions, err := web.NewSessions(web.SessionOptions{KV: &auth.MemoryKV{}})
	if err != nil {
		t.Fatal(err)
	}
	pages, err := web.NewSignIn(web.SignInOptions{
		Flows: login, Redirect: site.URL + "/auth/callback", Sessions: sessions, User: web.IDToken(p.issuer, "site"),
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/auth/", pages.Handler())
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		if session, err := sessions.Get(r); err == nil {
			_, _ = fmt.Fprintln(w, "hello", session.User)
			return
		}
		_, _ = fmt.Fprintln(w, "hello stranger")
	})
	handler = web.Headers(web.HeaderOptions{})(mux)

	b.do(chromedp.Navigate(site.URL+"/auth/callback?code=guessed-code&state=guessed-state"), chromedp.WaitVisible(chromedp.CSS("main")))
	b.page("", "guessed")
	b.shoot("web-foreign")
	b.do(chromedp.Navigate(site.URL + "/auth/login"))
	b.signIn()
	b.do(chromedp.WaitVisible(chromedp.CSS("pre")))
	body := read(b, chromedp.Text(chromedp.CSS("body")))
	if !strings.Contains(body, "alex") {
		t.Errorf("signed in, and then: %s", body)
	}
	readable := read(b, chromedp.Evaluate[string](`document.cookie`))
	if readable != "" {
		t.Errorf("scripts can read %s", readable)
	}
	b.do(chromedp.Navigate(site.URL+"/auth/logout"), chromedp.WaitVisible(chromedp.CSS("form")))
	b.page("")
	b.shoot("web-logout")
	b.do(chromedp.Submit(chromedp.CSS("form")), chromedp.WaitVisible(chromedp.CSS(`a[href$=login]`)))
	b.page("Signed out")
	b.do(chromedp.Navigate(site.URL+"/"), chromedp.WaitVisible(chromedp.CSS("pre")))
	body = read(b, chromedp.Text(chromedp.CSS("body")))
	if !strings.Contains(body, "stranger") {
		t.Errorf("signed out, and then: %s", body)
	}
}
