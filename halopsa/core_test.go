package halopsa_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/mcptools"

	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
)

func TestGlobalSearchShowsEveryKind(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	got, err := s.client.GlobalSearch(t.Context(), halopsa.GlobalSearchInput{Query: "printer", PerEntity: 2})
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, hit := range got.Items {
		kinds[hit.Kind]++
		if hit.ID == 0 || hit.Name == "" {
			t.Errorf("%+v", hit)
		}
	}
	if kinds["ticket"] == 0 || kinds["kb_article"] == 0 || kinds["ticket"] > 2 {
		t.Errorf("%v", kinds)
	}
	if _, err := s.client.GlobalSearch(t.Context(), halopsa.GlobalSearchInput{Query: " "}); err == nil {
		t.Error("looked for nothing")
	}
}

// playing answers each path with a fixed body, for answers that the fake does
// not give.
func playing(t *testing.T, bodies map[string]string) *halopsa.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := bodies[strings.TrimPrefix(r.URL.Path, "/api")]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
		}
		if _, err := w.Write([]byte(body)); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	client, err := halopsa.New(auth.Static("opaque"), halopsa.Options{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestGlobalSearchShowsKindsItDoesNotKnow(t *testing.T) {
	t.Parallel()
	client := playing(t, map[string]string{"/Search": `{"columns":["id","name"],"took":7,"contracts":[{"id":4.0,"name":"Full care","client_name":"Alster Dental"},{"id":"x"},"?"],
		"tickets":[{"id":"2041","summary":"Printer","user_name":"Anna Berg"}],"users":null}`})
	got, err := client.GlobalSearch(t.Context(), halopsa.GlobalSearchInput{Query: "x"})
	want := []halopsa.SearchHit{{Kind: "ticket", ID: 2041, Name: "Printer", Detail: "Anna Berg"}, {Kind: "contracts", ID: 4, Name: "Full care", Detail: "Alster Dental"}}
	if err != nil || !slices.Equal(got.Items, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestWhoAmIDoesWithoutTenantAndScopes(t *testing.T) {
	t.Parallel()
	client := playing(t, map[string]string{"/Agent/me": `{"id":2,"name":"Sam Okafor","team":"1st Line"}`})
	got, err := client.WhoAmI(t.Context(), halopsa.WhoAmIInput{})
	if err != nil || got.Agent.Name != "Sam Okafor" || !slices.Equal(got.Agent.Teams, []string{"1st Line"}) || got.Scopes != nil ||
		!strings.HasPrefix(got.Problem, "the tenant is not known: "+string(mcptools.CodeNotFound)) {
		t.Errorf("%+v, %v", got, err)
	}
}
