package graph_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/graph"
	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// Ten rows reach a model in 3,000 bytes, with ids of real length.
func TestTenRowsAreSmall(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	for _, a := range []args{{}, {"folder": "inbox"}, {"query": "the"}, {"folder": "Alerts"}} {
		result, err := s.tools.Call(t.Context(), "m365_mail_search", marshal(t, a))
		if err != nil {
			t.Fatal(err)
		}
		if len(result.Value) > 3000 || strings.Count(string(result.Value), `"id":`) != 10 {
			t.Errorf("%v: %d bytes: %s", a, len(result.Value), result.Value)
		}
	}
}

// $search knows days only, and neither flags nor read marks; the rest is
// checked on this side.
func TestSearchIsPrecise(t *testing.T) {
	now := time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)
	s := newSuite(t, graphtest.Options{Now: func() time.Time { return now }})
	at := func(hours float64) string {
		return now.Add(-time.Duration(hours * float64(time.Hour))).Format(time.RFC3339)
	}
	for _, c := range []struct {
		args args
		want []string
	}{
		{args{"subject": "VPN drops", "after": at(21.5), "before": at(18)}, []string{"RE: VPN drops every hour"}},
		{args{"subject": "VPN drops", "after": at(100), "before": at(21.5)}, []string{"VPN drops every hour"}},
		{args{"from": "Tom", "unread": true, "folder": "inbox"}, []string{"Please log your hours for Hafen Logistik before noon"}},
		{args{"query": "hours", "flagged": true}, []string{"Please log your hours for Hafen Logistik before noon"}},
		{args{"from": "tom.lindqvist@nordlicht.example", "flagged": true}, []string{"Please log your hours for Hafen Logistik before noon"}},
		{args{"folder": "Customers/Hafen Logistik", "query": "station"}, []string{"Docking station does not charge"}},
		{args{"query": "nothing says this"}, nil},
	} {
		var got []string
		for _, row := range items(s.call(t, "m365_mail_search", c.args)) {
			got = append(got, row["subject"].(string))
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%v: got %q, want %q", c.args, got, c.want)
		}
	}
}

// A sender is found by what a row shows of them, as a whole or cut.
func TestSearchFindsSendersAsShown(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	s.call(t, "m365_mail_send", args{"to": []any{sam}, "subject": "Own", "body": "x"})
	inbox := items(s.call(t, "m365_mail_search", args{"folder": "Inbox", "limit": 50}))
	for _, row := range inbox {
		from, ok := row["from"].(string)
		if !ok {
			continue
		}
		name, address, _ := strings.Cut(strings.TrimSuffix(from, ">"), " <")
		for _, shown := range []string{from, "mailto:" + address, `"Doe, ` + name + `" <` + address + ">", "Doe, " + name + " <" + address + ">", name + " <" + address[:4] + "…", address[strings.Index(address, "@"):]} {
			found := items(s.call(t, "m365_mail_search", args{"from": shown, "folder": "Inbox", "limit": 50}))
			if !slices.ContainsFunc(found, func(r map[string]any) bool { return r["id"] == row["id"] }) {
				t.Errorf("%q does not find %q", shown, from)
			}
		}
	}
	if rows := items(s.call(t, "m365_mail_search", args{"from": "Anna Berg <anna.berg@hafenlogistik.example>", "query": "the", "limit": 50})); len(rows) == 0 {
		t.Error("nothing with words")
	}
}

// No text can end the quotation that $search is wrapped in, or an OData string.
func TestSearchTextIsOnlyText(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	for _, text := range []string{`"`, `\"`, `" OR from:"x`, `) OR (`, `from:`, "O'Hara", "a AND", "=", "100%", "x+y&$top=1", "\u00fcber #1", "*", "subject:(", `\`} {
		s.call(t, "m365_mail_search", args{"query": text})
		s.call(t, "m365_mail_search", args{"subject": text, "from": text})
		s.call(t, "m365_mail_search", args{"from": text + "@x.example"})
	}
}

func TestSearchPagesToTheEnd(t *testing.T) {
	for name, a := range map[string]args{"filter": {"folder": "inbox", "limit": 7}, "search": {"query": "the", "limit": 4}} {
		t.Run(name, func(t *testing.T) {
			s := newSuite(t, graphtest.Options{PageSize: 3})
			seen := map[any]bool{}
			for pages := 0; ; pages++ {
				page := s.call(t, "m365_mail_search", a)
				for _, row := range items(page) {
					if seen[row["id"]] {
						t.Errorf("%v came twice", row)
					}
					seen[row["id"]] = true
				}
				if page["cursor"] == nil {
					break
				}
				if a["cursor"] = page["cursor"]; pages > 20 {
					t.Fatal("the list has no end")
				}
			}
			if name == "filter" && len(seen) != len(s.fake.Messages(graphtest.SignedInUser, "inbox")) {
				t.Errorf("%d messages of %d", len(seen), len(s.fake.Messages(graphtest.SignedInUser, "inbox")))
			}
		})
	}
}

// A failing page keeps the ones before it.
func TestSearchKeepsPartialResults(t *testing.T) {
	s := newSuite(t, graphtest.Options{PageSize: 3})
	s.call(t, "m365_mail_search", args{"limit": 1}) // the zone is known from here on
	s.fake.Faults().Next(1, "GET", "/messages", graphtest.Answer{Delay: time.Millisecond})
	s.fake.Faults().Next(1, "GET", "/messages", graphtest.Answer{Status: http.StatusForbidden})
	page := s.call(t, "m365_mail_search", args{"limit": 10})
	if len(items(page)) != 3 || page["cursor"] == nil || !strings.Contains(fmt.Sprint(page["problem"]), "permission_denied") {
		t.Fatalf("got %v", page)
	}
	rest := s.call(t, "m365_mail_search", args{"limit": 10, "cursor": page["cursor"]})
	if len(items(rest)) != 10 || items(rest)[0]["id"] == items(page)[0]["id"] {
		t.Errorf("the cursor leads to %v", rest)
	}
}

func TestCursorIsGoodForItsCallOnly(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	cursor := s.call(t, "m365_mail_search", args{"limit": 2})["cursor"]
	s.fails(t, mcptools.CodeInvalidArguments, "m365_mail_search", args{"limit": 2, "cursor": cursor, "unread": true})
	s.fails(t, mcptools.CodeInvalidArguments, "m365_mail_folders", args{"cursor": cursor})
	s.signIn(t, s.fake.TokenFor("tom.lindqvist@nordlicht.example", "Mail.Read"), graph.Options{})
	s.fails(t, mcptools.CodeInvalidArguments, "m365_mail_search", args{"limit": 2, "cursor": cursor})
}

func TestTimesAreInTheZoneOfTheMailbox(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	s := newSuite(t, graphtest.Options{Now: func() time.Time { return now }})
	if row := items(s.call(t, "m365_mail_search", args{"limit": 1}))[0]; row["time"] != "2026-07-01T13:18+02:00" {
		t.Errorf("got %v", row["time"])
	}
	s.signIn(t, s.fake.Token(), graph.Options{TimeZone: "America/New_York"})
	if row := items(s.call(t, "m365_mail_search", args{"limit": 1}))[0]; row["time"] != "2026-07-01T07:18-04:00" {
		t.Errorf("got %v", row["time"])
	}
}

// The sender of all sent mail is the same; whom it went to is what tells it
// apart.
func TestSentMailNamesItsReceivers(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	for folder, own := range map[string]bool{"Sent Items": true, "Drafts": true, "Inbox": false} {
		rows := items(s.call(t, "m365_mail_search", args{"folder": folder}))
		if len(rows) == 0 {
			t.Errorf("there is nothing in %s", folder)
		}
		for _, row := range rows {
			if (row["to"] != nil) != own || (row["from"] == nil) != own {
				t.Errorf("in %s: %v", folder, row)
			}
		}
	}
}

func TestFoldersByNamePathAndID(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	var page mcptools.Page[graph.FolderRow]
	s.into(t, "m365_mail_folders", args{"recursive": true, "limit": 200}, &page)
	id := ""
	for _, row := range page.Items {
		if row.Path == "Customers/Hafen Logistik" {
			id = row.ID
		}
	}
	for _, name := range []string{"Hafen Logistik", "customers/hafen logistik", "/Customers/Hafen Logistik/", "Hafen", id} {
		if rows := items(s.call(t, "m365_mail_search", args{"folder": name})); len(rows) != 3 {
			t.Errorf("%q: %d messages", name, len(rows))
		}
	}
	for name, want := range map[string]string{"Sent": "sentitems", "junk mail": "", "Sent Items": "sentitems", "trash": "deleteditems"} {
		if want == "" {
			if e := s.fails(t, mcptools.CodeNotFound, "m365_mail_search", args{"folder": name}); !strings.Contains(e.Hint, "Inbox") {
				t.Errorf("%q: the hint lists nothing: %s", name, e.Hint)
			}
			continue
		}
		if rows := items(s.call(t, "m365_mail_search", args{"folder": name, "limit": 50})); len(rows) != len(s.fake.Messages(graphtest.SignedInUser, want)) {
			t.Errorf("%q: %d messages", name, len(rows))
		}
	}
}

func TestAmbiguousFolderNamesItsCandidates(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	s.call(t, "m365_mail_folder_edit", args{"name": "Alster Dental", "parent": "Alerts"})
	e := s.fails(t, mcptools.CodeAmbiguous, "m365_mail_move", args{"ids": []string{"x"}, "folder": "Alster Dental"})
	if !strings.Contains(e.Message, "Customers/Alster Dental") || !strings.Contains(e.Message, "Alerts/Alster Dental") {
		t.Error(e)
	}
}

// A path may begin with a well-known name in a mailbox of any language.
func TestFolderPathBelowWellKnownFolder(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	s.call(t, "m365_mail_folder_edit", args{"name": "Spam 2", "parent": "junk"})
	s.call(t, "m365_mail_move", args{"ids": []string{s.message(t, "Travel expenses")}, "folder": "spam/Spam 2"})
	if rows := items(s.call(t, "m365_mail_search", args{"folder": "Junk Email/Spam 2"})); len(rows) != 1 {
		t.Errorf("got %v", rows)
	}
}

// What people call a well-known folder may be the name of one of their own.
func TestOwnFolderBeforeWellKnown(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	move := func(to string) any {
		return s.call(t, "m365_mail_move", args{"ids": []string{s.message(t, "VPN drops every hour")}, "folder": to})["folder"]
	}
	if got := move("spam"); got != "Junk Email" {
		t.Errorf("without an own one: %v", got)
	}
	s.call(t, "m365_mail_folder_edit", args{"name": "Spam", "parent": "Customers"})
	if got := move("Spam"); got != "Junk Email" {
		t.Errorf("with one elsewhere: %v", got)
	}
	s.call(t, "m365_mail_folder_edit", args{"name": "Spam", "parent": "Inbox"})
	s.call(t, "m365_mail_folder_edit", args{"name": "Bin"})
	for to, want := range map[string]string{"spam": "Inbox/Spam", "inbox/spam": "Inbox/Spam", "Bin": "Bin", "Junk Email": "Junk Email", "junk": "Junk Email", "sent": "Sent Items"} {
		if got := move(to); got != want {
			t.Errorf("%s: %v", to, got)
		}
	}
	s.call(t, "m365_mail_folder_edit", args{"name": "Spam"})
	if got := move("Spam"); got != "Spam" {
		t.Errorf("at the top: %v", got)
	}
	s.fails(t, mcptools.CodeInvalidArguments, "m365_mail_move", args{"ids": []string{"x"}, "folder": "trash"})
}

func TestApplicationMustNameAMailbox(t *testing.T) {
	s := newAppSuite(t, graphtest.Options{})
	if e := s.fails(t, mcptools.CodeInvalidArguments, "m365_mail_search", nil); !strings.Contains(e.Error(), "mailbox") {
		t.Error(e)
	}
	hasItems(t, s.call(t, "m365_mail_search", args{"mailbox": graphtest.SignedInUser}))
	hasItems(t, s.call(t, "m365_mail_search", args{"mailbox": "Sam Okafor"}))
}

func TestDeniedMailNamesTheScope(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	s.signInWith(t, "User.Read")
	e := s.fails(t, mcptools.CodePermissionDenied, "m365_mail_get", args{"id": strings.Repeat("A", 60)})
	if fmt.Sprint(e.Scopes) != "[Mail.Read]" {
		t.Errorf("scopes %v of %v", e.Scopes, e)
	}
	s.signIn(t, s.fake.Token(), graph.Options{})
	e = s.fails(t, mcptools.CodePermissionDenied, "m365_mail_search", args{"mailbox": "tom.lindqvist@nordlicht.example"})
	if len(e.Scopes) > 0 || !strings.Contains(e.Hint, ".Shared") {
		t.Errorf("scopes %v, hint %q", e.Scopes, e.Hint)
	}
}
