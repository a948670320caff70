package auth_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/msptoolbelt/toolbelt/auth"
)

// The key goes to listed origins only, in its own header, and nowhere else.
func TestAPIKeyStaysAtHome(t *testing.T) {
	seen := map[string]http.Header{}
	transport := &auth.Transport{Source: auth.APIKey(auth.HaloKeyHeader, auth.NewSecret("c4n4ry")), Hosts: []string{"https://psa.example"},
		Base: roundTripper(func(r *http.Request) (*http.Response, error) {
			seen[r.URL.String()] = r.Header
			w := httptest.NewRecorder()
			w.WriteHeader(http.StatusUnauthorized) // there is no other key to try
			return w.Result(), nil
		})}
	for address, want := range map[string]string{
		"https://psa.example/api/Tickets": "c4n4ry", "https://PSA.example:443/": "c4n4ry",
		"https://psa.example.evil.example/": "", "http://psa.example/": "", "https://psa.example@evil.example/": "", "https://evil.example/psa.example": "",
	} {
		if status, err := send(t, transport, "GET", address, nil); err != nil || status != http.StatusUnauthorized {
			t.Errorf("%s: %d %v", address, status, err)
		}
		for url, header := range seen {
			if header.Get("Authorization") != "" || header.Get("X-Halo-Api-Key") != want {
				t.Errorf("%s: %v", url, header)
			}
		}
		clear(seen)
	}
	for _, source := range []auth.TokenSource{auth.APIKey(auth.HaloKeyHeader, auth.Secret{}), auth.APIKey("", auth.NewSecret("x"))} {
		transport := &auth.Transport{Source: source, Hosts: []string{"https://psa.example"}}
		if _, err := send(t, transport, "GET", "https://psa.example", nil); !needsUser(err) {
			t.Errorf("half a key: %v", err)
		}
	}
}

func ExampleAPIKey() {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Halo-Api-Key") != "from the environment" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer api.Close()
	key := auth.APIKey(auth.HaloKeyHeader, auth.NewSecret("from the environment"))
	resp, err := (&http.Client{Transport: &auth.Transport{Source: key, Hosts: []string{api.URL}}}).Get(api.URL)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	fmt.Println(resp.StatusCode)
	// Output: 200
}
