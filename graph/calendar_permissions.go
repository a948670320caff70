package graph

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

// ListCalendarPermissionsInput says whose calendar it is about.
type ListCalendarPermissionsInput struct {
	Mailbox string `json:"mailbox,omitempty" jsonschema:"address; default: own"`
}

// CalendarPermissionRow says what somebody may do with a calendar.
type CalendarPermissionRow struct {
	Person   string `json:"person"`
	Role     string `json:"role"`
	External bool   `json:"external,omitempty"`
}

// calendarPermission is a permission as Graph sends it.
// https://learn.microsoft.com/graph/api/resources/calendarpermission
type calendarPermission struct {
	ID           string   `json:"id"`
	Role         string   `json:"role"`
	AllowedRoles []string `json:"allowedRoles"`
	Removable    bool     `json:"isRemovable"`
	Inside       bool     `json:"isInsideOrganization"`
	Email        struct {
		Name    string `json:"name"`
		Address string `json:"address"`
	} `json:"emailAddress"`
}

// delegated is what Graph calls the role of a delegate who does not see private
// events; the tools call it delegate.
const delegated = "delegateWithoutPrivateEventAccess"

func roleName(role string) string {
	if role == delegated {
		return "delegate"
	}
	return role
}

// roleAsked is the inverse of roleName.
func roleAsked(name string) string {
	if name == "delegate" {
		return delegated
	}
	return name
}

// everybody is what Exchange calls the permission of the whole organization.
const everybody = "My Organization"

func (p *calendarPermission) row() CalendarPermissionRow {
	row := CalendarPermissionRow{Person: cmp.Or(p.Email.Address, p.Email.Name), Role: roleName(p.Role), External: !p.Inside}
	if p.isFor("organization") {
		row.Person, row.External = "organization", false
	}
	return row
}

func (p *calendarPermission) isFor(person string) bool {
	if person == "organization" {
		return p.Email.Address == "" && (p.Email.Name == everybody || !p.Removable)
	}
	return strings.EqualFold(p.Email.Address, person)
}

// ListCalendarPermissions lists who may see or change a calendar.
// https://learn.microsoft.com/graph/api/calendar-list-calendarpermissions
func (c *Client) ListCalendarPermissions(ctx context.Context, in ListCalendarPermissionsInput) (*mcptools.Page[CalendarPermissionRow], error) {
	path, err := c.path(ctx, in.Mailbox, "/calendar/calendarPermissions")
	if err != nil {
		return nil, err
	}
	return list(ctx, c, collection{tool: "m365_cal_permissions", args: in, limit: 200, path: path, query: url.Values{}},
		func(p calendarPermission) CalendarPermissionRow { return p.row() })
}

// SetCalendarPermissionInput says what somebody shall be allowed to do.
type SetCalendarPermissionInput struct {
	Mailbox string `json:"mailbox,omitempty" jsonschema:"whose calendar; default: own"`
	Person  string `json:"person" jsonschema:"address, or organization for everybody in it"`
	Role    string `json:"role" enum:"none,freeBusyRead,limitedRead,read,write,delegate" jsonschema:"none removes the permission"`
}

// PermissionChange says what changed.
type PermissionChange struct {
	Person string `json:"person"`
	Role   string `json:"role"`
	Before string `json:"before"`
}

// SetCalendarPermission grants, changes or removes a permission.
// https://learn.microsoft.com/graph/api/calendar-post-calendarpermissions,
// https://learn.microsoft.com/graph/api/calendarpermission-update and
// https://learn.microsoft.com/graph/api/calendarpermission-delete
func (c *Client) SetCalendarPermission(ctx context.Context, in SetCalendarPermissionInput) (*PermissionChange, error) {
	person, name := strings.ToLower(strings.TrimSpace(in.Person)), ""
	if person != "organization" {
		parsed, err := readRecipient("person", in.Person)
		if err != nil {
			return nil, err
		}
		person, name = parsed.EmailAddress.Address, parsed.EmailAddress.Name
	}
	path, err := c.path(ctx, in.Mailbox, "/calendar/calendarPermissions")
	if err != nil {
		return nil, err
	}
	var there struct {
		Value []calendarPermission `json:"value"`
	}
	if err := c.get(ctx, path, url.Values{"$top": {"200"}}, nil, &there); err != nil {
		return nil, err
	}
	out := &PermissionChange{Person: person, Role: in.Role, Before: "none"}
	i := slices.IndexFunc(there.Value, func(p calendarPermission) bool { return p.isFor(person) })
	if i >= 0 {
		out.Before = roleName(there.Value[i].Role)
	}
	switch {
	case out.Before == in.Role:
		return out, nil
	case i < 0 && person == "organization":
		return nil, mcptools.Errorf(mcptools.CodeNotFound, "this calendar has no permission for the organization")
	case i < 0:
		return out, c.grant(ctx, path, person, name, out)
	}
	return out, c.regrant(ctx, in.Mailbox, &there.Value[i], out)
}

// grant makes a permission for somebody who had none.
func (c *Client) grant(ctx context.Context, path, person, name string, out *PermissionChange) error {
	var made calendarPermission
	err := c.send(ctx, http.MethodPost, path, map[string]any{
		"emailAddress": map[string]string{"name": cmp.Or(name, person), "address": person}, "role": roleAsked(out.Role),
	}, &made)
	if err != nil {
		return err
	}
	return verifyRole(out, made.Role)
}

// regrant changes or removes a permission that is there.
func (c *Client) regrant(ctx context.Context, mailbox string, p *calendarPermission, out *PermissionChange) error {
	path, err := c.path(ctx, mailbox, "/calendar/calendarPermissions/{}", p.ID)
	if err != nil {
		return err
	}
	if out.Role == "none" && p.Removable {
		return gone(c.send(ctx, http.MethodDelete, path, nil, nil))
	}
	var changed calendarPermission
	err = c.send(ctx, http.MethodPatch, path, map[string]any{"role": roleAsked(out.Role)}, &changed)
	if e, ok := errors.AsType[*mcptools.Error](err); ok && e.Code == mcptools.CodeInvalidArguments && len(p.AllowedRoles) > 0 {
		explained := *e
		explained.Hint = out.Person + " can have: " + strings.Join(p.AllowedRoles, ", ")
		return &explained
	}
	if err != nil {
		return err
	}
	return verifyRole(out, changed.Role)
}

// verifyRole compares the answer with what was asked for.
func verifyRole(out *PermissionChange, role string) error {
	if role != "" && roleName(role) != out.Role {
		return mcptools.Errorf(mcptools.CodeUpstream, "Exchange set the role %s instead of %s", role, out.Role).
			WithHint("look with m365_cal_permissions, and tell the user")
	}
	return nil
}
