package auth_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/internal/dial"
)

// hostileURLs look like https://graph.example, or lead away from it, one way
// or another.
var hostileURLs = []string{
	"https://evil.example/", "https://graph.example.evil.example/", "https://evil.example/graph.example", "https://evilgraph.example/",
	"https://graph.example@evil.example/", "https://graph.example:x@evil.example/", "https://graph.example%40evil.example/", "https://evil.example#@graph.example/",
	"https://evil.example?@graph.example/", "https://evil.example\\@graph.example/", "https://graph.example\\.evil.example/", "https://graph.example%2eevil.example/",
	"https://graph.example%00.evil.example/", "https://graph.example%0d%0a.evil.example/", "https://graph.example./", "https://graph.example.:443/",
	"https://graph.example:8443/", "https://graph.example:444/", "https://graph.example:0443/", "https://graph.example:/x@evil.example/",
	"http://graph.example/", "http://graph.example:443/", "HTTP://GRAPH.EXAMPLE/", "//evil.example/", "///evil.example/", "https:evil.example/", "https:/evil.example/",
	"https://[::ffff:203.0.113.7]/", "https://[2001:db8::1]/", "https://203.0.113.7/", "https://0xcb007107/", "https://3405803783/", "https://0313.0.0161.7/",
	"https://grаph.example/", "https://xn--grph-5nf.example/", "https://graph。example/", "https://graph.example/", "https://graph%E3%80%82example/",
	"http://localhost.evil.example/", "https://graph.example\t.evil.example/", "https://sub.graph.example/", "https://example/", "wss://graph.example/", "ftp://graph.example/",
}

// internet dials graph.example:443, login.example:443 and whatever else there
// is, as net/http would; everything else is the enemy's, and kept.
type internet struct {
	*http.Transport
	mu      sync.Mutex
	dumps   []string // requests that reached the enemy, whole
	good    []string // those that reached graph.example
	login   http.HandlerFunc
	api     http.HandlerFunc
	servers sync.WaitGroup
}

func newInternet(t *testing.T) *internet {
	t.Helper()
	n := &internet{}
	connect := func(secure bool) func(context.Context, string, string) (net.Conn, error) {
		return func(_ context.Context, _, address string) (net.Conn, error) {
			address = strings.ToLower(address)
			ours, theirs := net.Pipe()
			handler := http.HandlerFunc(n.enemy)
			switch {
			case secure && address == "graph.example:443":
				handler = n.graph
			case secure && address == "login.example:443":
				handler = func(w http.ResponseWriter, r *http.Request) { n.login(w, r) }
			}
			server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
			n.servers.Go(func() { _ = server.Serve(&once{conn: theirs}) }) // ends with the connection
			return ours, nil
		}
	}
	n.Transport = &http.Transport{DialContext: connect(false), DialTLSContext: connect(true), DisableKeepAlives: true, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
	t.Cleanup(n.servers.Wait)
	return n
}

// once is a listener with one connection.
type once struct {
	conn net.Conn
	sent bool
}

func (o *once) Accept() (net.Conn, error) {
	if o.sent {
		return nil, io.EOF
	}
	o.sent = true
	return o.conn, nil
}
func (o *once) Close() error   { return nil }
func (o *once) Addr() net.Addr { return o.conn.LocalAddr() }

func (n *internet) enemy(w http.ResponseWriter, r *http.Request) {
	dump, err := httputil.DumpRequest(r, true)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dumps = append(n.dumps, fmt.Sprintf("%s %v", dump, err))
	_, _ = io.WriteString(w, `{"access_token":"evil","token_type":"Bearer","expires_in":3600}`)
}

func (n *internet) graph(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	n.good = append(n.good, r.Header.Get("Authorization")+r.Header.Get(auth.HaloKeyHeader))
	n.mu.Unlock()
	if n.api != nil {
		n.api(w, r)
	}
}

// check fails if a confidential value has reached the enemy.
func (n *internet) check(t *testing.T, what string) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, dump := range n.dumps {
		if strings.Contains(strings.ToLower(dump), "c4n4ry") || strings.Contains(dump, "Bearer") || strings.Contains(dump, "YzRuNHJ5") {
			t.Errorf("%s: the enemy has\n%s", what, dump)
		}
	}
	n.dumps = nil
}

const (
	prizedToken  = "c4n4ry-access-token"
	prizedSecret = "c4n4ry-client-secret"
)

// TestHostileURLs: whatever address a response or a configuration comes up
// with, no byte of a token or secret leaves for another origin.
func TestHostileURLs(t *testing.T) {
	if len(hostileURLs) < 40 {
		t.Fatalf("%d URLs", len(hostileURLs))
	}
	n := newInternet(t)
	credentials := map[string]auth.TokenSource{
		"bearer": auth.Static(prizedToken), "key": auth.APIKey(auth.HaloKeyHeader, auth.NewSecret(prizedToken)),
	}
	for name, source := range credentials {
		client := &http.Client{Transport: &auth.Transport{Base: n.Transport, Source: source, Hosts: []string{"https://graph.example"}}}
		for _, raw := range hostileURLs {
			u, err := url.Parse(raw)
			if err != nil {
				continue // no request can be made of it
			}
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				r := (&http.Request{Method: method, URL: u, Header: http.Header{}}).WithContext(t.Context())
				closeAnswer(client.Do(r))
				r = (&http.Request{Method: method, URL: u, Host: "graph.example", Header: http.Header{}}).WithContext(t.Context())
				closeAnswer(client.Do(r))
				r = (&http.Request{Method: method, URL: &url.URL{Scheme: "https", Host: "graph.example"}, Host: u.Host, Header: http.Header{}}).WithContext(t.Context())
				closeAnswer(client.Do(r))
			}
			n.check(t, name+" at "+raw)
		}
		n.mu.Lock()
		n.good = nil
		n.mu.Unlock()
		closeAnswer(client.Get("https://graph.example/v1.0/me"))
		closeAnswer(client.Get("https://GRAPH.example:443/v1.0/me"))
		if len(n.good) != 2 || !strings.Contains(n.good[0], prizedToken) || !strings.Contains(n.good[1], prizedToken) {
			t.Errorf("%s: the right host saw %q", name, n.good)
		}
	}
}

// TestHostileRedirects: an API that redirects takes no token with it.
func TestHostileRedirects(t *testing.T) {
	n := newInternet(t)
	client := &http.Client{Transport: &auth.Transport{Base: n.Transport, Source: auth.Static(prizedToken), Hosts: []string{"https://graph.example"}}}
	for _, raw := range hostileURLs {
		for _, status := range []int{301, 302, 303, 307, 308} {
			n.api = func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/start" {
					w.Header().Set("Location", raw)
					w.WriteHeader(status)
				}
			}
			closeAnswer(client.Post("https://graph.example/start", "text/plain", strings.NewReader("body")))
			n.check(t, fmt.Sprint(status, " to ", raw))
		}
	}
}

// TestHostileTokenEndpoints: no grant follows a redirect with its form, and
// nobody takes the token that waits there.
func TestHostileTokenEndpoints(t *testing.T) {
	n := newInternet(t)
	authority := auth.Authority{AuthURL: "https://login.example/authorize", TokenURL: "https://login.example/token", DeviceURL: "https://login.example/device"}
	var location string
	var status, asked int
	n.login = func(w http.ResponseWriter, r *http.Request) {
		asked++
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Location", location)
		w.WriteHeader(status)
	}
	client := &http.Client{Transport: n.Transport}
	for _, raw := range hostileURLs {
		location = raw
		for _, status = range []int{302, 307, 308} {
			for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleInParams, oauth2.AuthStyleInHeader} {
				authority.Style = style
				source, err := auth.NewClientCredentials(auth.ClientCredentialsConfig{
					Authority: authority, ClientID: "app", ClientAuth: auth.WithSecret(auth.NewSecret(prizedSecret)), HTTPClient: client,
				})
				refused(t, source, err)
			}
			login, err := auth.NewPKCE(auth.PKCEConfig{
				Authority: authority, ClientID: "app", HTTPClient: client, Source: auth.SourceOptions{Initial: &oauth2.Token{RefreshToken: "c4n4ry-refresh-token"}},
			})
			if err != nil {
				t.Fatal(err)
			}
			flow, err := login.Begin("https://app.example/callback")
			if err != nil {
				t.Fatal(err)
			}
			page, err := url.Parse(flow.URL)
			if err != nil {
				t.Fatal(err)
			}
			_, err = login.Complete(t.Context(), flow, url.Values{"code": {"c4n4ry-code"}, "state": {page.Query().Get("state")}})
			refusal(t, err)
			refused(t, login.Source(), nil)
			o, err := auth.NewOnBehalfOf(auth.OnBehalfOfConfig{
				Authority: authority, ClientID: "app", ClientAuth: auth.WithSecret(auth.NewSecret(prizedSecret)), HTTPClient: client,
				Assertion: func(context.Context) (auth.Secret, error) { return auth.NewSecret("c4n4ry-assertion"), nil },
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = o.TokenContext(t.Context())
			refusal(t, err)
			o.Close()
			n.check(t, fmt.Sprint(status, " to ", raw))
		}
	}
	if asked < len(hostileURLs)*3*5 {
		t.Errorf("only %d token requests", asked)
	}
}

func refused(t *testing.T, source *auth.Source, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	token, err := source.TokenContext(t.Context())
	if token != nil {
		t.Error("the enemy's token was taken")
	}
	refusal(t, err)
}

// refusal fails if err is none, or says what it must not.
func refusal(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Error("the enemy's token was taken")
	} else if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, "c4n4ry") {
		t.Error(text)
	}
}

// TestMetadataServiceIsNotAsked: no address of a configuration, nor a name that
// leads there, brings this package's own client to the metadata service of a
// cloud. What is dialled is checked by internal/dial.
func TestMetadataServiceIsNotAsked(t *testing.T) {
	const address = "https://169.254.169.254/latest/meta-data"
	source, err := auth.NewClientCredentials(auth.ClientCredentialsConfig{
		Authority: auth.Authority{TokenURL: address}, ClientID: "app", ClientAuth: auth.WithSecret(auth.NewSecret(prizedSecret)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	if _, err = source.TokenContext(t.Context()); !errors.Is(err, dial.ErrRefused) {
		t.Errorf("token: %v", err)
	}
	if _, err = auth.Discover(t.Context(), address, auth.DiscoverOptions{}); !errors.Is(err, dial.ErrRefused) {
		t.Errorf("discovery: %v", err)
	}
}

// TestHostileMetadata: discovery believes no endpoint of another origin, and
// makes no request there.
func TestHostileMetadata(t *testing.T) {
	n := newInternet(t)
	client := &http.Client{Transport: n.Transport}
	for _, raw := range hostileURLs {
		for _, field := range []string{"token_endpoint", "authorization_endpoint", "jwks_uri", "revocation_endpoint", "device_authorization_endpoint", "issuer", "redirect"} {
			document := map[string]any{
				"issuer": "https://login.example", "token_endpoint": "https://login.example/token", "authorization_endpoint": "https://login.example/authorize",
				"code_challenge_methods_supported": []string{"S256"},
			}
			document[field] = raw
			n.login = func(w http.ResponseWriter, _ *http.Request) {
				if field == "redirect" {
					w.Header().Set("Location", raw)
					w.WriteHeader(http.StatusFound)
					return
				}
				w.Header().Set("Content-Type", "application/json")
				_ = json.NewEncoder(w).Encode(document)
			}
			authority, err := auth.Discover(t.Context(), "https://login.example", auth.DiscoverOptions{HTTPClient: client})
			if err == nil {
				t.Errorf("%s %q was believed: %+v", field, raw, authority)
			}
			if len(n.dumps) > 0 {
				t.Errorf("%s %q: the enemy was asked: %s", field, raw, n.dumps)
				n.dumps = nil
			}
		}
		if _, err := auth.Discover(t.Context(), raw+"\x00", auth.DiscoverOptions{HTTPClient: client}); err == nil {
			t.Errorf("issuer %q was asked", raw)
		}
	}
}

func closeAnswer(resp *http.Response, err error) {
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		err = errors.Join(err, resp.Body.Close())
	}
	_ = err // what comes back from the enemy does not matter
}
