package auth_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/auth/authtest"
)

// witness writes down everything that a careless program could print, and
// everything that it must not.
type witness struct {
	out     bytes.Buffer
	secrets map[string]string // value to what it is
}

func (w *witness) see(things ...any) {
	text, doc := slog.New(slog.NewTextHandler(&w.out, nil)), slog.New(slog.NewJSONHandler(&w.out, nil))
	for _, thing := range things {
		if thing == nil {
			continue
		}
		fmt.Fprintf(&w.out, "%v %+v %#v %s %q\n", thing, thing, thing, thing, thing)
		text.Info("seen", "thing", thing)
		doc.Info("seen", "thing", thing)
		if err, ok := thing.(error); ok {
			for ; err != nil; err = errors.Unwrap(err) {
				fmt.Fprintf(&w.out, "%v %+v %#v\n", err, err, err)
			}
		}
	}
}

func (w *witness) keep(name, value string) {
	if len(value) >= 8 {
		w.secrets[value] = name
	}
}

// keepForms keeps what was sent in confidence.
func (w *witness) keepForms(s *authtest.Server) {
	for _, form := range s.Requests() {
		for _, name := range []string{"client_secret", "client_assertion", "code", "code_verifier", "refresh_token", "device_code", "assertion"} {
			w.keep(name, form.Get(name))
		}
	}
	for _, token := range s.Received() {
		w.keep("access_token", token)
	}
}

func (w *witness) testify(t *testing.T) {
	t.Helper()
	if len(w.secrets) < 3 || w.out.Len() == 0 {
		t.Fatalf("saw %d secrets and %d bytes", len(w.secrets), w.out.Len())
	}
	for value, name := range w.secrets {
		for _, form := range []string{value, url.QueryEscape(value)} {
			if at := strings.Index(w.out.String(), form); at >= 0 {
				t.Errorf("%s was printed: …%s", name, w.out.String()[max(0, at-300):at+len(form)])
			}
		}
	}
}

const opaque = "c4n4ryXq7Tz0Lw9Rb2Nf5Hj8Kd1Mv4Ps6Gy3Ue"

// TestCanaries signs in by every grant, well and badly, prints every error and
// every object there is, and looks for any secret, code or token among it.
func TestCanaries(t *testing.T) {
	for name, dialect := range map[string]authtest.Dialect{"generic": authtest.Generic, "entra": authtest.Entra, "halo": authtest.Halo} {
		t.Run(name, func(t *testing.T) {
			s := authtest.NewServer(authtest.Options{Dialect: dialect})
			t.Cleanup(s.Close)
			w := &witness{secrets: map[string]string{authtest.ClientSecret: "client_secret"}}
			for _, hostile := range []authtest.Hostile{
				nil, authtest.EchoHTML, authtest.EchoJSON, authtest.Truncated("c4n4ry-token-in-an-answer"), authtest.RedirectTo(307, "http://127.0.0.1:9/?code=c4n4ry-in-a-location"),
				authtest.Document("text/html", "c4n4ry-token-in-an-answer"), authtest.Document("application/json", `{"error":"`+opaque+`","error_description":"Bearer `+opaque+`"}`),
			} {
				w.keep("token in an answer", "c4n4ry-token-in-an-answer")
				w.keep("token in an error", opaque)
				w.keep("location", "c4n4ry-in-a-location")
				w.application(t, s, hostile)
				w.person(t, s, hostile)
			}
			w.keepForms(s)
			w.testify(t)
		})
	}
}

func attack(s *authtest.Server, hostile authtest.Hostile) {
	if hostile != nil {
		s.Attack(hostile)
	}
}

func (w *witness) application(t *testing.T, s *authtest.Server, hostile authtest.Hostile) {
	t.Helper()
	config := auth.ClientCredentialsConfig{
		Authority: s.Authority(), ClientID: authtest.ClientID, ClientAuth: auth.WithSecret(auth.NewSecret(authtest.ClientSecret)), Scopes: []string{"api://x/.default"},
	}
	source, err := auth.NewClientCredentials(config)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	attack(s, hostile)
	token, err := source.TokenContext(t.Context())
	transport := &auth.Transport{Source: source, Hosts: []string{s.URL()}}
	resp, apiErr := (&http.Client{Transport: transport}).Get(s.APIURL() + "?sig=c4n4ry-of-a-query")
	if apiErr == nil {
		_ = resp.Body.Close()
	}
	if own, ok := errors.AsType[*url.Error](apiErr); ok {
		apiErr = own.Err // net/http's own text has the query: Redactor is for that
	}
	w.see(config, &config, source, transport, err, apiErr, auth.APIKey(auth.HaloKeyHeader, auth.NewSecret("c4n4ry-api-key")))
	w.keep("API key", "c4n4ry-api-key")
	if token != nil {
		w.keep("access_token", token.AccessToken)
	}
}

func (w *witness) person(t *testing.T, s *authtest.Server, hostile authtest.Hostile) {
	t.Helper()
	config := auth.PKCEConfig{Authority: s.Authority(), ClientID: authtest.PublicClientID, Scopes: []string{"openid"}}
	login, err := auth.NewPKCE(config)
	if err != nil {
		t.Fatal(err)
	}
	defer login.Source().Close()
	flow, err := login.Begin("http://localhost/")
	if err != nil {
		t.Fatal(err)
	}
	answer := authorized(t, flow.URL)
	_, foreign := login.Complete(t.Context(), flow, url.Values{"code": {answer.Get("code")}, "state": {"another"}})
	attack(s, hostile)
	token, err := login.Complete(t.Context(), flow, answer)
	_, again := login.Complete(t.Context(), flow, answer)
	w.see(config, login, login.Source(), flow, foreign, err, again)
	if token == nil {
		return
	}
	w.keep("access_token", token.AccessToken)
	w.keep("refresh_token", token.RefreshToken)
	login.Source().Invalidate(token)
	attack(s, authtest.EchoJSON)
	_, err = login.Source().Token()
	w.see(login, login.Source(), err)
}

// TestCanariesInPanics: what a function of the embedder panics with stays in it.
func TestCanariesInPanics(t *testing.T) {
	source := auth.NewSource(func(context.Context, *oauth2.Token) (*oauth2.Token, error) { panic("c4n4ry-in-a-panic") }, auth.SourceOptions{})
	defer source.Close()
	_, err := source.Token()
	w := &witness{}
	w.see(source, err)
	if err == nil || strings.Contains(w.out.String(), "c4n4ry") {
		t.Errorf("%v\n%s", err, w.out.String())
	}
}

// TestCanariesInSuite runs this package's other tests in a process of their
// own and looks for the secrets they use in all that they print.
func TestCanariesInSuite(t *testing.T) {
	if os.Getenv("TOOLBELT_SUITE") != "" || testing.Short() {
		t.Skip("for the outer process only, and for long runs")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	// Those that start processes, or take their time, print nothing of interest.
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.v", "-test.skip=TestCanariesInSuite|TestRedactorFuzzed|TestKilled|TestTwoProcesses|TestChild|TestNobody|TestRenewal|TestDevice")
	cmd.Env = append(os.Environ(), "TOOLBELT_SUITE=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		failed := regexp.MustCompile(`(?m)^ *--- FAIL.*|^ *[a-z_]+_test\.go:\d+:.*|^panic:.*`).FindAll(out, 40)
		t.Errorf("the suite does not pass on its own: %v\n%s", err, bytes.Join(failed, []byte("\n")))
	}
	if !bytes.Contains(out, []byte("--- PASS: TestTokenRequestFollowsNoRedirect")) {
		t.Fatalf("the suite did not run: %.300s", out)
	}
	for _, canary := range []string{clientSecret, url.QueryEscape(clientSecret), canaryToken, "c4n4ry", authtest.ClientSecret, prizedToken, prizedSecret} {
		if at := bytes.Index(out, []byte(canary)); at >= 0 {
			t.Errorf("%s is in the output: …%s", canary, out[max(0, at-200):at])
		}
	}
}
