package graphtest

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

const eventual = "ConsistencyLevel: eventual"

func TestUsers(t *testing.T) {
	r := newRig(t, Options{PageSize: 5})
	me := r.get("/me").want(t, 200)
	if me.body["userPrincipalName"] != SignedInUser || me.body["department"] != nil || len(textAt(me.body, "id")) != 36 {
		t.Errorf("%s", me.raw)
	}
	if a := r.get("/users/" + SignedInUser + "?$select=signInActivity"); a.status != 400 || !r.violated("unknown-query") {
		t.Errorf("sign-in times by name: %d %s", a.status, a.raw)
	}
	r.ResetRecord()
	one := r.get("/users/"+textAt(me.body, "id")+"?$select=id,department,signInActivity&$expand=manager($select=id,displayName)").want(t, 200)
	if one.body["department"] != "Service Desk" || textAt(one.body, "manager", "displayName") != "Tom Lindqvist" || at(one.body, "manager", "mail") != nil || textAt(one.body, "signInActivity", "lastSignInDateTime") == "" {
		t.Errorf("%s", one.raw)
	}
	var names []string
	for next := "/users?$select=displayName&$filter=accountEnabled eq true"; next != ""; {
		a := r.get(next).want(t, 200)
		names = append(names, a.strings("displayName")...)
		next = textAt(a.body, "@odata.nextLink")
		if next != "" && !strings.Contains(next, "$skiptoken=") {
			t.Fatalf("nextLink %q", next)
		}
	}
	if len(names) != 14 || slices.Contains(names, "Peter Voss") {
		t.Errorf("%v", names)
	}
	r.clean()
	if a := r.get("/users/nobody@nordlicht.example"); a.status != 404 || a.code() != "Request_ResourceNotFound" {
		t.Errorf("%d %s", a.status, a.raw)
	}
	if a := r.get("/users/nobody@nordlicht.example/messages"); a.status != 404 || a.code() != "ErrorInvalidUser" {
		t.Errorf("%d %s", a.status, a.raw)
	}
	if a := r.get("/users?$skiptoken=abc"); a.status != 400 {
		t.Errorf("a forged token: %d", a.status)
	}
}

func TestDirectoryQueries(t *testing.T) {
	r := newRig(t, Options{})
	tests := []struct {
		query  string
		header string
		count  int // -1: refused
	}{
		{"$filter=startswith(displayName,'Sam')", "", 1},
		{"$filter=mail eq 'Anna.Berg@hafenlogistik.example'", "", 1},
		{"$filter=userType eq 'Guest'", "", 2},
		{"$filter=department eq 'Service Desk'", "", 7},
		{"$filter=otherMails/any(m:m eq 'jonas.weber@hafenlogistik.example')", "", 1},
		{"$filter=assignedLicenses/any(l:l/skuId eq cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46)", "", 12},
		{"$filter=assignedLicenses/$count eq 0&$count=true", eventual, 7},
		{"$filter=endswith(mail,'@hafenlogistik.example')&$count=true", eventual, 2},
		{"$filter=endswith(mail,'@hafenlogistik.example')", "", -1},
		{"$filter=department ne 'Service Desk'&$count=true", eventual, 12},
		{"$filter=department ne 'Service Desk'", eventual, -1},
		{"$filter=contains(displayName,'Sam')&$count=true", eventual, -1},
		{`$search="displayName:okaf"`, eventual, 1},
		{`$search="displayName:nair" OR "mail:anna"`, eventual, 2},
		{`$search="displayName:okaf"`, "", -1},
		{`$search="okaf"`, eventual, -1},
		{"$orderby=displayName", "", 19},
		{"$orderby=displayName&$filter=startswith(displayName,'S')", "", -1},
		{"$orderby=displayName&$filter=startswith(displayName,'S')&$count=true", eventual, 2},
		{"$count=true", "", -1},
		{"$orderby=createdDateTime", "", -1},
		{"$orderby=createdDateTime&$count=true", eventual, 19},
		{"$skip=2", "", -1},
		{"$filter=startswith(name,'Sam')", "", -1},
		{"$filter=signInActivity/lastSignInDateTime le 2026-01-01T00:00:00Z", "", 1},
	}
	for _, tt := range tests {
		r.ResetRecord()
		var headers []string
		if tt.header != "" {
			headers = []string{tt.header}
		}
		a := r.get("/users?"+strings.ReplaceAll(tt.query, `"`, "%22"), headers...)
		switch {
		case tt.count < 0:
			if a.status != 400 || len(r.Violations()) == 0 {
				t.Errorf("%s: %d %s %v", tt.query, a.status, a.raw, r.Violations())
			}
		case len(a.values()) != tt.count || len(r.Violations()) != 0:
			t.Errorf("%s: %d, %d rows %v, %v", tt.query, a.status, len(a.values()), a.strings("displayName"), r.Violations())
		}
	}
	if a := r.get("/users/$count", eventual).want(t, 200); string(a.raw) != "19" {
		t.Errorf("%s users", a.raw)
	}
}

func TestRelations(t *testing.T) {
	r := newRig(t, Options{})
	groups := r.get("/groups?$filter=displayName eq 'Service Desk'").want(t, 200).values()
	desk := "/groups/" + textAt(groups[0], "id")
	if members := r.get(desk + "/members?$select=displayName").strings("displayName"); len(members) != 5 {
		t.Errorf("%v", members)
	}
	if owners := r.get(desk + "/owners").strings("displayName"); !slices.Equal(owners, []string{"Tom Lindqvist"}) {
		t.Errorf("%v", owners)
	}
	if got := r.get("/me/memberOf?$select=displayName").strings("displayName"); !slices.Equal(got, []string{"All Staff", "Service Desk", "Helpdesk Administrator"}) {
		t.Errorf("%v", got)
	}
	if got := r.get("/me/transitiveMemberOf/microsoft.graph.group?$select=displayName").strings("displayName"); !slices.Equal(got, []string{"All Staff", "Service Desk", "MFA Required"}) {
		t.Errorf("%v", got)
	}
	for path, count := range map[string]int{
		"/me/licenseDetails": 1, "/me/authentication/methods": 2, "/me/ownedDevices": 1, "/organization": 1, "/domains": 2,
		"/subscribedSkus": 2, "/directoryRoles": 2, "/me/directReports": 0, "/users/tom.lindqvist@nordlicht.example/directReports": 3,
		"/me/people?$search=anna": 1, "/me/people?$top=3": 3, "/places/microsoft.graph.room": 3, "/me/outlook/masterCategories": 4,
	} {
		if a := r.get(path).want(t, 200); len(a.values()) != count {
			t.Errorf("%s: %d rows", path, len(a.values()))
		}
	}
	if a := r.get("/me/manager?$select=displayName").want(t, 200); a.body["displayName"] != "Tom Lindqvist" {
		t.Errorf("%s", a.raw)
	}
	r.clean()
	if a := r.get("/users/henrik.olsen@nordlicht.example/manager"); a.status != 404 {
		t.Errorf("the boss has a manager: %d", a.status)
	}
}

func TestSearchQuery(t *testing.T) {
	r := newRig(t, Options{})
	ask := func(types []string, text string, extra object) answer {
		request := object{"entityTypes": types, "query": object{"queryString": text}}
		maps.Copy(request, extra)
		return r.do("POST", "/search/query", object{"requests": []object{request}})
	}
	a := ask([]string{"message"}, "vpn", object{"from": 0, "size": 2}).want(t, 200)
	container := asObject(elements(at(elements(a.body["value"])[0], "hitsContainers"))[0])
	hits := elements(container["hits"])
	if number(container["total"]) != 4 || container["moreResultsAvailable"] != true || len(hits) != 2 {
		t.Fatalf("%s", a.raw)
	}
	resource := asObject(at(hits[0], "resource"))
	if resource["@odata.type"] != "#microsoft.graph.message" || resource["body"] != nil || textAt(resource, "from", "emailAddress", "address") == "" {
		t.Errorf("%v", resource)
	}
	if a := ask([]string{"event"}, "subject:holiday", nil).want(t, 200); !strings.Contains(string(a.raw), "#microsoft.graph.event") {
		t.Errorf("%s", a.raw)
	}
	r.clean()
	for name, a := range map[string]answer{
		"mixed": ask([]string{"message", "event"}, "x", nil), "size": ask([]string{"message"}, "x", object{"size": 100}),
		"kind": ask([]string{"mail"}, "x", nil), "sort": ask([]string{"message"}, "x", object{"sortProperties": []object{{"name": "subject"}}}),
	} {
		if a.status != 400 {
			t.Errorf("%s: %d", name, a.status)
		}
	}
	r.token = r.AppToken()
	if a := ask([]string{"message"}, "vpn", nil); a.status != 400 {
		t.Errorf("an app searches mail: %d", a.status)
	}
}
