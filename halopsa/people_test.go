package halopsa_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// What is granted is not missing: a model would send people after it in vain.
func TestErrorsNameOnlyWhatIsMissing(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{Scopes: []string{"read:tickets"}})
	_, err := s.client.Tools().Call(t.Context(), "halo_tickets_assign", json.RawMessage(`{"ticket_id":2043,"agent":"me"}`))
	e, ok := errors.AsType[*mcptools.Error](err)
	if !ok || e.Code != mcptools.CodePermissionDenied || !slices.Equal(e.Scopes, []string{"edit:tickets"}) {
		t.Errorf("got %v, want edit:tickets to be missing", err)
	}

	s = start(t, halotest.Options{})
	s.server.Faults().Next(1, http.MethodPost, "/Tickets", halotest.Answer{Status: http.StatusForbidden})
	_, err = s.client.Tools().Call(t.Context(), "halo_tickets_assign", json.RawMessage(`{"ticket_id":2043,"agent":"me"}`))
	e, ok = errors.AsType[*mcptools.Error](err)
	if !ok || e.Code != mcptools.CodePermissionDenied || len(e.Scopes) != 0 || !strings.Contains(e.Hint, "role") {
		t.Errorf("got %v, want the agent's role to be the reason", err)
	}
}

func TestWhoAmITellsAgentInstanceAndScopes(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{Scopes: []string{"read:tickets", "read:customers"}})
	got, err := s.client.WhoAmI(t.Context(), halopsa.WhoAmIInput{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Agent.Name != "Sam Okafor" || got.Instance != s.server.URL() || got.Tenant != halotest.TenantName ||
		len(got.Scopes) != 2 || got.TimeZone != "Europe/Berlin" || len(got.Now) < len("Friday 2026-03-27T14:30Z") || got.Problem != "" {
		t.Errorf("%+v", got)
	}
}

func TestAgentsAndTeams(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	for name, c := range map[string]struct {
		in   halopsa.ListAgentsInput
		want []string
	}{
		"all":      {halopsa.ListAgentsInput{}, []string{"Sam Okafor", "Priya Nair", "Tom Lindqvist", "Elif Demir"}},
		"team":     {halopsa.ListAgentsInput{Team: "projects"}, []string{"Tom Lindqvist", "Elif Demir"}},
		"query":    {halopsa.ListAgentsInput{Query: "NAIR priya"}, []string{"Priya Nair"}},
		"disabled": {halopsa.ListAgentsInput{Query: "nora", IncludeDisabled: true}, []string{"Nora Jensen"}},
	} {
		page, err := s.client.ListAgents(t.Context(), c.in)
		shows(t, name, page, err, func(a halopsa.Agent) string { return a.Name }, c.want)
	}
	teams, err := s.client.ListTeams(t.Context(), halopsa.ListTeamsInput{Type: "projects", IncludeAgents: true})
	if err != nil || len(teams.Items) != 1 || teams.Items[0].Name != "Projects" || len(teams.Items[0].Agents) != 2 {
		t.Errorf("%+v, %v", teams, err)
	}
}

func TestUnpagedListsGoOnWithACursor(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	seen := map[int]bool{}
	in := halopsa.ListAgentsInput{Limit: 3}
	for range 2 {
		page, err := s.client.ListAgents(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page.Items {
			seen[a.ID] = true
		}
		if in.Cursor = page.Cursor; *page.Total != 4 {
			t.Errorf("total %d", *page.Total)
		}
	}
	if len(seen) != 4 || in.Cursor != "" {
		t.Errorf("saw %v, cursor %q", seen, in.Cursor)
	}
}
