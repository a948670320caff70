package graph

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/internal/match"
	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// FindGroupsInput says which groups to find. Conditions are combined.
type FindGroupsInput struct {
	Query     string `json:"query,omitempty" jsonschema:"words of the name, or address"`
	Type      string `json:"type,omitempty" enum:"m365,security,mail_security,distribution,dynamic,team"`
	Ownerless bool   `json:"ownerless,omitempty"`
	Limit     int    `json:"limit,omitempty" minimum:"1" maximum:"100" default:"20"`
	Cursor    string `json:"cursor,omitempty"`
}

// GroupRow is a group of the directory.
type GroupRow struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Type        string `json:"type"`
	Mail        string `json:"mail,omitempty"`
	Description string `json:"description,omitempty"`
	Dynamic     bool   `json:"dynamic,omitempty"`
	Team        bool   `json:"team,omitempty"`
	OnPremises  bool   `json:"on_premises,omitempty"`
}

// directoryGroup is a group as Graph sends it.
// https://learn.microsoft.com/graph/api/resources/group
type directoryGroup struct {
	ID          string   `json:"id"`
	Name        string   `json:"displayName"`
	Description string   `json:"description"`
	Mail        string   `json:"mail"`
	MailOn      bool     `json:"mailEnabled"`
	Security    bool     `json:"securityEnabled"`
	Types       []string `json:"groupTypes"`
	Options     []string `json:"resourceProvisioningOptions"`
	Synced      bool     `json:"onPremisesSyncEnabled"`
	Visibility  string   `json:"visibility"`
	Rule        string   `json:"membershipRule"`
	RoleGroup   bool     `json:"isAssignableToRole"`
	Owners      []member `json:"owners"`
}

const groupRowFields = "id,displayName,description,mail,mailEnabled,securityEnabled,groupTypes,resourceProvisioningOptions,onPremisesSyncEnabled"

// kind names the sort of group, as admin centres do.
// https://learn.microsoft.com/graph/api/resources/groups-overview
func (g *directoryGroup) kind() string {
	switch {
	case slices.Contains(g.Types, "Unified"):
		return "m365"
	case g.MailOn && g.Security:
		return "mail_security"
	case g.MailOn:
		return "distribution"
	}
	return "security"
}

func (g *directoryGroup) dynamic() bool { return slices.Contains(g.Types, "DynamicMembership") }
func (g *directoryGroup) team() bool    { return slices.Contains(g.Options, "Team") }

// groupFilter returns the condition of a type.
func groupFilter(kind string) string {
	const unified = "groupTypes/any(t:t eq 'Unified')"
	switch kind {
	case "m365":
		return unified
	case "security":
		return "securityEnabled eq true and mailEnabled eq false"
	case "mail_security":
		return "securityEnabled eq true and mailEnabled eq true and not " + unified
	case "distribution":
		return "securityEnabled eq false and mailEnabled eq true and not " + unified
	case "dynamic":
		return "groupTypes/any(t:t eq 'DynamicMembership')"
	case "team":
		return "resourceProvisioningOptions/any(t:t eq 'Team')"
	}
	return ""
}

// FindGroups lists groups of the directory.
// https://learn.microsoft.com/graph/api/group-list
func (c *Client) FindGroups(ctx context.Context, in FindGroupsInput) (*mcptools.Page[GroupRow], error) {
	query, header := url.Values{"$select": {groupRowFields}}, advanced()
	filter := groupFilter(in.Type)
	address := strings.Contains(in.Query, "@")
	switch {
	case in.Ownerless:
		// Owners can only be had together with the groups by $expand, which the
		// directory's search does not go with: the rest is chosen here.
		query.Set("$expand", "owners($select=id)")
		filter, header = "", nil
	case address:
		filter = strings.TrimSuffix("startswith(mail,"+quote(in.Query)+") and "+filter, " and ")
		query.Set("$count", "true")
	default:
		if in.Query != "" {
			query.Set("$search", searchWords(in.Query, "displayName", "description"))
		}
		query.Set("$count", "true")
	}
	if filter != "" {
		query.Set("$filter", filter)
	}
	return choose(ctx, c, collection{
		tool: "m365_groups_find", args: in, cursor: in.Cursor, limit: cmp.Or(in.Limit, 20),
		path: "/groups", query: query, header: header, sparse: in.Ownerless,
	}, func(g directoryGroup) (GroupRow, bool) {
		keep := !in.Ownerless || len(g.Owners) == 0 && in.fits(&g)
		return groupRow(&g), keep
	})
}

// fits reports whether a group meets the conditions.
func (in FindGroupsInput) fits(g *directoryGroup) bool {
	if !contains(in.Query, g.Name, g.Description, g.Mail) {
		return false
	}
	switch in.Type {
	case "":
		return true
	case "dynamic":
		return g.dynamic()
	case "team":
		return g.team()
	}
	return g.kind() == in.Type
}

func groupRow(g *directoryGroup) GroupRow {
	return GroupRow{
		ID: g.ID, Name: g.Name, Type: g.kind(), Mail: g.Mail, Description: markup.Preview(g.Description, 80),
		Dynamic: g.dynamic(), Team: g.team(), OnPremises: g.Synced,
	}
}

// GetGroupInput says which group to read, and how much of it.
type GetGroupInput struct {
	Group      string `json:"group" jsonschema:"name, address or id"`
	Members    bool   `json:"members,omitempty" jsonschema:"only these; default: both"`
	Owners     bool   `json:"owners,omitempty"`
	Transitive bool   `json:"transitive,omitempty" jsonschema:"members of groups within it too"`
	Limit      int    `json:"limit,omitempty" jsonschema:"members" minimum:"1" maximum:"200" default:"50"`
	Cursor     string `json:"cursor,omitempty"`
}

// Group is a group in full.
type Group struct {
	GroupRow
	Visibility   string      `json:"visibility,omitempty"`
	Rule         string      `json:"rule,omitempty" jsonschema:"of a dynamic group"`
	RoleGroup    bool        `json:"role_group,omitempty" jsonschema:"can hold admin roles"`
	Owners       []MemberRow `json:"owners,omitempty"`
	Members      []MemberRow `json:"members,omitempty"`
	TotalMembers *int        `json:"total_members,omitempty"`
	Cursor       string      `json:"cursor,omitempty" jsonschema:"for more members"`
	Problem      string      `json:"problem,omitempty"`
}

const memberFields = "id,displayName,userPrincipalName,mail,accountEnabled"

// GetGroup reads a group with its owners and members, or with those of the two
// that are asked for.
// https://learn.microsoft.com/graph/api/group-get,
// https://learn.microsoft.com/graph/api/group-list-members and
// https://learn.microsoft.com/graph/api/group-list-transitivemembers
func (c *Client) GetGroup(ctx context.Context, in GetGroupInput) (*Group, error) {
	path, err := c.groupPath(ctx, in.Group)
	if err != nil {
		return nil, err
	}
	withMembers, withOwners := in.Members || in.Transitive, in.Owners
	if !withMembers && !withOwners {
		withMembers, withOwners = true, in.Cursor == "" // a cursor goes on with members
	}
	var g directoryGroup
	if err := c.get(ctx, path, url.Values{"$select": {groupRowFields + ",visibility,membershipRule,isAssignableToRole"}}, nil, &g); err != nil {
		return nil, err
	}
	out := &Group{GroupRow: groupRow(&g), Visibility: g.Visibility, Rule: g.Rule, RoleGroup: g.RoleGroup}
	out.Description = g.Description
	if withOwners {
		owners, err := list(ctx, c, collection{
			tool: "m365_group_get owners", limit: 100, path: path + "/owners", query: url.Values{"$select": {memberFields}},
		}, memberRow)
		if err != nil {
			return nil, err
		}
		out.Owners, out.Problem = owners.Items, owners.Problem
	}
	if !withMembers {
		return out, nil
	}
	members := "/members"
	if in.Transitive {
		members = "/transitiveMembers"
	}
	page, err := list(ctx, c, collection{
		tool: "m365_group_get", args: in, cursor: in.Cursor, limit: cmp.Or(in.Limit, 50), path: path + members,
		query: url.Values{"$select": {memberFields}, "$count": {"true"}}, header: advanced(),
	}, memberRow)
	if err != nil {
		return nil, err
	}
	out.Members, out.TotalMembers, out.Cursor = page.Items, page.Total, page.Cursor
	out.Problem = cmp.Or(page.Problem, out.Problem)
	return out, nil
}

// groupPath returns the path of the group of that name, address or id.
func (c *Client) groupPath(ctx context.Context, group string) (string, error) {
	group = strings.TrimSpace(group)
	id := group
	if !guid.MatchString(group) {
		identity, err := c.holder(ctx)
		if err != nil {
			return "", err
		}
		id, err = c.resolved.Get(ctx, "group\x00"+identity+"\x00"+strings.ToLower(group), func(ctx context.Context) (string, error) {
			return c.findGroup(ctx, group)
		})
		if err != nil {
			return "", err
		}
	}
	return rest.Path("/groups/{}", id)
}

// findGroup looks a name or an address up in the directory.
func (c *Client) findGroup(ctx context.Context, name string) (string, error) {
	property := "displayName"
	if strings.Contains(name, "@") {
		property = "mail"
	}
	var found struct {
		Value []directoryGroup `json:"value"`
	}
	query := url.Values{"$filter": {"startswith(" + property + "," + quote(name) + ")"}, "$select": {"id,displayName,mail"}, "$top": {"20"}}
	if err := c.get(ctx, "/groups", query, nil, &found); err != nil {
		return "", err
	}
	var candidates []match.Candidate
	for _, g := range found.Value {
		candidates = append(candidates, match.Candidate{ID: g.ID, Name: g.Name, Also: []string{g.Mail}, Note: g.Mail})
	}
	one, err := match.One("group", name, candidates)
	return one.ID, orFind(err, "m365_groups_find")
}
