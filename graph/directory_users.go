package graph

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

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
func (c *Client) FindUsers(ctx context.Context, in FindUsersInput) (*mcptools.Page[UserRow], error) {
	zone, err := when.Zone(c.options.TimeZone)
	if err != nil {
		return nil, err
	}
	query := url.Values{"$count": {"true"}}
	if in.Query != "" {
		query = searchUsers(in.Query)
	}
	in.filter(query)
	query.Set("$select", userRowFields)
	var since time.Time
	if in.InactiveSince != "" {
		if since, err = when.Instant(in.InactiveSince, zone, time.Now()); err != nil {
			return nil, err
		}
		query.Set("$select", userRowFields+",createdDateTime,signInActivity")
	}
	args := in
	args.Cursor, args.Limit = "", 0
	page, err := choose(ctx, c, collection{
		tool: "m365_users_find", args: args, cursor: in.Cursor, limit: cmp.Or(in.Limit, 20),
		path: "/users", query: query, header: advanced(), sparse: in.InactiveSince != "",
	}, func(u directoryUser) (UserRow, bool) {
		row := userRow(&u)
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

// namesOf lists the names of members of one kind, at most 100.
func namesOf(members []member, kind string) []string {
	var list []string
	for _, m := range members {
		if strings.TrimPrefix(m.Kind, "#microsoft.graph.") == kind {
			list = append(list, m.Name)
		}
	}
	slices.Sort(list)
	return list[:min(len(list), 100)]
}
