package graph_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// column returns one field of the rows, as text.
func column(rows []map[string]any, field string) []string {
	var list []string
	for _, row := range rows {
		list = append(list, fmt.Sprint(row[field]))
	}
	return list
}

// rowsOf returns the rows of a list.
func rowsOf(list any) []map[string]any {
	return items(map[string]any{"items": list})
}

func TestUsersFind(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	tests := []struct {
		name string
		args args
		want []string // of the names; nil is nobody
	}{
		{"by name", args{"query": "okafor"}, []string{"Sam Okafor"}},
		{"by both names", args{"query": "okafor sam"}, []string{"Sam Okafor"}},
		{"by address", args{"query": "jana.petersen@nordlicht"}, []string{"Jana Petersen"}},
		{"guests", args{"guest": true}, []string{"Anna Berg", "Jonas Weber"}},
		{"guests by address", args{"query": "anna.berg@", "guest": true}, []string{"Anna Berg"}},
		{"members by a guest's address", args{"query": "anna.berg@", "guest": false}, nil},
		{"disabled", args{"enabled": false}, []string{"Alster", "Bille", "Elbe", "Peter Voss", "Service Desk"}},
		{"disabled and inactive", args{"enabled": false, "inactive_since": "-90d"}, []string{"Peter Voss"}},
		{"department", args{"department": "Fin"}, []string{"Jana Petersen"}},
		{"unlicensed members", args{"licensed": false, "guest": false, "enabled": false}, []string{"Alster", "Bille", "Elbe", "Peter Voss", "Service Desk"}},
		{"an apostrophe", args{"department": "O'Neill"}, nil},
		{"an address with an apostrophe", args{"query": "o'neill@x.example"}, nil},
		{"a quotation", args{"query": `" OR "displayName:Sam`}, nil},
	}
	for _, tt := range tests {
		got := column(items(s.call(t, "m365_users_find", tt.args)), "name")
		slices.Sort(got)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: found %v, want %v", tt.name, got, tt.want)
		}
	}
	page := s.call(t, "m365_users_find", args{"guest": false, "limit": 5})
	if total, _ := page["total"].(float64); len(items(page)) != 5 || total < 12 || page["cursor"] == nil {
		t.Errorf("page %v", page)
	}
	counted := s.call(t, "m365_users_find", args{"guest": false, "count": true})
	if counted["total"] != page["total"] || len(items(counted)) != 0 || counted["cursor"] != nil {
		t.Errorf("counted %v", counted)
	}
	s.fails(t, mcptools.CodeNotSupported, "m365_users_find", args{"inactive_since": "-90d", "count": true})
	wide := items(s.call(t, "m365_users_find", args{"query": "Okafor", "fields": []any{"office", "mobile", "created", "synced"}}))
	if fields, _ := wide[0]["fields"].(map[string]any); fields["office"] != "Hamburg" || fields["synced"] != "false" || fields["mobile"] != nil || fields["company"] != nil || fields["created"] == nil {
		t.Errorf("fields %v", wide)
	}
	rows := items(s.call(t, "m365_users_find", args{"query": "Voss", "inactive_since": "-90d"}))
	if len(rows) != 1 || rows[0]["disabled"] != true || rows[0]["unlicensed"] != true || !strings.HasSuffix(fmt.Sprint(rows[0]["last_sign_in"]), "Z") {
		t.Errorf("Peter Voss is %v", rows)
	}
}

// The choice of the inactive is made here, so pages may be nearly empty.
func TestInactiveUsersByPage(t *testing.T) {
	s := newSuite(t, graphtest.Options{PageSize: 2})
	var names []string
	a := args{"inactive_since": "-8d", "limit": 1}
	for range 20 {
		page := s.call(t, "m365_users_find", a)
		if page["total"] != nil {
			t.Errorf("the total of another list: %v", page)
		}
		names = append(names, column(items(page), "name")...)
		if page["cursor"] == nil {
			break
		}
		a["cursor"] = page["cursor"]
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"Anna Berg", "Jonas Weber", "Peter Voss"}) {
		t.Errorf("inactive are %v", names)
	}
}

func TestInactiveUsersNeedPermission(t *testing.T) {
	s := newSuite(t, graphtest.Options{Deny: []string{"AuditLog.Read.All"}})
	e := s.fails(t, mcptools.CodePermissionDenied, "m365_users_find", args{"inactive_since": "-90d"})
	if !strings.Contains(e.Hint, "AuditLog.Read.All") {
		t.Errorf("hint %q", e.Hint)
	}
}

func TestUserGet(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	everything := []any{"manager", "groups", "roles", "licences", "mfa", "devices", "signin", "mailbox", "forwarding"}
	s.fake.ResetRecord()
	got := s.call(t, "m365_user_get", args{"user": sam, "include": everything})
	if got["name"] != "Sam Okafor" || got["manager"] != "Tom Lindqvist <"+tom+">" || got["missing"] != nil {
		t.Errorf("got %v", got)
	}
	if groups := texts(got["groups"]); !slices.Equal(groups, []string{"All Staff", "MFA Required", "Service Desk"}) {
		t.Errorf("groups %v", groups)
	}
	if roles := texts(got["roles"]); !slices.Equal(roles, []string{"Helpdesk Administrator"}) {
		t.Errorf("roles %v", roles)
	}
	if mfa := texts(got["mfa"]); !slices.Equal(mfa, []string{"microsoftAuthenticator (Phone of Sam)"}) {
		t.Errorf("mfa %v", mfa)
	}
	mailbox, _ := got["mailbox"].(map[string]any)
	if len(texts(got["licences"])) != 1 || len(texts(got["devices"])) != 1 || got["last_sign_in"] == nil || mailbox["time_zone"] != "Europe/Berlin" {
		t.Errorf("got %v", got)
	}
	if paths := s.paths(); len(paths) > 2 || !strings.HasPrefix(paths[len(paths)-1], "POST ") {
		t.Errorf("requests %v", paths)
	}
	head := s.call(t, "m365_user_get", args{"user": "Henrik Olsen", "include": []any{"manager", "roles"}})
	if !slices.Equal(texts(head["none"]), []string{"manager"}) || head["missing"] != nil {
		t.Errorf("Henrik Olsen: %v", head)
	}
	if me := s.call(t, "m365_user_get", args{"user": "me"}); me["username"] != sam || me["groups"] != nil {
		t.Errorf("me is %v", me)
	}
	other := s.call(t, "m365_user_get", args{"user": tom, "include": []any{"mailbox", "forwarding"}})
	if missing := texts(other["missing"]); len(missing) != 2 || !strings.Contains(missing[0], "mailbox: of somebody else") {
		t.Errorf("of another mailbox, missing is %v", missing)
	}
	if guest := s.call(t, "m365_user_get", args{"user": anna, "include": []any{"signin", "mailbox"}}); guest["guest"] != true || len(texts(guest["missing"])) != 1 {
		t.Errorf("guest %v", guest)
	}
	s.fails(t, mcptools.CodeNotFound, "m365_user_get", args{"user": "nobody@nordlicht.example"})
	s.fails(t, mcptools.CodeNotFound, "m365_user_get", args{"user": "nobody@nordlicht.example", "include": []any{"signin"}})
	e := s.fails(t, mcptools.CodeInvalidArguments, "m365_user_get", args{"user": sam, "include": []any{"password"}})
	if !strings.Contains(e.Message, "forwarding") {
		t.Errorf("the error names no valid part: %s", e.Message)
	}
}

func TestUserGetInPart(t *testing.T) {
	s := newSuite(t, graphtest.Options{Deny: []string{"UserAuthenticationMethod.Read.All"}})
	got := s.call(t, "m365_user_get", args{"user": tom, "include": []any{"manager", "mfa", "mailbox", "forwarding"}})
	missing := texts(got["missing"])
	if got["manager"] == nil || len(missing) != 3 || !strings.HasPrefix(missing[0], "mfa: permission_denied") {
		t.Errorf("got %v", got)
	}
}

// Somebody on a further page may be meant as well as the one on the first.
func TestNameThatFitsMoreThanOnePage(t *testing.T) {
	s := newSuite(t, graphtest.Options{PageSize: 1})
	if e := s.fails(t, mcptools.CodeAmbiguous, "m365_user_get", args{"user": "A"}); !strings.Contains(e.Hint, "address") {
		t.Errorf("hint %q", e.Hint)
	}
	if got := s.call(t, "m365_user_get", args{"user": "Aylin Kaya"}); got["username"] != "aylin.kaya@nordlicht.example" {
		t.Errorf("got %v", got)
	}
}

// What is on a further page is said to be missing, and is not "none".
func TestUserWithMoreThanOnePage(t *testing.T) {
	s := newSuite(t, graphtest.Options{PageSize: 1})
	got := s.call(t, "m365_user_get", args{"user": "me", "include": []any{"groups", "roles"}})
	missing := strings.Join(texts(got["missing"]), "\n")
	if !strings.Contains(missing, "groups: ") || !strings.Contains(missing, "roles: ") || slices.Contains(texts(got["none"]), "roles") {
		t.Errorf("got %v", got)
	}
}

func TestGroupsFind(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	tests := []struct {
		name string
		args args
		want []string
	}{
		{"by name", args{"query": "desk"}, []string{"Service Desk"}},
		{"by address", args{"query": "staff@nordlicht.example"}, []string{"All Staff"}},
		{"m365", args{"type": "m365"}, []string{"All Staff", "Projects", "Service Desk"}},
		{"m365 by address", args{"query": "staff@", "type": "m365"}, []string{"All Staff"}},
		{"security by address", args{"query": "staff@", "type": "security"}, nil},
		{"security", args{"type": "security"}, []string{"MFA Required", "Privileged Access"}},
		{"security by name", args{"type": "security", "query": "mfa"}, []string{"MFA Required"}},
		{"mail-enabled security", args{"type": "mail_security"}, nil},
		{"distribution", args{"type": "distribution"}, nil},
		{"dynamic", args{"type": "dynamic"}, nil},
		{"teams", args{"type": "team"}, nil},
		{"ownerless", args{"ownerless": true}, []string{"MFA Required", "Privileged Access"}},
		{"ownerless by name", args{"ownerless": true, "query": "workstations", "type": "security"}, []string{"Privileged Access"}},
		{"ownerless m365", args{"ownerless": true, "type": "m365"}, nil},
	}
	for _, tt := range tests {
		got := column(items(s.call(t, "m365_groups_find", tt.args)), "name")
		slices.Sort(got)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: found %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestGroupGet(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	got := s.call(t, "m365_group_get", args{"group": "staff@nordlicht.example", "members": true, "owners": true, "limit": 5})
	if got["name"] != "All Staff" || got["type"] != "m365" || len(asList(got["members"])) != 5 || got["total_members"] != 12.0 || len(asList(got["owners"])) != 1 {
		t.Errorf("got %v", got)
	}
	rest := s.call(t, "m365_group_get", args{"group": "staff@nordlicht.example", "members": true, "owners": true, "limit": 50, "cursor": got["cursor"]})
	if len(asList(rest["members"])) != 7 || rest["cursor"] != nil {
		t.Errorf("the rest is %v", rest)
	}
	direct := s.call(t, "m365_group_get", args{"group": "MFA Required", "members": true})
	nested := s.call(t, "m365_group_get", args{"group": "MFA Required", "transitive": true})
	if got := rowsOf(direct["members"]); len(got) != 1 || got[0]["kind"] != "group" || got[0]["name"] != "Service Desk" {
		t.Errorf("direct members %v", got)
	}
	if got := column(rowsOf(nested["members"]), "name"); !slices.Contains(got, "Sam Okafor") || !slices.Contains(got, "Service Desk") {
		t.Errorf("nested members %v", got)
	}
	plain := s.call(t, "m365_group_get", args{"group": fmt.Sprint(got["id"]), "limit": 5})
	if plain["members"] == nil || plain["owners"] == nil || plain["name"] != "All Staff" {
		t.Errorf("by itself, a group is %v", plain)
	}
	if next := s.call(t, "m365_group_get", args{"group": fmt.Sprint(got["id"]), "cursor": plain["cursor"]}); next["members"] == nil || next["owners"] != nil {
		t.Errorf("it goes on with %v", next)
	}
	if alone := s.call(t, "m365_group_get", args{"group": fmt.Sprint(got["id"]), "owners": true}); alone["members"] != nil {
		t.Errorf("alone %v", alone)
	}
	if e := s.fails(t, mcptools.CodeNotFound, "m365_group_get", args{"group": "Knights"}); !strings.Contains(e.Hint, "m365_groups_find") {
		t.Errorf("got %v, want the tool that finds groups", e)
	}
	if e := s.fails(t, mcptools.CodeNotFound, "m365_user_get", args{"user": "Lancelot"}); !strings.Contains(e.Hint, "m365_users_find") {
		t.Errorf("got %v, want the tool that finds users", e)
	}
}
