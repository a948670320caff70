package halopsa_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/halopsa"
	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

func TestNamesMeanOneRecord(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	for _, test := range []struct {
		kind, name string
		id         int
		code       mcptools.Code
	}{
		{"client", "hafen", halotest.ClientHafen, ""},
		{"client", "14", halotest.ClientElbe, ""},
		{"client", "Elbe", 0, mcptools.CodeAmbiguous},
		{"client", "Veddel Druck", 0, mcptools.CodeNotFound}, // a former client
		{"client", "4711", 0, mcptools.CodeNotFound},
		{"client", " ", 0, mcptools.CodeInvalidArguments},
		{"site", "Hall 3", halotest.SiteHafenHall3, ""},
		{"site", "Main", 0, mcptools.CodeAmbiguous},
		{"user", "Anna Berg", halotest.UserAnna, ""}, // and not Anna Berger
		{"user", "ANNA.BERG@hafenlogistik.example", halotest.UserAnna, ""},
		{"user", halotest.JonasWeberEntraID, halotest.UserJonas, ""},
		{"user", "anna.ber@", 0, mcptools.CodeNotFound}, // an address is never matched by its beginning
		{"user", "Anna", 0, mcptools.CodeAmbiguous},
		{"agent", "me", halotest.AgentSam, ""},
		{"agent", "Unassigned", halotest.AgentUnassigned, ""},
		{"agent", "elif", halotest.AgentElif, ""},
		{"agent", "Nora Jensen", 0, mcptools.CodeNotFound}, // who left
		{"status", "Waiting on User", halotest.StatusWaiting, ""},
		{"status", "Delivered", 0, mcptools.CodeNotFound}, // a status of orders
		{"status", "Waiting", 0, mcptools.CodeAmbiguous},
		{"category", "printer", 3, ""},
		{"category", "Hardware > Printer", 3, ""},
		{"outcome", "Close", halotest.OutcomeClose, ""}, // by its button
		{"team", "2nd", halotest.TeamSecondLine, ""},
		{"priority", "P1", 1, ""},
		{"custom_field", "Cost centre", 202, ""},
		{"custom_field", "CFCostCentre", 202, ""},
	} {
		t.Run(test.kind+"/"+test.name, func(t *testing.T) {
			got, err := s.client.Resolve(t.Context(), halopsa.ResolveInput{Kind: test.kind, Name: test.name})
			if test.code != "" {
				fails(t, err, test.code)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.ID != test.id {
				t.Errorf("it means %d %q, want %d", got.ID, got.Name, test.id)
			}
		})
	}
}

// The whole name of an entry that is retired means no other one that begins
// like it, unless that has the name too.
func TestRetiredNamesMeanNobodyElse(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	s.save("/Agent", []halotest.Record{{"name": "Tom Lind", "isdisabled": true}, {"name": "elif demir", "isdisabled": true}})
	before, _ := s.server.Ticket(halotest.TicketPrinter)
	_, err := s.client.AssignTicket(t.Context(), halopsa.AssignTicketInput{TicketID: halotest.TicketPrinter, Agent: "tom  lind"}) // and not Tom Lindqvist
	fails(t, err, mcptools.CodeNotFound, `the agent "Tom Lind" is disabled`)
	if after, _ := s.server.Ticket(halotest.TicketPrinter); after.Int("agent_id") != before.Int("agent_id") {
		t.Errorf("it went to agent %d", after.Int("agent_id"))
	}
	for name, id := range map[string]int{"Tom L": halotest.AgentTom, "Elif Demir": halotest.AgentElif} {
		if got, err := s.client.Resolve(t.Context(), halopsa.ResolveInput{Kind: "agent", Name: name}); err != nil || got.ID != id {
			t.Errorf("%s is %+v, %v", name, got, err)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `[{"id":4,"name":"Project","inactive":true},{"id":5,"name":"Project Request"}]`)
	}))
	defer server.Close()
	client, err := halopsa.New(auth.Static("token"), halopsa.Options{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"status", "ticket_type", "team", "top_level"} {
		for _, name := range []string{"project", "4"} {
			_, err := client.Resolve(t.Context(), halopsa.ResolveInput{Kind: kind, Name: name})
			fails(t, err, mcptools.CodeNotFound, `"Project" is retired`)
		}
	}
}

func TestAmbiguousNamesComeWithCandidates(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	_, err := s.client.Resolve(t.Context(), halopsa.ResolveInput{Kind: "user", Name: "Anna"})
	fails(t, err, mcptools.CodeAmbiguous, "Anna Berg (id 101, anna.berg@hafenlogistik.example, Hafen Logistik GmbH)", "Anna Berger (id 110")
	got, err := s.client.Resolve(t.Context(), halopsa.ResolveInput{Kind: "user", Name: "Anna", Client: "Elbe Ingenieure"})
	if err != nil || got.ID != 110 {
		t.Errorf("with the client it is %+v, %v", got, err)
	}
}

// An instance that ignores searches and allows no comparison of fields still
// finds what can be told from its lists, and says what it cannot.
func TestNamesWithoutASearch(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{IgnoreClientSearch: true, AdvancedSearch: map[string][]string{"/Client": {}, "/Users": {"name"}}})
	got, err := s.client.Resolve(t.Context(), halopsa.ResolveInput{Kind: "client", Name: "Alster"})
	if err != nil || got.ID != halotest.ClientAlster {
		t.Errorf("Alster is %+v, %v", got, err)
	}
	_, err = s.client.Resolve(t.Context(), halopsa.ResolveInput{Kind: "user", Name: halotest.AnnaBergEntraID})
	fails(t, err, mcptools.CodeNotFound, "halo_users_search")
}

// Of a list too long to read no name counts: others that were not seen may have
// it too.
func TestIncompleteListsAreNotGuessedFrom(t *testing.T) {
	t.Parallel()
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		if r.URL.Query().Get("advanced_search") != "" {
			http.Error(w, `"Invalid advanced search parameter"`, http.StatusBadRequest)
			return
		}
		page, _ := strconv.Atoi(r.URL.Query().Get("page_no"))
		var rows []map[string]any
		for i := range 100 {
			n := (page-1)*100 + i
			rows = append(rows, map[string]any{"id": n + 1, "name": fmt.Sprintf("Client %04d", n)})
		}
		if err := json.NewEncoder(w).Encode(map[string]any{"record_count": 5000, "clients": rows}); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	client, err := halopsa.New(auth.Static("token"), halopsa.Options{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Resolve(t.Context(), halopsa.ResolveInput{Kind: "client", Name: "client 0321"})
	fails(t, err, mcptools.CodeAmbiguous, "Client 0321 (id 322)", "there may be others", "halo_clients_search")
	requests = 0
	_, err = client.Resolve(t.Context(), halopsa.ResolveInput{Kind: "client", Name: "Client 032"})
	fails(t, err, mcptools.CodeNotFound, "there may be others", "halo_clients_search")
	if requests > 15 {
		t.Errorf("%d requests for one name", requests)
	}
}

// Where the search has no effect, somebody of the name on the first page is not
// taken before it is known that nobody on the others has it.
func TestNamesakesOnLaterPages(t *testing.T) {
	t.Parallel()
	people := func(n int) []halotest.Record {
		users := make([]halotest.Record, n)
		for i := range users {
			users[i] = halotest.Record{"name": fmt.Sprintf("Person %04d", i), "site_id": halotest.SiteHafenHQ}
		}
		users[10] = halotest.Record{"name": "John Smith", "site_id": halotest.SiteHafenHQ, "emailaddress": "js@hafenlogistik.example"}
		users[150] = halotest.Record{"name": "john smith", "site_id": halotest.SiteHafenHall3}
		users[n-40] = halotest.Record{"name": "Jane Doe", "site_id": halotest.SiteHafenHQ}
		return users
	}
	ignoring := map[string][]string{"/Users": {"search"}}
	for name, tt := range map[string]struct {
		instance halotest.Options
		people   int
		jane     mcptools.Code
		parts    []string
	}{
		"a narrower search": {halotest.Options{IgnoreQuery: ignoring}, 250, "", nil},
		"all of them":       {halotest.Options{IgnoreQuery: ignoring, AdvancedSearch: map[string][]string{"/Users": {}}}, 250, "", nil},
		"too many": {halotest.Options{IgnoreQuery: ignoring, AdvancedSearch: map[string][]string{"/Users": {}}}, 1200, mcptools.CodeNotFound,
			[]string{"there may be others", "the e-mail address or the client"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, tt.instance)
			s.save("/Users", people(tt.people))
			_, err := s.client.Resolve(t.Context(), halopsa.ResolveInput{Kind: "user", Name: "John Smith"})
			fails(t, err, mcptools.CodeAmbiguous, append(tt.parts, "John Smith (id", "js@hafenlogistik.example", "john smith (id")...)
			jane, err := s.client.Resolve(t.Context(), halopsa.ResolveInput{Kind: "user", Name: "jane doe"})
			if tt.jane != "" {
				fails(t, err, tt.jane, tt.parts...)
			} else if err != nil || jane.Name != "Jane Doe" {
				t.Errorf("%+v, %v", jane, err)
			}
			john, err := s.client.Resolve(t.Context(), halopsa.ResolveInput{Kind: "user", Name: "js@hafenlogistik.example"})
			if err != nil || john.Name != "John Smith" {
				t.Errorf("by the address: %+v, %v", john, err)
			}
		})
	}
}

// A name that nobody has costs two requests, not the whole list.
func TestUnknownNamesCostLittle(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	_, err := s.client.Resolve(t.Context(), halopsa.ResolveInput{Kind: "client", Name: "Nobody Ltd"})
	fails(t, err, mcptools.CodeNotFound)
	if n := len(s.server.Requests()); n != 2 {
		t.Errorf("%d requests", n)
	}
}

func TestLookupsAreReadOnce(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	in := halopsa.LookupsInput{Kinds: []string{"status", "team"}}
	for range 3 {
		if _, err := s.client.Lookups(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(s.server.Requests()); n != 2 {
		t.Errorf("%d requests for two tables", n)
	}
	in.Refresh = true
	if _, err := s.client.Lookups(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if n := len(s.server.Requests()); n != 4 {
		t.Errorf("%d requests after a refresh", n)
	}
}

// One table that cannot be read does not hide the others.
func TestLookupsKeepWhatCanBeRead(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{Scopes: []string{"read:tickets"}})
	out, err := s.client.Lookups(t.Context(), halopsa.LookupsInput{Kinds: []string{"status", "top_level"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Tables) != 2 || len(out.Tables[0].Entries) != 9 || out.Tables[1].Problem == "" {
		t.Errorf("%+v", out)
	}
}

func TestTicketTypesShowWhatTheyNeed(t *testing.T) {
	t.Parallel()
	s := start(t, halotest.Options{})
	out, err := s.client.GetTicketType(t.Context(), halopsa.TicketTypeInput{TicketType: "Change"})
	if err != nil {
		t.Fatal(err)
	}
	var needs []string
	for _, field := range out.Required {
		needs = append(needs, field.Argument)
	}
	if got := fmt.Sprintf("%v %v %v %s", needs, out.Statuses, out.Priorities, out.Workflow); got !=
		"[summary impact urgency] [New In Progress Scheduled Closed Cancelled] [Critical High Medium Low] Change Approval" {
		t.Error(got)
	}
	large, err := s.client.GetTicketType(t.Context(), halopsa.TicketTypeInput{TicketType: "21"})
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := json.Marshal(large); len(text) > 3500 || large.More == 0 {
		t.Errorf("a large type is shown in %d bytes", len(text))
	}
}
