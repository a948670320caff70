package auth_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"golang.org/x/oauth2"

	"github.com/msptoolbelt/toolbelt/auth"
)

// loginServer and apiServer stand for the services of the examples.
func loginServer() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/organizations/oauth2/v2.0/authorize" { // the user signs in
			q := r.URL.Query()
			http.Redirect(w, r, q.Get("redirect_uri")+"?code=1&state="+q.Get("state"), http.StatusFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"opaque","token_type":"Bearer","expires_in":3600,"refresh_token":"r"}`)
	}))
}

func apiServer() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "hello, "+r.Header.Get("Authorization"))
	}))
}

func get(client *http.Client, url string) {
	resp, err := client.Get(url)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(text))
}

func ExampleNewClientCredentials() {
	login, api := loginServer(), apiServer()
	defer login.Close()
	defer api.Close()

	authority, err := auth.Entra(auth.Cloud(login.URL), "contoso.example") // auth.CloudGlobal outside of examples
	if err != nil {
		log.Fatal(err)
	}
	source, err := auth.NewClientCredentials(auth.ClientCredentialsConfig{
		Authority:  authority,
		ClientID:   "00000000-0000-0000-0000-000000000000",
		ClientAuth: auth.WithSecret(auth.NewSecret("from the environment")),
		Scopes:     []string{"https://graph.microsoft.com/.default"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer source.Close()
	get(&http.Client{Transport: &auth.Transport{Source: source, Hosts: []string{api.URL}}}, api.URL)
	// Output: hello, Bearer opaque
}

func ExampleNewPKCE() {
	login, api := loginServer(), apiServer()
	defer login.Close()
	defer api.Close()

	authority, err := auth.Entra(auth.Cloud(login.URL), "organizations")
	if err != nil {
		log.Fatal(err)
	}
	signIn, err := auth.NewPKCE(auth.PKCEConfig{
		Authority: authority,
		ClientID:  "00000000-0000-0000-0000-000000000000",
		Scopes:    []string{"Mail.Read"},
		Open: func(page string) error { // a browser, outside of examples
			resp, err := http.Get(page)
			if err == nil {
				err = resp.Body.Close()
			}
			return err
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer signIn.Source().Close()
	client := &http.Client{Transport: &auth.Transport{Source: signIn.Source(), Hosts: []string{api.URL}}}

	_, err = client.Get(api.URL) //nolint:bodyclose // there is no answer
	fmt.Println(err != nil)
	if _, err := signIn.LoginLoopback(context.Background()); err != nil {
		log.Fatal(err)
	}
	get(client, api.URL)
	// Output:
	// true
	// hello, Bearer opaque
}

func ExamplePKCE_Begin() {
	login := loginServer()
	defer login.Close()
	authority, err := auth.Entra(auth.Cloud(login.URL), "organizations")
	if err != nil {
		log.Fatal(err)
	}
	signIn, err := auth.NewPKCE(auth.PKCEConfig{Authority: authority, ClientID: "portal"})
	if err != nil {
		log.Fatal(err)
	}
	defer signIn.Source().Close()

	// A web server keeps the flow in the user's session, sends the browser to
	// its URL …
	flow, err := signIn.Begin("https://portal.example/signed-in")
	if err != nil {
		log.Fatal(err)
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := browser.Get(flow.URL)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		log.Fatal(err)
	}

	// … and completes it with the query that comes back.
	token, err := signIn.Complete(context.Background(), flow, back.Query())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(token.Type())
	// Output: Bearer
}

func ExampleStatic() {
	api := apiServer()
	defer api.Close()
	get(&http.Client{Transport: &auth.Transport{Source: auth.Static("brought along"), Hosts: []string{api.URL}}}, api.URL)
	// Output: hello, Bearer brought along
}

func ExampleNewSource() {
	// Any credential that has a function becomes a cached source.
	source := auth.NewSource(func(context.Context, *oauth2.Token) (*oauth2.Token, error) {
		fmt.Println("fetching")
		return &oauth2.Token{AccessToken: "opaque", Expiry: time.Now().Add(time.Hour)}, nil
	}, auth.SourceOptions{})
	defer source.Close()
	for range 3 {
		token, err := source.TokenContext(context.Background())
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(token.AccessToken)
	}
	// Output:
	// fetching
	// opaque
	// opaque
	// opaque
}

func ExampleSecret() {
	secret := auth.NewSecret("hunter2")
	fmt.Printf("%v %+v %q\n", secret, struct{ Password auth.Secret }{secret}, secret)
	// Output: [REDACTED] {Password:[REDACTED]} [REDACTED]
}

func ExampleDecodeClaims() {
	claims, ok := auth.DecodeClaims(jwt(`{"tid":"contoso","upn":"ada@contoso.example","scp":"Mail.Read User.Read"}`))
	fmt.Println(ok, claims.TenantID, claims.Username, claims.Scopes, claims.AppOnly)
	// Output: true contoso ada@contoso.example [Mail.Read User.Read] false
}
