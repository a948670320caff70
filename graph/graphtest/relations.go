package graphtest

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// relationRoutes answers for what hangs on a user, and for places.
func relationRoutes() map[string]handler {
	return map[string]handler{
		"GET /users/{id}/manager":                                  getManager,
		"GET /users/{id}/directReports":                            listReports,
		"GET /users/{id}/memberOf":                                 listMemberships,
		"GET /users/{id}/memberOf/microsoft.graph.group":           listMemberships,
		"GET /users/{id}/transitiveMemberOf":                       listMemberships,
		"GET /users/{id}/transitiveMemberOf/microsoft.graph.group": listMemberships,
		"GET /users/{id}/memberOf/microsoft.graph.directoryRole":   listMemberships,
		"GET /users/{id}/licenseDetails":                           func(c *call) (reply, error) { return c.fixed("licenseDetails", c.owner.licences) },
		"GET /users/{id}/authentication/methods":                   listMethods,
		"GET /users/{id}/ownedDevices":                             listDevices,
		"GET /users/{id}/registeredDevices":                        listDevices,
		"GET /users/{id}/people":                                   listPeople,
		"GET /places/microsoft.graph.room":                         func(c *call) (reply, error) { return c.fixed("room", c.rooms) },
	}
}

func getManager(c *call) (reply, error) {
	if c.owner.manager == nil {
		return reply{}, failf(http.StatusNotFound, "Request_ResourceNotFound", "Resource 'manager' does not exist or one of its queried reference-property objects are not present.")
	}
	return c.one(c.people(nil), c.people([]*user{c.owner.manager}).items[0])
}

func listReports(c *call) (reply, error) {
	var reports []*user
	for _, u := range c.users {
		if u.manager == c.owner {
			reports = append(reports, u)
		}
	}
	return c.list(c.people(reports))
}

// memberships are the groups and roles of a user.
func (t *tenant) memberships(u *user, transitive bool) []object {
	views := []object{}
	seen := map[*group]bool{}
	var add func(g *group)
	add = func(g *group) {
		if seen[g] {
			return
		}
		seen[g] = true
		view := maps.Clone(g.props)
		view["@odata.type"] = "#microsoft.graph.group"
		views = append(views, view)
		if transitive {
			for _, parent := range g.parents {
				add(parent)
			}
		}
	}
	for _, g := range t.groups {
		if slices.Contains(g.members, u) {
			add(g)
		}
	}
	for _, role := range t.roles {
		if slices.Contains(role.holders, u) {
			view := maps.Clone(role.props)
			view["@odata.type"] = "#microsoft.graph.directoryRole"
			views = append(views, view)
		}
	}
	return views
}

func listMemberships(c *call) (reply, error) {
	l := listing{kinds: []string{"group", "directoryRole", "directoryObject"}, top: 100, maxTop: 999, tokens: true, check: checkDirectoryQuery, noID: true}
	_, cast, isCast := strings.Cut(c.route, "/microsoft.graph.")
	for _, view := range c.memberships(c.owner, strings.Contains(c.route, "/transitiveMemberOf")) {
		if isCast && view["@odata.type"] != "#microsoft.graph."+cast {
			continue
		}
		l.items = append(l.items, item{view, func(prefs) object { return maps.Clone(view) }, nil})
	}
	return c.list(l)
}

func listMethods(c *call) (reply, error) { return c.fixed("authenticationMethod", c.owner.methods) }

func listDevices(c *call) (reply, error) {
	l := listing{kinds: []string{"device", "directoryObject"}, top: 100, maxTop: 999, tokens: true, noID: true}
	for _, d := range c.owner.devices {
		l.items = append(l.items, item{d, func(prefs) object { return maps.Clone(d) }, nil})
	}
	return c.list(l)
}

// listPeople ranks whom a user works with: colleagues, and those outside who
// write or are written to.
// https://learn.microsoft.com/graph/api/user-list-people
func listPeople(c *call) (reply, error) {
	l := listing{kinds: []string{"person"}, top: 10, maxTop: 1000, search: peopleSearch}
	seen := map[string]bool{strings.ToLower(c.owner.mail()): true}
	add := func(name, address string, u *user) {
		key := strings.ToLower(address)
		if address == "" || seen[key] {
			return
		}
		seen[key] = true
		view := person(name, address, u)
		l.items = append(l.items, item{view, func(prefs) object { return maps.Clone(view) }, nil})
	}
	if c.owner.box != nil {
		for _, m := range c.owner.box.newestFirst() {
			from := at(m.props, "from", "emailAddress")
			if name := textAt(from, "name"); !strings.Contains(textAt(from, "address"), "no-reply") {
				add(name, textAt(from, "address"), c.user(textAt(from, "address")))
			}
		}
	}
	for _, u := range c.users {
		if u.box != nil && u.props["accountEnabled"] == true {
			add(u.name(), u.mail(), u)
		}
	}
	return c.list(l)
}

func person(name, address string, u *user) object {
	first, last, _ := strings.Cut(name, " ")
	view := object{
		"id": guid("person" + address), "displayName": name, "givenName": first, "surname": last, "birthday": "", "personNotes": "", "isFavorite": false,
		"jobTitle": nil, "companyName": nil, "department": nil, "officeLocation": nil, "profession": "", "yomiCompany": "",
		"userPrincipalName": nil, "imAddress": nil, "phones": []any{}, "postalAddresses": []any{}, "websites": []any{},
		"scoredEmailAddresses": []any{object{"address": address, "relevanceScore": 10.0, "selectionLikelihood": "notSpecified"}},
		"personType":           object{"class": "Person", "subclass": "ImplicitContact"},
	}
	if u != nil {
		view["id"] = u.id()
		for _, name := range []string{"jobTitle", "companyName", "department", "officeLocation", "userPrincipalName"} {
			view[name] = u.props[name]
		}
		view["personType"] = object{"class": "Person", "subclass": "OrganizationUser"}
	}
	return view
}

// peopleSearch matches names and addresses; unlike elsewhere the quotes are
// optional.
func peopleSearch(text string) (func(object) bool, error) {
	text = strings.Trim(text, `"`)
	return containsWord(func(o object) string {
		words := []string{textAt(o, "displayName")}
		for _, a := range elements(o["scoredEmailAddresses"]) {
			words = append(words, textAt(a, "address"))
		}
		return strings.Join(words, " ")
	}, text), nil
}
