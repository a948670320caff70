package graph

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/argument"
	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/internal/when"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// FindUsersInput says which users to find. Conditions are combined.
type FindUsersInput struct {
	Query         string `json:"query,omitempty" jsonschema:"name or address"`
	Department    string `json:"department,omitempty"`
	Enabled       *bool  `json:"enabled,omitempty"`
	Guest         *bool  `json:"guest,omitempty"`
	Licensed      *bool  `json:"licensed,omitempty"`
	InactiveSince string `json:"inactive_since,omitempty" jsonschema:"no sign-in since, such as -90d"`
	Limit         int    `json:"limit,omitempty" minimum:"1" maximum:"100" default:"20"`
	Cursor        string `json:"cursor,omitempty"`

	Fields []string `json:"fields,omitempty" enum:"office,company,phone,mobile,country,employee_id,created,synced"`
	Count  bool     `json:"count,omitempty" jsonschema:"only the number"`
}

// userFields are the fields that a row has on request, as Graph calls them.
func userFields() map[string]string {
	return map[string]string{"office": "officeLocation", "company": "companyName", "phone": "businessPhones", "mobile": "mobilePhone",
		"country": "country", "employee_id": "employeeId", "created": "createdDateTime", "synced": "onPremisesSyncEnabled"}
}

// UserRow is a user of the directory.
type UserRow struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Username   string `json:"username"`
	Mail       string `json:"mail,omitempty" jsonschema:"if it differs"`
	Title      string `json:"title,omitempty"`
	Department string `json:"department,omitempty"`
	Disabled   bool   `json:"disabled,omitempty"`
	Guest      bool   `json:"guest,omitempty"`
	Unlicensed bool   `json:"unlicensed,omitempty"`
	LastSignIn string `json:"last_sign_in,omitempty" jsonschema:"with inactive_since only"`
}

// FoundUser is a user that a search found, with the fields that were asked for.
type FoundUser struct {
	UserRow
	Fields map[string]string `json:"fields,omitempty"`
}

// directoryUser is a user as Graph sends it.
// https://learn.microsoft.com/graph/api/resources/user
type directoryUser struct {
	ID         string    `json:"id"`
	Name       string    `json:"displayName"`
	UPN        string    `json:"userPrincipalName"`
	Mail       string    `json:"mail"`
	Title      string    `json:"jobTitle"`
	Department string    `json:"department"`
	Company    string    `json:"companyName"`
	Office     string    `json:"officeLocation"`
	Mobile     string    `json:"mobilePhone"`
	Phones     []string  `json:"businessPhones"`
	Usage      string    `json:"usageLocation"`
	Enabled    *bool     `json:"accountEnabled"`
	Type       string    `json:"userType"`
	Created    time.Time `json:"createdDateTime"`
	Synced     bool      `json:"onPremisesSyncEnabled"`
	Country    string    `json:"country"`
	EmployeeID string    `json:"employeeId"`
	Licences   []struct {
		SKU string `json:"skuId"`
	} `json:"assignedLicenses"`
	SignIn *signInActivity `json:"signInActivity"`
}

// signInActivity is when somebody last signed in, with or without a client
// doing it for them.
// https://learn.microsoft.com/graph/api/resources/signinactivity
type signInActivity struct {
	Interactive time.Time `json:"lastSignInDateTime"`
	Automatic   time.Time `json:"lastNonInteractiveSignInDateTime"`
}

// last returns the later of both, the zero time for never.
func (s *signInActivity) last() time.Time {
	if s == nil {
		return time.Time{}
	}
	if s.Automatic.After(s.Interactive) {
		return s.Automatic
	}
	return s.Interactive
}

const userRowFields = "id,displayName,userPrincipalName,mail,jobTitle,department,accountEnabled,userType,assignedLicenses"

// FindUsers lists users of the directory.
// https://learn.microsoft.com/graph/api/user-list
func (c *Client) FindUsers(ctx context.Context, in FindUsersInput) (*mcptools.Page[FoundUser], error) {
	zone, err := when.Zone(c.options.TimeZone)
	if err != nil {
		return nil, err
	}
	query := url.Values{"$count": {"true"}}
	if in.Query != "" {
		query = searchUsers(in.Query)
	}
	in.filter(query)
	if in.Count {
		return c.countUsers(ctx, in, query)
	}
	wanted := []string{userRowFields}
	var since time.Time
	if in.InactiveSince != "" {
		if since, err = when.Instant(in.InactiveSince, zone, time.Now()); err != nil {
			return nil, argument.Of("inactive_since", err)
		}
		wanted = append(wanted, "createdDateTime", "signInActivity")
	}
	for _, name := range in.Fields {
		field, ok := userFields()[name]
		if !ok {
			return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "fields: there is no %q", markup.Preview(name, 40))
		}
		if !slices.Contains(wanted, field) {
			wanted = append(wanted, field)
		}
	}
	query.Set("$select", strings.Join(wanted, ","))
	page, err := choose(ctx, c, collection{
		tool: "m365_users_find", args: in, cursor: in.Cursor, limit: cmp.Or(in.Limit, 20),
		path: "/users", query: query, header: advanced(), sparse: in.InactiveSince != "",
	}, func(u directoryUser) (FoundUser, bool) {
		row := FoundUser{userRow(&u), u.fields(in.Fields, zone)}
		if in.InactiveSince == "" {
			return row, true
		}
		last := u.SignIn.last()
		row.LastSignIn = cmp.Or(stamp(last, zone), "never")
		return row, last.Before(since) && u.Created.Before(since)
	})
	if err != nil {
		return nil, in.explain(err)
	}
	if in.InactiveSince != "" { // Graph counted before the choice
		page.Total = nil
	}
	return page, nil
}

// fields returns the named fields of a user, those that have a value.
func (u *directoryUser) fields(names []string, zone *time.Location) map[string]string {
	if len(names) == 0 {
		return nil
	}
	all := map[string]string{"office": u.Office, "company": u.Company, "phone": strings.Join(u.Phones, ", "), "mobile": u.Mobile,
		"country": u.Country, "employee_id": u.EmployeeID, "created": stamp(u.Created, zone), "synced": strconv.FormatBool(u.Synced)}
	maps.DeleteFunc(all, func(name, value string) bool { return value == "" || !slices.Contains(names, name) })
	return all
}

// countUsers answers with the number of users only.
func (c *Client) countUsers(ctx context.Context, in FindUsersInput, query url.Values) (*mcptools.Page[FoundUser], error) {
	if in.InactiveSince != "" {
		return nil, mcptools.Errorf(mcptools.CodeNotSupported, "count: Microsoft Graph cannot count inactive users").WithHint("list them without count")
	}
	query.Set("$select", "id")
	_, _, total, err := fetchPage(ctx, c, collection{path: "/users", query: query, header: advanced()}, "", 1,
		func(u directoryUser) (string, bool) { return u.ID, true })
	if err != nil {
		return nil, err
	}
	return &mcptools.Page[FoundUser]{Items: []FoundUser{}, Total: total}, nil
}

// explain adds what only the search for inactive users needs.
func (in FindUsersInput) explain(err error) error {
	e, ok := errors.AsType[*mcptools.Error](err)
	if !ok || in.InactiveSince == "" || e.Code != mcptools.CodePermissionDenied {
		return err
	}
	explained := *e
	explained.Hint = "inactive_since needs the permission AuditLog.Read.All and a tenant with Entra ID P1; other searches work without"
	return &explained
}

// filter adds the conditions to the query. A $filter and a $search of the
// directory may be combined.
func (in FindUsersInput) filter(query url.Values) {
	var conditions []string
	if there := query.Get("$filter"); there != "" {
		conditions = append(conditions, "("+there+")")
	}
	add := func(wanted *bool, yes, no string) {
		switch {
		case wanted == nil:
		case *wanted:
			conditions = append(conditions, yes)
		default:
			conditions = append(conditions, no)
		}
	}
	add(in.Enabled, "accountEnabled eq true", "accountEnabled eq false")
	add(in.Guest, "userType eq 'Guest'", "userType eq 'Member'")
	add(in.Licensed, "assignedLicenses/$count ne 0", "assignedLicenses/$count eq 0")
	if in.Department != "" {
		conditions = append(conditions, "startswith(department,"+quote(in.Department)+")")
	}
	if len(conditions) > 0 {
		query.Set("$filter", strings.Join(conditions, " and "))
	}
}

func userRow(u *directoryUser) UserRow {
	row := UserRow{
		ID: u.ID, Name: u.Name, Username: u.UPN, Title: u.Title, Department: u.Department,
		Disabled: u.Enabled != nil && !*u.Enabled, Guest: u.Type == "Guest", Unlicensed: len(u.Licences) == 0,
	}
	if !strings.EqualFold(u.Mail, u.UPN) {
		row.Mail = u.Mail
	}
	return row
}

// member is an object of the directory that belongs to something.
// https://learn.microsoft.com/graph/api/resources/directoryobject
type member struct {
	Kind    string `json:"@odata.type"`
	ID      string `json:"id"`
	Name    string `json:"displayName"`
	UPN     string `json:"userPrincipalName"`
	Mail    string `json:"mail"`
	Enabled *bool  `json:"accountEnabled"`
}

// MemberRow is a member or an owner of a group.
type MemberRow struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Username string `json:"username,omitempty"`
	Kind     string `json:"kind,omitempty" jsonschema:"if not a user"`
	Disabled bool   `json:"disabled,omitempty"`
}

func memberRow(m member) MemberRow {
	return MemberRow{
		ID: m.ID, Name: m.Name, Username: cmp.Or(m.UPN, m.Mail), Kind: unusual(strings.TrimPrefix(m.Kind, "#microsoft.graph."), "user"),
		Disabled: m.Enabled != nil && !*m.Enabled,
	}
}

// namesOf lists the names of members of one kind.
func namesOf(members []member, kind string) []string {
	var list []string
	for _, m := range members {
		if strings.TrimPrefix(m.Kind, "#microsoft.graph.") == kind {
			list = append(list, m.Name)
		}
	}
	slices.Sort(list)
	return list
}
