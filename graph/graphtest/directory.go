package graphtest

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
)

// directoryRoutes answers for users, groups and the tenant itself.
// https://learn.microsoft.com/graph/aad-advanced-queries
func directoryRoutes() map[string]handler {
	return map[string]handler{
		"GET /users":                         listUsers,
		"GET /users/$count":                  func(c *call) (reply, error) { return c.countRows(userListing(c.userRows())) },
		"GET /users/{id}":                    getUser,
		"GET /groups":                        listGroups,
		"GET /groups/$count":                 func(c *call) (reply, error) { return c.countRows(groupListing(c.groupRows())) },
		"GET /groups/{id}":                   getGroup,
		"GET /groups/{id}/members":           groupMembers,
		"GET /groups/{id}/owners":            groupOwners,
		"GET /groups/{id}/transitiveMembers": groupMembers,
		"GET /organization":                  listOrganization,
		"GET /domains":                       listDomains,
		"GET /subscribedSkus":                listSKUs,
		"GET /directoryRoles":                listRoles,
	}
}

type group struct {
	props   object
	members []*user
	owners  []*user
	parents []*group // groups that this one is a member of
}

func (g *group) id() string { return textAt(g.props, "id") }

var (
	userDefaults  = []string{"businessPhones", "displayName", "givenName", "id", "jobTitle", "mail", "mobilePhone", "officeLocation", "preferredLanguage", "surname", "userPrincipalName"}
	groupDefaults = []string{
		"id", "deletedDateTime", "classification", "createdDateTime", "creationOptions", "description", "displayName", "expirationDateTime",
		"groupTypes", "isAssignableToRole", "mail", "mailEnabled", "mailNickname", "membershipRule", "membershipRuleProcessingState",
		"onPremisesSyncEnabled", "proxyAddresses", "renewedDateTime", "securityEnabled", "securityIdentifier", "theme", "visibility",
	}
)

func userListing(rows []item) listing {
	return listing{
		kinds: []string{"user"}, items: rows, top: 100, maxTop: 999, defaults: userDefaults, noID: true, tokens: true,
		check: checkDirectoryQuery, search: directorySearch("user"),
	}
}

func groupListing(rows []item) listing {
	return listing{
		kinds: []string{"group"}, items: rows, top: 100, maxTop: 999, defaults: groupDefaults, noID: true, tokens: true,
		check: checkDirectoryQuery, search: directorySearch("group"),
	}
}

func (c *call) userRows() []item {
	var rows []item
	for _, u := range c.users {
		rows = append(rows, c.userItem(u))
	}
	return rows
}

func (c *call) userItem(u *user) item {
	return item{u.props, func(prefs) object { return maps.Clone(u.props) }, func(name string, _ prefs) any {
		switch name {
		case "manager":
			if u.manager != nil {
				return c.asDirectoryObject(u.manager)
			}
		case "directReports":
			return c.reports(u)
		case "memberOf":
			return c.memberships(u, false)
		}
		return nil
	}}
}

// asDirectoryObject shows a user where the type could be another.
func (c *call) asDirectoryObject(u *user) object {
	view := object{"@odata.type": "#microsoft.graph.user"}
	for _, name := range userDefaults {
		view[name] = u.props[name]
	}
	return view
}

func (c *call) reports(u *user) []object {
	views := []object{}
	for _, other := range c.users {
		if other.manager == u {
			views = append(views, c.asDirectoryObject(other))
		}
	}
	return views
}

func listUsers(c *call) (reply, error) {
	if err := c.checkSignIn(); err != nil {
		return reply{}, err
	}
	for _, name := range onlyOfOne {
		if slices.Contains(strings.Split(c.option("$select"), ","), name) {
			c.violate(fakehttp.UnknownQuery, "$select=%s in a list of users", name)
			return reply{}, failf(http.StatusNotImplemented, "NotImplemented", "This operation target is not yet supported.")
		}
	}
	return c.list(userListing(c.userRows()))
}

// onlyOfOne are properties that come from outside the directory, so that they
// can be read of one user only.
var onlyOfOne = []string{"aboutMe", "birthday", "hireDate", "interests", "mailboxSettings", "mySite", "pastProjects", "preferredName", "responsibilities", "schools", "skills"}

// checkSignIn: the sign-in times need a permission of their own.
func (c *call) checkSignIn() error {
	if strings.Contains(c.option("$select"), "signInActivity") && !slices.Contains(c.caller.scopes, "AuditLog.Read.All") {
		return failf(http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
	}
	return nil
}

func getUser(c *call) (reply, error) {
	if err := c.checkSignIn(); err != nil {
		return reply{}, err
	}
	if strings.Contains(c.option("$select"), "signInActivity") && c.ids[0] != c.owner.id() {
		c.violate(fakehttp.UnknownQuery, "$select=signInActivity of a user who is not named by object id")
		return reply{}, failf(http.StatusBadRequest, "BadRequest", "Get By Key only supports UserId and the key has to be a valid Guid")
	}
	if strings.Contains(c.option("$select"), "mailboxSettings") && c.owner.box == nil {
		return reply{}, failf(http.StatusNotFound, "MailboxNotEnabledForRESTAPI", "The mailbox is either inactive, soft-deleted, or is hosted on-premise.")
	}
	row := c.userItem(c.owner)
	if c.owner.box != nil {
		row.view = func(prefs) object {
			view := maps.Clone(c.owner.props)
			view["mailboxSettings"] = maps.Clone(c.owner.box.settings)
			return view
		}
	}
	return c.one(userListing(nil), row)
}

// checkDirectoryQuery holds the directory's rules: what its default index
// cannot answer needs ConsistencyLevel: eventual and $count=true.
func checkDirectoryQuery(c *call, q query) error {
	eventual := strings.EqualFold(c.r.Header.Get("ConsistencyLevel"), "eventual")
	if q.skip > 0 {
		c.violate(fakehttp.UnknownQuery, "$skip in the directory")
		return failf(http.StatusBadRequest, "Request_UnsupportedQuery", "'$skip' is not supported by the service.")
	}
	if q.search != "" && !eventual {
		c.violate(fakehttp.BadHeader, "$search without ConsistencyLevel: eventual")
		return failf(http.StatusBadRequest, "Request_UnsupportedQuery", "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'")
	}
	if q.count && !eventual {
		c.violate(fakehttp.SilentlyIgnored, "$count=true without ConsistencyLevel: eventual")
		return failf(http.StatusBadRequest, "Request_UnsupportedQuery", "$count is not currently supported.")
	}
	if strings.HasSuffix(c.route, "/$count") && !eventual {
		c.violate(fakehttp.BadHeader, "/$count without ConsistencyLevel: eventual")
		return failf(http.StatusBadRequest, "Request_BadRequest", "$count is not currently supported.")
	}
	advanced := q.filter != nil && len(q.orderBy) > 0
	for _, by := range q.orderBy {
		advanced = advanced || by.path != "displayName" && by.path != "userPrincipalName"
	}
	if q.filter != nil {
		needs, err := c.checkDirectoryFilter(q.filter)
		if err != nil {
			return err
		}
		advanced = advanced || needs
	}
	if advanced && (!eventual || !q.count && !strings.HasSuffix(c.route, "/$count")) {
		c.violate(fakehttp.BadHeader, "an advanced query without ConsistencyLevel: eventual and $count=true")
		return failf(http.StatusBadRequest, "Request_UnsupportedQuery", "Unsupported Query. The specified query needs the header 'ConsistencyLevel: eventual' and $count=true.")
	}
	return nil
}

// checkDirectoryFilter says whether a $filter needs advanced query
// capabilities, or refuses what the directory cannot do at all.
func (c *call) checkDirectoryFilter(f *filter) (advanced bool, err error) {
	for _, op := range f.operators {
		switch op {
		case "contains", "tolower":
			c.violate(fakehttp.UnknownQuery, "%s in a directory $filter", op)
			return false, failf(http.StatusBadRequest, "Request_UnsupportedQuery", "Unsupported Query.")
		case "ne", "not", "endswith", "$count", "gt", "lt":
			advanced = true
		}
	}
	for _, p := range f.properties {
		if slices.Contains([]string{"department", "companyName", "officeLocation", "country", "city", "employeeType", "employeeHireDate"}, p) && !onlyEquals(f.operators) {
			advanced = true
		}
		if strings.HasPrefix(p, "signInActivity") && len(f.properties) > 1 {
			c.violate(fakehttp.UnknownQuery, "signInActivity with other properties in $filter")
			return false, failf(http.StatusBadRequest, "Request_UnsupportedQuery", "A filter on signInActivity cannot be combined with other filterable properties.")
		}
	}
	return advanced, nil
}

func onlyEquals(operators []string) bool {
	return !slices.ContainsFunc(operators, func(op string) bool { return op != "eq" && op != "in" && op != "or" })
}

// directorySearch makes the test of "property:value" clauses joined by AND and
// OR. Words match at their beginning.
func directorySearch(kind string) func(string) (func(object) bool, error) {
	return func(text string) (func(object) bool, error) {
		var tests [][]func(object) bool // any of all of
		for clause := range strings.SplitSeq(text, " OR ") {
			var all []func(object) bool
			for part := range strings.SplitSeq(clause, " AND ") {
				part = strings.Trim(strings.TrimSpace(part), "()")
				if len(part) < 2 || part[0] != '"' || part[len(part)-1] != '"' {
					return nil, failf(http.StatusBadRequest, "Request_UnsupportedQuery", "Search clauses must be enclosed in double quotes: \"property:value\".")
				}
				property, value, hasProperty := strings.Cut(part[1:len(part)-1], ":")
				if _, known := lookup(typesOf([]string{kind}), property); !hasProperty || !known {
					return nil, failf(http.StatusBadRequest, "Request_UnsupportedQuery", "Unrecognized property in $search clause '%s'.", part)
				}
				all = append(all, startsAWord(property, value))
			}
			tests = append(tests, all)
		}
		return func(o object) bool {
			return slices.ContainsFunc(tests, func(all []func(object) bool) bool {
				return !slices.ContainsFunc(all, func(test func(object) bool) bool { return !test(o) })
			})
		}, nil
	}
}

// startsAWord tests displayName and description word by word and everything
// else from its beginning, as the directory does.
func startsAWord(property, value string) func(object) bool {
	if property == "displayName" || property == "description" {
		return containsWord(func(o object) string { return textAt(o, property) }, value)
	}
	return func(o object) bool {
		values := append(elements(o[property]), o[property])
		return slices.ContainsFunc(values, func(v any) bool {
			return value != "" && strings.HasPrefix(strings.ToLower(toText(v)), strings.ToLower(value))
		})
	}
}

func toText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		if v {
			return "true"
		}
		return "false"
	}
	var words []string
	for _, e := range elements(v) {
		words = append(words, toText(e))
	}
	return strings.Join(words, " ")
}

func (c *call) groupRows() []item {
	var rows []item
	for _, g := range c.groups {
		rows = append(rows, c.groupItem(g))
	}
	return rows
}

func (c *call) groupItem(g *group) item {
	return item{g.props, func(prefs) object { return maps.Clone(g.props) }, func(name string, _ prefs) any {
		views := []object{}
		switch name {
		case "members":
			for _, u := range g.members {
				views = append(views, c.asDirectoryObject(u))
			}
		case "owners":
			for _, u := range g.owners {
				views = append(views, c.asDirectoryObject(u))
			}
		default:
			return nil
		}
		return views
	}}
}

func listGroups(c *call) (reply, error) { return c.list(groupListing(c.groupRows())) }

func (c *call) group() (*group, error) {
	for _, g := range c.groups {
		if g.id() == c.ids[0] {
			return g, nil
		}
	}
	return nil, failf(http.StatusNotFound, "Request_ResourceNotFound", "Resource '%s' does not exist or one of its queried reference-property objects are not present.", c.ids[0])
}

func getGroup(c *call) (reply, error) {
	g, err := c.group()
	if err != nil {
		return reply{}, err
	}
	return c.one(groupListing(nil), c.groupItem(g))
}

func groupMembers(c *call) (reply, error) {
	g, err := c.group()
	if err != nil {
		return reply{}, err
	}
	users, nested := c.membersOf(g, strings.HasSuffix(c.route, "/transitiveMembers"))
	l := c.people(users)
	l.kinds = append(l.kinds, "group")
	for _, one := range nested {
		l.items = append(l.items, item{one.props, func(prefs) object {
			view := maps.Clone(one.props)
			view["@odata.type"] = "#microsoft.graph.group"
			return view
		}, nil})
	}
	return c.list(l)
}

// membersOf are the users and the groups in a group; transitively, also those in
// the latter.
func (t *tenant) membersOf(g *group, transitive bool) (users []*user, nested []*group) {
	users = slices.Clone(g.members)
	for _, one := range t.groups {
		if !slices.Contains(one.parents, g) {
			continue
		}
		nested = append(nested, one)
		if !transitive {
			continue
		}
		more, deeper := t.membersOf(one, true)
		nested = append(nested, deeper...)
		for _, u := range more {
			if !slices.Contains(users, u) {
				users = append(users, u)
			}
		}
	}
	return users, nested
}

func groupOwners(c *call) (reply, error) {
	g, err := c.group()
	if err != nil {
		return reply{}, err
	}
	return c.list(c.people(g.owners))
}

// people lists users where the type could be another.
func (c *call) people(users []*user) listing {
	l := listing{kinds: []string{"user", "directoryObject"}, top: 100, maxTop: 999, defaults: userDefaults, tokens: true, check: checkDirectoryQuery, noID: true}
	for _, u := range users {
		l.items = append(l.items, item{u.props, func(prefs) object {
			view := maps.Clone(u.props)
			view["@odata.type"] = "#microsoft.graph.user"
			return view
		}, nil})
	}
	return l
}

// fixed lists objects that never change.
func (c *call) fixed(kind string, objects []object) (reply, error) {
	l := listing{kinds: []string{kind}, top: 100, maxTop: 999, tokens: true}
	for _, o := range objects {
		l.items = append(l.items, item{o, func(prefs) object { return maps.Clone(o) }, nil})
	}
	return c.list(l)
}

func listSKUs(c *call) (reply, error) { return c.fixed("subscribedSku", c.skus) }

// role is an activated directory role and who holds it.
type role struct {
	props   object
	holders []*user
}

func listRoles(c *call) (reply, error) {
	var views []object
	for _, r := range c.roles {
		views = append(views, r.props)
	}
	return c.fixed("directoryRole", views)
}

func listDomains(c *call) (reply, error) {
	return c.fixed("domain", []object{
		{"id": "nordlicht.example", "authenticationType": "Managed", "isAdminManaged": true, "isDefault": true, "isInitial": false, "isRoot": true, "isVerified": true, "supportedServices": []any{"Email", "OfficeCommunicationsOnline"}},
		{"id": "nordlichtit.onmicrosoft.example", "authenticationType": "Managed", "isAdminManaged": true, "isDefault": false, "isInitial": true, "isRoot": true, "isVerified": true, "supportedServices": []any{"Email"}},
	})
}

func listOrganization(c *call) (reply, error) {
	return c.fixed("organization", []object{{
		"id": TenantID, "displayName": "Nordlicht IT GmbH", "city": "Hamburg", "country": "Germany", "countryLetterCode": "DE",
		"createdDateTime": timestamp(c.started.AddDate(-6, 0, 0)), "preferredLanguage": "en", "tenantType": "AAD", "street": "Speicherstraße 12", "postalCode": "20457",
		"technicalNotificationMails": []any{"tom.lindqvist@nordlicht.example"}, "onPremisesSyncEnabled": nil, "businessPhones": []any{"+49 40 5550 100"},
		"verifiedDomains": []any{
			object{"name": "nordlicht.example", "isDefault": true, "isInitial": false, "type": "Managed", "capabilities": "Email, OfficeCommunicationsOnline"},
			object{"name": "nordlichtit.onmicrosoft.example", "isDefault": false, "isInitial": true, "type": "Managed", "capabilities": "Email"},
		},
	}})
}
