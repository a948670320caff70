package halopsa

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

// user is an end user (contact) as Halo sends it.
type user struct {
	ID           whole         `json:"id"`
	Name         string        `json:"name"`
	Title        string        `json:"title"`
	Email        string        `json:"emailaddress"`
	Email2       string        `json:"email2"`
	Email3       string        `json:"email3"`
	Login        string        `json:"login"`
	AzureOID     string        `json:"azureoid"`
	Phone        string        `json:"phonenumber_preferred"`
	OtherPhone   string        `json:"phonenumber"`
	Mobile       string        `json:"mobilenumber"`
	ClientID     whole         `json:"client_id"`
	Client       string        `json:"client_name"`
	SiteID       whole         `json:"site_id"`
	Site         string        `json:"site_name"`
	Inactive     truth         `json:"inactive"`
	Important    truth         `json:"isimportantcontact"`
	NeverEmail   truth         `json:"neversendemails"`
	Notes        string        `json:"notes"`
	CustomFields []customField `json:"customfields"`
}

// has reports whether an address is one of the user's.
func (u user) has(address string) bool {
	return slices.ContainsFunc([]string{u.Email, u.Email2, u.Email3, u.Login}, func(own string) bool {
		return own != "" && strings.EqualFold(own, address)
	})
}

// UserRow is an end user in a list.
type UserRow struct {
	ID       int    `json:"id"`
	Name     string `json:"name"`
	Email    string `json:"email,omitempty"`
	Phone    string `json:"phone,omitempty"`
	ClientID int    `json:"client_id"`
	Client   string `json:"client"`
	Site     string `json:"site,omitempty"`
	VIP      bool   `json:"vip,omitempty"`
	Inactive bool   `json:"inactive,omitempty"`
}

func userRow(u user) UserRow {
	return UserRow{ID: int(u.ID), Name: u.Name, Email: u.Email, Phone: cmp.Or(u.Phone, u.OtherPhone), ClientID: int(u.ClientID), Client: u.Client,
		Site: u.Site, VIP: bool(u.Important), Inactive: bool(u.Inactive)}
}

// SearchUsersInput narrows the end users down. AzureOID and Email find exactly
// one, as somebody from Microsoft 365.
type SearchUsersInput struct {
	Query           string `json:"query,omitempty"`
	Client          string `json:"client,omitempty" jsonschema:"name or id"`
	Site            string `json:"site,omitempty" jsonschema:"name or id"`
	Email           string `json:"email,omitempty" jsonschema:"exact"`
	AzureOID        string `json:"azure_oid,omitempty" jsonschema:"Entra object id"`
	IncludeInactive bool   `json:"include_inactive,omitempty"`
	Limit           int    `json:"limit,omitempty" minimum:"1" maximum:"100" default:"20"`
	Cursor          string `json:"cursor,omitempty"`
}

// SearchUsers finds end users. With AzureOID or Email it finds the one who has
// exactly that; where nobody has the object id, the one with the address, so
// that somebody from Microsoft 365 is found before the two are linked. GET /Users
func (c *Client) SearchUsers(ctx context.Context, in SearchUsersInput) (*mcptools.Page[UserRow], error) {
	l := collection{tool: "users_search", args: in, cursor: in.Cursor, limit: cmp.Or(in.Limit, 20), path: "/Users", key: "users",
		query: params("includeinactive", flag(in.IncludeInactive))}
	owner, err := c.ofClient(ctx, l.query, in.Client)
	if err != nil {
		return nil, err
	}
	if in.Site != "" {
		at, err := c.site(ctx, owner, in.Site)
		if err != nil {
			return nil, err
		}
		l.query.Set("site_id", strconv.Itoa(at.ID))
	}
	if in.AzureOID != "" || in.Email != "" {
		return c.exactUsers(ctx, l, in)
	}
	if in.Query != "" {
		l.query.Set("search", in.Query)
	}
	return list(ctx, c, l, userRow)
}

// exactUsers finds the users with an object id, else those with an address.
func (c *Client) exactUsers(ctx context.Context, l collection, in SearchUsersInput) (*mcptools.Page[UserRow], error) {
	page := &mcptools.Page[UserRow]{Items: []UserRow{}}
	var found []user
	var certain bool
	var err error
	if in.AzureOID != "" {
		found, certain, err = c.usersWith(ctx, l, "azureoid", in.AzureOID, func(u user) bool { return strings.EqualFold(u.AzureOID, in.AzureOID) })
		if err == nil && !certain && len(found) == 0 {
			page.Problem = "this instance does not search by azure_oid, so somebody may have it all the same: search by email or client"
		}
	}
	if err == nil && len(found) == 0 && in.Email != "" {
		page.Problem = ""
		found, certain, err = c.usersWith(ctx, l, "emailaddress", in.Email, func(u user) bool { return u.has(in.Email) })
	}
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(u user) bool { return !holds(in.Query, u.Name, u.Email, u.Client) })
	for _, u := range found[:min(len(found), l.limit)] {
		page.Items = append(page.Items, userRow(u))
	}
	total := len(found)
	if !certain {
		page.Problem = cmp.Or(page.Problem, "not all users could be looked through, so others may have it: name the client")
		return page, nil
	}
	if total > l.limit {
		page.Problem = fmt.Sprintf("%d users have it, of whom %d are listed: raise limit, or name the client", total, l.limit)
	}
	page.Total = &total
	return page, nil
}

// maxWalk is how many pages of the users of one client are looked through for
// one of them.
const maxWalk = 3

// usersWith returns the users that fit, which have value in field. Whether an
// instance searches by a field is up to its whitelist; where it refuses, or
// where the value may be in another field, the plain search and then the users
// of the client are looked through. certain says that nobody else can have it.
func (c *Client) usersWith(ctx context.Context, l collection, field, value string, fits func(user) bool) (found []user, certain bool, err error) {
	look := func(search url.Values, pages int) (whole bool, err error) {
		query := maps.Clone(l.query)
		maps.Copy(query, search)
		read, err := walk(ctx, c, collection{path: l.path, key: l.key, query: query}, pages, func(u user) {
			if fits(u) && !slices.ContainsFunc(found, func(other user) bool { return other.ID == u.ID }) {
				found = append(found, u)
			}
		})
		return read.whole, err
	}
	certain, err = look(advancedSearch(field, isEqual, value), 1)
	if err != nil && !errors.Is(err, mcptools.CodeInvalidArguments) || certain && len(found) > 0 {
		return found, certain, err
	}
	whole, err := look(params("search", value), 1)
	if err != nil || whole && len(found) > 0 {
		return found, whole, err
	}
	if !certain && l.query.Get("client_id") != "" {
		certain, err = look(nil, maxWalk)
	}
	return found, certain || whole && field != "azureoid", err // the plain search does not look at object ids
}

// GetUserInput names an end user.
type GetUserInput struct {
	ID      string   `json:"id" jsonschema:"or name or e-mail"`
	Include []string `json:"include,omitempty" enum:"assets,tickets,activity" jsonschema:"tickets: the open ones"`
}

// User is one end user in full.
type User struct {
	UserRow
	Title        string            `json:"title,omitempty"`
	Mobile       string            `json:"mobile,omitempty"`
	Login        string            `json:"login,omitempty"`
	AzureOID     string            `json:"azure_oid,omitempty"`
	SiteID       int               `json:"site_id,omitempty"`
	NoEmail      bool              `json:"no_email,omitempty" jsonschema:"is never sent mail"`
	Notes        string            `json:"notes,omitempty"`
	CustomFields map[string]string `json:"custom_fields,omitempty"`

	Included map[string]Section `json:"included,omitempty"`
	Problems []string           `json:"problems,omitempty"`
}

// GetUser reads one end user. Parts that cannot be read are named in Problems.
// GET /Users/{id}, GET /Asset, GET /Tickets
func (c *Client) GetUser(ctx context.Context, in GetUserInput) (*User, error) {
	find := func(ctx context.Context, text string) (party, error) { return c.user(ctx, 0, text) }
	var u user
	if err := c.getNamed(ctx, "user", "/Users", in.ID, find, nil, &u); err != nil {
		return nil, err
	}
	out := &User{UserRow: userRow(u), Title: u.Title, Mobile: u.Mobile, Login: u.Login, AzureOID: u.AzureOID, SiteID: int(u.SiteID),
		NoEmail: bool(u.NeverEmail), Notes: plainNotes(u.Notes), CustomFields: shownFields(u.CustomFields)}
	owner := url.Values{"user_id": {strconv.Itoa(int(u.ID))}}
	parts := sections{"assets": c.assetsOf, "tickets": c.openTicketsOf, "activity": c.activityOf}
	var err error
	out.Included, out.Problems, err = parts.read(ctx, in.Include, owner)
	return out, err
}
