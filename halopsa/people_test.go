package halopsa_test

import (
	"testing"

	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
)

func TestWhoAmITellsAgentInstanceAndScopes(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{Scopes: []string{"read:tickets", "read:customers"}})
	got, err := s.client.WhoAmI(t.Context(), halopsa.WhoAmIInput{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Agent.Name != "Sam Okafor" || got.Instance != s.server.URL() || got.Tenant != halotest.TenantName ||
		len(got.Scopes) != 2 || got.TimeZone != "Europe/Berlin" || got.Problem != "" {
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
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var names []string
		for _, a := range page.Items {
			names = append(names, a.Name)
		}
		if len(names) != len(c.want) {
			t.Errorf("%s: %v, want %v", name, names, c.want)
			continue
		}
		for i := range names {
			if names[i] != c.want[i] {
				t.Errorf("%s: %v, want %v", name, names, c.want)
			}
		}
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
