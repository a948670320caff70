package graph

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/when"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// GetUserInput says which user to read, and how much about them.
type GetUserInput struct {
	User    string   `json:"user" jsonschema:"address, name, id or me"`
	Include []string `json:"include,omitempty" enum:"manager,groups,roles,licences,mfa,devices,signin,mailbox,forwarding"`
}

// User is a user with what was asked for.
type User struct {
	UserRow
	Company       string       `json:"company,omitempty"`
	Office        string       `json:"office,omitempty"`
	Phones        []string     `json:"phones,omitempty"`
	UsageLocation string       `json:"usage_location,omitempty"`
	Created       string       `json:"created,omitempty"`
	OnPremises    bool         `json:"on_premises,omitempty"`
	Manager       string       `json:"manager,omitempty"`
	Groups        []string     `json:"groups,omitempty"`
	Roles         []string     `json:"roles,omitempty"`
	Licences      []string     `json:"licences,omitempty"`
	MFA           []string     `json:"mfa,omitempty"`
	Devices       []string     `json:"devices,omitempty"`
	Mailbox       *UserMailbox `json:"mailbox,omitempty"`
	Forwarding    []string     `json:"forwarding,omitempty" jsonschema:"inbox rules that send mail on"`
	None          []string     `json:"none,omitempty" jsonschema:"parts that are empty"`
	Missing       []string     `json:"missing,omitempty" jsonschema:"parts that could not be read"`
}

// UserMailbox is how somebody's mailbox is set.
type UserMailbox struct {
	Kind      string `json:"kind,omitempty"`
	TimeZone  string `json:"time_zone,omitempty"`
	AutoReply string `json:"auto_reply,omitempty"`
}

// userPart is one thing to know about a user: where it is, and what to do with
// it. read returns how many there are.
type userPart struct {
	name, path string
	query      url.Values
	read       func(body json.RawMessage, out *User) (int, error)
}

// maxMemberships is the largest page that the directory gives.
const maxMemberships = "999"

// GetUser reads a user and what was asked for about them, in one round trip.
// Parts that may not be read are named, and do not fail the rest.
// https://learn.microsoft.com/graph/api/user-get
func (c *Client) GetUser(ctx context.Context, in GetUserInput) (*User, error) {
	zone, err := when.Zone(c.options.TimeZone)
	if err != nil {
		return nil, err
	}
	user := in.User
	if slices.Contains(in.Include, "signin") && strings.Contains(user, "@") {
		// The sign-ins of a user are only told for an object id.
		if user, err = c.userByAddress(ctx, user); err != nil {
			return nil, err
		}
	}
	out, err := c.readUser(ctx, user, in.Include, zone)
	if errors.Is(err, mcptools.CodeNotFound) && strings.Contains(user, "@") {
		// A guest's address is not the name they sign in with.
		if user, err = c.userByAddress(ctx, user); err != nil {
			return nil, err
		}
		out, err = c.readUser(ctx, user, in.Include, zone)
	}
	return out, err
}

// userByAddress returns the object id of the user with an address.
func (c *Client) userByAddress(ctx context.Context, address string) (string, error) {
	var found struct {
		Value []directoryUser `json:"value"`
	}
	query := url.Values{"$filter": {"mail eq " + quote(address) + " or userPrincipalName eq " + quote(address)}, "$select": {"id"}}
	if err := c.get(ctx, "/users", query, nil, &found); err != nil {
		return "", err
	}
	if len(found.Value) != 1 {
		return "", mcptools.Errorf(mcptools.CodeNotFound, "there is no user with the address %s", address).WithHint("find the user with m365_users_find")
	}
	return found.Value[0].ID, nil
}

// readUser makes the batch and puts its answers together.
func (c *Client) readUser(ctx context.Context, user string, include []string, zone *time.Location) (*User, error) {
	parts := userParts(include, zone)
	requests := make([]batchRequest, 0, len(parts))
	for _, p := range parts {
		path, err := c.path(ctx, user, p.path)
		if err != nil {
			return nil, err
		}
		requests = append(requests, batchRequest{Method: http.MethodGet, Path: path, Query: p.query, Repeatable: true})
	}
	answers, err := c.batch(ctx, requests)
	if err != nil {
		return nil, err
	}
	if answers[0].Err != nil {
		return nil, answers[0].Err
	}
	out := &User{}
	for i, p := range parts {
		err := answers[i].Err
		if p.name == "manager" && errors.Is(err, mcptools.CodeNotFound) {
			out.None = append(out.None, p.name)
			continue
		}
		count := 0
		if err == nil {
			count, err = p.read(answers[i].Body, out)
		}
		switch {
		case err != nil && i == 0:
			return nil, unreadPart(err)
		case err != nil:
			out.Missing = append(out.Missing, p.name+": "+p.why(err))
		case unfinished(answers[i].Body):
			out.Missing = append(out.Missing, p.name+": there may be more, only the first page was read")
		case count == 0:
			out.None = append(out.None, p.name)
		}
	}
	return out, nil
}

// why says why a part cannot be read.
func (p userPart) why(err error) string {
	e, ok := errors.AsType[*mcptools.Error](err)
	if ok && e.Code == mcptools.CodePermissionDenied && len(e.Scopes) == 0 && (p.name == "mailbox" || p.name == "forwarding") {
		return "of somebody else, only an application or who has access to the mailbox in Exchange may read it"
	}
	return problem(err)
}

// unfinished reports whether an answer has a further page.
func unfinished(body json.RawMessage) bool {
	var page struct {
		Next string `json:"@odata.nextLink"`
	}
	return json.Unmarshal(body, &page) == nil && page.Next != ""
}

func unreadPart(err error) error {
	return &mcptools.Error{Code: mcptools.CodeUpstream, Message: "Microsoft Graph sent an answer that cannot be read", Err: err}
}

// userParts are the requests that tell about a user, the profile first.
func userParts(include []string, zone *time.Location) []userPart {
	fields := func(names string) url.Values { return url.Values{"$select": {names}} }
	parts := []userPart{{"profile", "", fields(userRowFields + ",companyName,officeLocation,mobilePhone,businessPhones,usageLocation,createdDateTime,onPremisesSyncEnabled"), readProfile}}
	add := func(p userPart) {
		if slices.Contains(include, p.name) {
			parts = append(parts, p)
		}
	}
	add(userPart{"manager", "/manager", fields("id,displayName,userPrincipalName"), func(body json.RawMessage, out *User) (int, error) {
		m, err := decodePart[member](body)
		out.Manager = m.Name + " <" + m.UPN + ">"
		return 1, err
	}})
	memberships := url.Values{"$select": {"id,displayName"}, "$top": {maxMemberships}}
	add(userPart{"groups", "/transitiveMemberOf", memberships, func(body json.RawMessage, out *User) (int, error) {
		return readMemberships(body, "group", &out.Groups, "groups", out)
	}})
	add(userPart{"roles", "/transitiveMemberOf", memberships, func(body json.RawMessage, out *User) (int, error) {
		return readMemberships(body, "directoryRole", &out.Roles, "roles", out)
	}})
	add(userPart{"licences", "/licenseDetails", fields("skuPartNumber"), readLicences})
	add(userPart{"mfa", "/authentication/methods", nil, readMethods})
	add(userPart{"devices", "/ownedDevices", nil, readDevices})
	add(userPart{"signin", "", fields("id,signInActivity"), func(body json.RawMessage, out *User) (int, error) {
		u, err := decodePart[directoryUser](body)
		out.LastSignIn = cmp.Or(stamp(u.SignIn.last(), zone), "never")
		return 1, err
	}})
	add(userPart{"mailbox", "/mailboxSettings", nil, readMailbox})
	add(userPart{"forwarding", "/mailFolders/inbox/messageRules", nil, readForwarding})
	return parts
}

type valueOf[T any] struct {
	Value []T `json:"value"`
}

func decodePart[T any](body json.RawMessage) (T, error) {
	var value T
	err := json.Unmarshal(body, &value)
	return value, err
}

func readProfile(body json.RawMessage, out *User) (int, error) {
	u, err := decodePart[directoryUser](body)
	out.UserRow = userRow(&u)
	out.Company, out.Office, out.UsageLocation, out.OnPremises = u.Company, u.Office, u.Usage, u.Synced
	if out.Phones = u.Phones; u.Mobile != "" {
		out.Phones = append(out.Phones, u.Mobile)
	}
	if !u.Created.IsZero() {
		out.Created = u.Created.Format(dateOnly)
	}
	return 1, err
}

// maxNames bounds the groups that are named, which are many in some tenants.
const maxNames = 100

// readMemberships puts the names of what a user belongs to, of one kind, into
// list, and says how many more there are.
func readMemberships(body json.RawMessage, kind string, list *[]string, part string, out *User) (int, error) {
	members, err := decodePart[valueOf[member]](body)
	names := namesOf(members.Value, kind)
	*list = names[:min(len(names), maxNames)]
	if more := len(names) - maxNames; more > 0 {
		out.Missing = append(out.Missing, fmt.Sprintf("%s: %d more", part, more))
	}
	return len(names), err
}

func readLicences(body json.RawMessage, out *User) (int, error) {
	list, err := decodePart[valueOf[struct {
		SKU string `json:"skuPartNumber"`
	}]](body)
	for _, one := range list.Value {
		out.Licences = append(out.Licences, one.SKU)
	}
	return len(out.Licences), err
}

// readMethods lists the ways to authenticate besides the password.
// https://learn.microsoft.com/graph/api/resources/authenticationmethod
func readMethods(body json.RawMessage, out *User) (int, error) {
	list, err := decodePart[valueOf[struct {
		Kind  string `json:"@odata.type"`
		Name  string `json:"displayName"`
		Phone string `json:"phoneType"`
	}]](body)
	for _, one := range list.Value {
		kind := strings.TrimSuffix(strings.TrimPrefix(one.Kind, "#microsoft.graph."), "AuthenticationMethod")
		if kind == "password" {
			continue
		}
		if detail := cmp.Or(one.Name, one.Phone); detail != "" {
			kind += " (" + detail + ")"
		}
		out.MFA = append(out.MFA, kind)
	}
	return len(out.MFA), err
}

func readDevices(body json.RawMessage, out *User) (int, error) {
	list, err := decodePart[valueOf[struct {
		Name      string    `json:"displayName"`
		OS        string    `json:"operatingSystem"`
		Version   string    `json:"operatingSystemVersion"`
		Compliant *bool     `json:"isCompliant"`
		Seen      time.Time `json:"approximateLastSignInDateTime"`
	}]](body)
	for _, one := range list.Value {
		text := strings.TrimSpace(one.Name + ", " + one.OS + " " + one.Version)
		if one.Compliant != nil && !*one.Compliant {
			text += ", not compliant"
		}
		if !one.Seen.IsZero() {
			text += ", last seen " + one.Seen.Format(dateOnly)
		}
		out.Devices = append(out.Devices, text)
	}
	return len(out.Devices), err
}

func readMailbox(body json.RawMessage, out *User) (int, error) {
	settings, err := decodePart[mailboxSettings](body)
	out.Mailbox = &UserMailbox{Kind: settings.Purpose, TimeZone: settings.TimeZone, AutoReply: unusual(settings.AutoReply.Status, "disabled")}
	if zone, unknown := when.Zone(settings.TimeZone); unknown == nil && settings.TimeZone != "" {
		out.Mailbox.TimeZone = zone.String()
	}
	return 1, err
}

func readForwarding(body json.RawMessage, out *User) (int, error) {
	rules, err := decodePart[valueOf[messageRule]](body)
	for _, rule := range rules.Value {
		to := rule.Actions.receivers()
		if len(to) == 0 {
			continue
		}
		text := rule.Name + ": to " + strings.Join(to, ", ")
		if !rule.Enabled {
			text += " (disabled)"
		}
		out.Forwarding = append(out.Forwarding, text)
	}
	return len(out.Forwarding), err
}
