package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/graph/graphtest"
)

// canned is an upstream that costs next to nothing: it replies the bytes with
// which the fake answers a search for ten messages.
type canned struct {
	url, token string
}

func newCanned(t testing.TB) canned {
	t.Helper()
	fake := graphtest.New(graphtest.Options{})
	defer fake.Close()
	token := fake.Token()
	messages := record(t, fake.URL()+"/me/messages?$top=10&$select=id,receivedDateTime,from,subject,bodyPreview,isRead,flag,hasAttachments,importance,isDraft", token)
	settings := record(t, fake.URL()+"/me/mailboxSettings?$select=timeZone", token)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := messages
		if strings.HasSuffix(r.URL.Path, "/mailboxSettings") {
			answer = settings
		}
		// As links must lead back to where the request went.
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		_, _ = w.Write(answer) // the client has gone, or not
	}))
	t.Cleanup(web.Close)
	from, to := strings.TrimSuffix(fake.URL(), "/v1.0"), web.URL
	messages = []byte(strings.ReplaceAll(string(messages), from, to))
	return canned{url: to + "/v1.0", token: token}
}

func record(t testing.TB, address, token string) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.ReplaceAll(address, " ", "%20"), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%d %v %s", response.StatusCode, err, body)
	}
	return body
}

// environment is that of a server which uses the upstream as Microsoft Graph,
// and has a HaloPSA that it never calls.
func (c canned) environment(t testing.TB) []string {
	return serverEnvironment(t, "M365_ACCESS_TOKEN="+c.token, "M365_GRAPH_URL="+c.url,
		"HALO_URL=https://psa.example", "HALO_CLIENT_ID=id", "HALO_CLIENT_SECRET=secret")
}
