package auth_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"github.com/msptoolbelt/toolbelt/auth"
)

// issuer is an authorization server that publishes its metadata.
func issuer() *httptest.Server {
	mux := http.NewServeMux()
	s := httptest.NewServer(mux)
	answer := func(path, body string) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, body)
		})
	}
	answer("/.well-known/oauth-authorization-server", fmt.Sprintf(`{"issuer":%[1]q,"token_endpoint":"%[1]s/token","device_authorization_endpoint":"%[1]s/device"}`, s.URL))
	answer("/device", fmt.Sprintf(`{"device_code":"d","user_code":"WDJB-MJHT","verification_uri":"%s/enter","interval":1}`, s.URL))
	answer("/token", `{"access_token":"opaque","token_type":"Bearer","expires_in":3600,"refresh_token":"r"}`)
	return s
}

func ExampleDiscover() {
	server := issuer()
	defer server.Close()
	authority, err := auth.Discover(context.Background(), server.URL, auth.DiscoverOptions{})
	fmt.Println(authority.TokenURL == server.URL+"/token", err)
	// Output: true <nil>
}

func ExampleNewDeviceCode() {
	server := issuer()
	defer server.Close()
	authority, err := auth.Discover(context.Background(), server.URL, auth.DiscoverOptions{})
	if err != nil {
		log.Fatal(err)
	}
	login, err := auth.NewDeviceCode(auth.DeviceCodeConfig{
		Authority: authority, ClientID: "tool",
		Prompt: func(_ context.Context, prompt auth.DevicePrompt) error {
			fmt.Println("Open the page and enter", prompt.UserCode)
			return nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer login.Source().Close()
	token, err := login.Login(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(token.AccessToken)
	// Output:
	// Open the page and enter WDJB-MJHT
	// opaque
}

func ExampleNewManagedIdentity() {
	metadata := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"access_token":"for %s","expires_in":"3600"}`, r.URL.Query().Get("resource"))
	}))
	defer metadata.Close()
	source, err := auth.NewManagedIdentity(auth.ManagedIdentityConfig{
		Scope:       "https://graph.microsoft.com/.default",
		MetadataURL: metadata.URL, // leave it out in Azure
	})
	if err != nil {
		log.Fatal(err)
	}
	defer source.Close()
	token, err := source.TokenContext(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(token.AccessToken)
	// Output: for https://graph.microsoft.com
}

func ExampleNewOnBehalfOf() {
	login := loginServer()
	defer login.Close()
	authority, err := auth.Entra(auth.Cloud(login.URL), "contoso.example") // auth.CloudGlobal outside of examples
	if err != nil {
		log.Fatal(err)
	}
	type userToken struct{}
	source, err := auth.NewOnBehalfOf(auth.OnBehalfOfConfig{
		Authority: authority, ClientID: "00000000-0000-0000-0000-000000000000",
		ClientAuth: auth.WithSecret(auth.NewSecret("from the environment")),
		Scopes:     []string{"https://graph.microsoft.com/Mail.Read"},
		Assertion: func(ctx context.Context) (auth.Secret, error) { // the verified token of the call
			token, ok := ctx.Value(userToken{}).(auth.Secret)
			if !ok {
				return token, errors.New("no user")
			}
			return token, nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer source.Close()
	_, err = source.TokenContext(context.Background())
	fmt.Println(err)
	token, err := source.TokenContext(context.WithValue(context.Background(), userToken{}, auth.NewSecret("Ada's")))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(token.AccessToken)
	// Output:
	// auth: no token: no user
	// opaque
}

func ExampleFromCredential() {
	getToken := func(context.Context) (string, time.Time, error) {
		return "from another library", time.Now().Add(time.Hour), nil
	}
	source := auth.FromCredential(func(ctx context.Context, _ string) (string, time.Time, error) { return getToken(ctx) }, auth.SourceOptions{})
	defer source.Close()
	token, err := source.TokenContext(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(token.AccessToken)
	// Output: from another library
}

func ExampleWithSecretFile() {
	directory, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(directory)
	path := filepath.Join(directory, "client-secret")
	if err := os.WriteFile(path, []byte("first\n"), 0o600); err != nil {
		log.Fatal(err)
	}
	login := loginServer()
	defer login.Close()
	source, err := auth.NewClientCredentials(auth.ClientCredentialsConfig{
		Authority:  auth.Authority{TokenURL: login.URL + "/token"},
		ClientID:   "tool",
		ClientAuth: auth.WithSecretFile(path), // read at each token request: whoever rotates it only writes the file
	})
	if err != nil {
		log.Fatal(err)
	}
	defer source.Close()
	token, err := source.TokenContext(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(token.AccessToken)
	// Output: opaque
}
