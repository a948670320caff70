package halopsa_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

func names[T any](rows []T, name func(T) string) []string {
	list := make([]string, 0, len(rows))
	for _, r := range rows {
		list = append(list, name(r))
	}
	return list
}

func TestClientsAreFoundWhateverTheBuildSearches(t *testing.T) {
	t.Parallel()
	for name, instance := range map[string]halotest.Options{
		"search works":      {},
		"search is ignored": {IgnoreClientSearch: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, instance)
			page, err := s.client.SearchClients(t.Context(), halopsa.SearchClientsInput{Query: "elbe", Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			next, err := s.client.SearchClients(t.Context(), halopsa.SearchClientsInput{Query: "elbe", Limit: 1, Cursor: page.Cursor})
			if err != nil {
				t.Fatal(err)
			}
			got := names(append(page.Items, next.Items...), func(r halopsa.ClientRow) string { return r.Name })
			slices.Sort(got)
			if !slices.Equal(got, []string{"Elbe Architekten", "Elbe Ingenieure"}) || *page.Total != 2 || next.Cursor != "" {
				t.Errorf("%v, total %d, cursor %q", got, *page.Total, next.Cursor)
			}
		})
	}
}

func TestAnInstanceThatCannotSearchClientsSaysSo(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{IgnoreClientSearch: true, AdvancedSearch: map[string][]string{"/Client": {"id"}}})
	_, err := s.client.SearchClients(t.Context(), halopsa.SearchClientsInput{Query: "elbe"})
	if !errors.Is(err, mcptools.CodeNotSupported) {
		t.Errorf("got %v", err)
	}
}

func TestFormerClientsOnlyOnRequest(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	for include, want := range map[bool]int{false: 0, true: 1} {
		page, err := s.client.SearchClients(t.Context(), halopsa.SearchClientsInput{Query: "veddel", IncludeInactive: include, TopLevel: "nordlicht it customers"})
		if err != nil || len(page.Items) != want {
			t.Errorf("include %v: %+v, %v", include, page, err)
		}
	}
}

func TestOneClientByNameOrID(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	for _, id := range []string{"12", "Hafen Logistik GmbH", "hafen"} {
		got, err := s.client.GetClient(t.Context(), halopsa.GetClientInput{ID: id, Include: []string{"prepay"}})
		if err != nil {
			t.Fatal(err)
		}
		if got.ID != halotest.ClientHafen || got.CustomFields["Service level"] != "Standard" || got.Prepay == nil || got.Prepay.Balance != 27.5 ||
			got.OpenTickets == nil || *got.OpenTickets == 0 || got.AccountManager != "Tom Lindqvist" {
			t.Errorf("%s: %+v", id, got)
		}
	}
	if _, err := s.client.GetClient(t.Context(), halopsa.GetClientInput{ID: "elbe"}); !errors.Is(err, mcptools.CodeAmbiguous) {
		t.Errorf("an ambiguous name gave %v", err)
	}
	if _, err := s.client.GetClient(t.Context(), halopsa.GetClientInput{ID: "999"}); !errors.Is(err, mcptools.CodeNotFound) {
		t.Errorf("an unknown id gave %v", err)
	}
}

func TestOverviewHasEverySection(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	got, err := s.client.ClientOverview(t.Context(), halopsa.OverviewInput{Client: "Hafen Logistik GmbH"})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Problems) > 0 || got.Sections["sites"].Total != 2 || got.Sections["contracts"].Total != 2 || got.Sections["assets"].Total < 40 ||
		len(got.Sections["assets"].Items) != 5 || got.Sections["tickets"].Total == 0 || got.Sections["invoices"].Total == 0 {
		t.Errorf("%+v", got)
	}
	for _, ticket := range got.Sections["tickets"].Items {
		if saved, _ := s.server.Ticket(ticket.ID); saved.Int("client_id") != halotest.ClientHafen || saved.Bool("hasbeenclosed") {
			t.Errorf("%+v is no open ticket of the client", ticket)
		}
	}
	for i, line := range got.Sections["tickets"].Items {
		if !strings.Contains(line.Note, ", since 20") || i > 0 && line.ID > got.Sections["tickets"].Items[i-1].ID {
			t.Errorf("%+v, want status, priority, agent and date, the newest first", line)
		}
	}
}

func TestOverviewKeepsWhatAMissingScopeLeaves(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusForbidden, http.StatusUnauthorized, http.StatusBadRequest} {
		s := start(t, halotest.Options{Scopes: []string{"read:customers", "read:tickets"}, ScopeRefusal: status})
		got, err := s.client.ClientOverview(t.Context(), halopsa.OverviewInput{Client: "12", Sections: []string{"tickets", "invoices", "contracts"}})
		if err != nil {
			t.Fatal(err)
		}
		if got.Sections["tickets"].Total == 0 || len(got.Sections) != 1 || len(got.Problems) != 2 || !strings.HasPrefix(got.Problems[0], "invoices: ") {
			t.Errorf("%d: %+v", status, got)
		}
	}
}

func TestSitesByClient(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	page, err := s.client.SearchSites(t.Context(), halopsa.SearchSitesInput{Client: "hafen", Query: "hall"})
	if err != nil || len(page.Items) != 1 || page.Items[0].Name != "Hall 3" || page.Items[0].ClientID != halotest.ClientHafen {
		t.Errorf("%+v, %v", page, err)
	}
	if _, err := s.client.GetSite(t.Context(), halopsa.GetSiteInput{ID: "Main"}); !errors.Is(err, mcptools.CodeAmbiguous) {
		t.Errorf("several clients have a site Main, got %v", err)
	}
	got, err := s.client.GetSite(t.Context(), halopsa.GetSiteInput{ID: "Main", Client: "Elbe Ingenieure"})
	if err != nil || got.ID != 28 || got.Client != "Elbe Ingenieure" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestSomebodyFromMicrosoft365IsFound(t *testing.T) {
	t.Parallel()
	noIDs := map[string][]string{"/Users": {"name"}}
	for name, c := range map[string]struct {
		instance halotest.Options
		in       halopsa.SearchUsersInput
		want     []string
		problem  bool
	}{
		"by object id":                 {in: halopsa.SearchUsersInput{AzureOID: halotest.AnnaBergEntraID}, want: []string{"Anna Berg"}},
		"by object id in capitals":     {in: halopsa.SearchUsersInput{AzureOID: strings.ToUpper(halotest.AnnaBergEntraID)}, want: []string{"Anna Berg"}},
		"by address":                   {in: halopsa.SearchUsersInput{Email: "Anna.Berg@HafenLogistik.example"}, want: []string{"Anna Berg"}},
		"not yet linked":               {in: halopsa.SearchUsersInput{AzureOID: "a11ce000-0000-4000-8000-0000000000ff", Email: "piet.claasen@alsterdental.example"}, want: []string{"Piet Claasen"}},
		"nobody":                       {in: halopsa.SearchUsersInput{AzureOID: "a11ce000-0000-4000-8000-0000000000ff"}},
		"part of an address":           {in: halopsa.SearchUsersInput{Email: "anna.berg"}},
		"id not searchable":            {instance: halotest.Options{AdvancedSearch: noIDs}, in: halopsa.SearchUsersInput{AzureOID: halotest.AnnaBergEntraID}, problem: true},
		"id not searchable, client":    {instance: halotest.Options{AdvancedSearch: noIDs}, in: halopsa.SearchUsersInput{AzureOID: halotest.AnnaBergEntraID, Client: "12"}, want: []string{"Anna Berg"}},
		"id not searchable, address":   {instance: halotest.Options{AdvancedSearch: noIDs}, in: halopsa.SearchUsersInput{AzureOID: halotest.AnnaBergEntraID, Email: halotest.AnnaBergEmail}, want: []string{"Anna Berg"}},
		"address not searchable":       {instance: halotest.Options{AdvancedSearch: noIDs}, in: halopsa.SearchUsersInput{Email: halotest.AnnaBergEmail}, want: []string{"Anna Berg"}},
		"former contacts on request":   {in: halopsa.SearchUsersInput{Email: "karl.dahms@veddeldruck.example", IncludeInactive: true}, want: []string{"Karl Dahms"}},
		"and not otherwise":            {in: halopsa.SearchUsersInput{Email: "karl.dahms@veddeldruck.example"}},
		"the address is another's too": {in: halopsa.SearchUsersInput{Email: halotest.AnnaBergEmail, Client: "Alster Dental"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, c.instance)
			page, err := s.client.SearchUsers(t.Context(), c.in)
			if err != nil {
				t.Fatal(err)
			}
			if got := names(page.Items, func(u halopsa.UserRow) string { return u.Name }); !slices.Equal(got, c.want) && len(got)+len(c.want) > 0 {
				t.Errorf("%v, want %v", got, c.want)
			}
			if (page.Problem != "") != c.problem {
				t.Errorf("problem %q", page.Problem)
			}
		})
	}
}

// A page that has a row less than it should, for one is hidden from this account,
// does not move the pages after it.
func TestAShortPageRepeatsNoRow(t *testing.T) {
	t.Parallel()
	for _, hidden := range []int{3, 17, 38} { // on the first page, one in between, the last
		seen, all := map[string]int{}, map[string]bool{}
		s := start(t, halotest.Options{}, reading(func(path string, object map[string]any) {
			if rows, ok := object["sites"].([]any); ok && strings.HasSuffix(path, "/Site") {
				object["sites"] = slices.DeleteFunc(rows, func(row any) bool { return row.(map[string]any)["name"] == fmt.Sprintf("Depot %02d", hidden) })
			}
		}))
		sites := make([]halotest.Record, 40)
		for i := range sites {
			name := fmt.Sprintf("Depot %02d", i)
			sites[i], all[name] = halotest.Record{"name": name, "client_id": halotest.ClientHafen, "issitedetails": true}, i != hidden
		}
		s.save("/Site", sites)
		in := halopsa.SearchSitesInput{Query: "Depot", Limit: 10}
		for {
			page, err := s.client.SearchSites(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range page.Items {
				seen[row.Name]++
			}
			if in.Cursor = page.Cursor; in.Cursor == "" {
				break
			}
		}
		for name, shown := range all {
			if (seen[name] == 1) != shown || seen[name] > 1 {
				t.Errorf("%s was listed %d times", name, seen[name])
			}
		}
	}
}

// An address that several people share is not said to be one person's, whatever
// fits the answer.
func TestASharedAddress(t *testing.T) {
	t.Parallel()
	const address = "info@shared.example"
	users := []halotest.Record{{"name": "Front Desk", "site_id": halotest.SiteHafenHQ, "emailaddress": address}}
	for i := range 150 {
		users = append(users, halotest.Record{"name": fmt.Sprintf("Person %04d", i), "site_id": halotest.SiteHafenHQ})
	}
	users = append(users, halotest.Record{"name": "Warehouse", "site_id": halotest.SiteHafenHall3, "email2": address})
	deaf := halotest.Options{IgnoreQuery: map[string][]string{"/Users": {"search"}}, AdvancedSearch: map[string][]string{"/Users": {}}}
	for name, c := range map[string]struct {
		in      halopsa.SearchUsersInput
		listed  int
		total   int // 0: unknown
		problem string
	}{
		"one row asked for":       {halopsa.SearchUsersInput{Client: "12", Email: address, Limit: 1}, 1, 2, "2 users have it"},
		"all":                     {halopsa.SearchUsersInput{Client: "12", Email: address}, 2, 2, ""},
		"one who fits":            {halopsa.SearchUsersInput{Client: "12", Email: address, Query: "warehouse", Limit: 1}, 1, 1, ""},
		"not all could be looked": {halopsa.SearchUsersInput{Email: address}, 1, 0, "others may have it"},
		"nobody was seen":         {halopsa.SearchUsersInput{Email: "nobody@shared.example"}, 0, 0, "others may have it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, deaf)
			s.save("/Users", users)
			page, err := s.client.SearchUsers(t.Context(), c.in)
			if err != nil {
				t.Fatal(err)
			}
			if len(page.Items) != c.listed || page.Total == nil != (c.total == 0) || page.Total != nil && *page.Total != c.total {
				t.Errorf("%d listed of %v", len(page.Items), page.Total)
			}
			if !strings.Contains(page.Problem, c.problem) || c.problem == "" && page.Problem != "" {
				t.Errorf("problem %q", page.Problem)
			}
		})
	}
}

func TestUsersByTextClientAndSite(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	page, err := s.client.SearchUsers(t.Context(), halopsa.SearchUsersInput{Query: "anna", Limit: 1})
	if err != nil || len(page.Items) != 1 || *page.Total != 2 || page.Cursor == "" {
		t.Errorf("%+v, %v", page, err)
	}
	page, err = s.client.SearchUsers(t.Context(), halopsa.SearchUsersInput{Client: "hafen", Site: "Hall 3"})
	if err != nil || len(page.Items) != 1 || page.Items[0].Name != "Jonas Weber" {
		t.Errorf("%+v, %v", page, err)
	}
}

func TestOneUserWithWhatBelongsToThem(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{Scopes: []string{"read:customers", "read:tickets"}})
	got, err := s.client.GetUser(t.Context(), halopsa.GetUserInput{ID: halotest.AnnaBergEmail, Include: []string{"assets", "tickets"}})
	if err != nil {
		t.Fatal(err)
	}
	if got.ID != halotest.UserAnna || got.AzureOID != halotest.AnnaBergEntraID || got.SiteID != halotest.SiteHafenHQ || got.Included["tickets"].Total == 0 || len(got.Included) != 1 || len(got.Problems) != 1 {
		t.Errorf("%+v", got)
	}
}
