package halotest_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
)

// Halo's azureoid leads to the same person in the fake of Microsoft Graph.
func TestContactsAgreeWithGraph(t *testing.T) {
	graph := graphtest.New(graphtest.Options{})
	t.Cleanup(graph.Close)
	halo := start(t, halotest.Options{})
	for id, want := range map[int]struct{ email, entraID string }{
		halotest.UserAnna:  {halotest.AnnaBergEmail, halotest.AnnaBergEntraID},
		halotest.UserJonas: {halotest.JonasWeberEmail, halotest.JonasWeberEntraID},
	} {
		contact, _ := halo.User(id)
		if contact.String("emailaddress") != want.email || contact.String("azureoid") != want.entraID {
			t.Errorf("Halo's contact %d: %v, %v", id, contact["emailaddress"], contact["azureoid"])
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, graph.URL()+"/users/"+want.entraID, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+graph.Token())
		status, text := do(t, request)
		var person struct{ Mail string }
		if err := json.Unmarshal([]byte(text), &person); err != nil || status != http.StatusOK || person.Mail != want.email {
			t.Errorf("Graph's %s: %d %.200s", want.entraID, status, text)
		}
	}
}
