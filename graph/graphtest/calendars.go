package graphtest

import (
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
)

// calendarRoutes answers for calendars and who may see them.
// https://learn.microsoft.com/graph/api/resources/calendar
func calendarRoutes() map[string]handler {
	const permissions = " /users/{id}/calendars/{id}/calendarPermissions"
	return map[string]handler{
		"GET /users/{id}/calendars":      listCalendars,
		"POST /users/{id}/calendars":     createCalendar,
		"GET /users/{id}/calendars/{id}": getCalendar,
		"GET" + permissions:              listPermissions,
		"POST" + permissions:             createPermission,
		"GET" + permissions + "/{id}":    getPermission,
		"PATCH" + permissions + "/{id}":  updatePermission,
		"DELETE" + permissions + "/{id}": deletePermission,
	}
}

type calendar struct {
	id          string
	name        string
	color       string
	isDefault   bool
	permissions []object
}

func (t *tenant) addCalendars(b *mailbox) {
	c := t.addCalendar(b, "Calendar")
	c.isDefault = true
	t.addCalendar(b, "Birthdays").color = "lightBlue"
}

func (t *tenant) addCalendar(b *mailbox, name string) *calendar {
	c := &calendar{id: b.folderID(t.item()), name: name, color: "auto"}
	c.permissions = []object{t.permission("My Organization", "", "freeBusyRead", true)}
	b.calendars = append(b.calendars, c)
	return c
}

func (t *tenant) permission(name, address, role string, inside bool) object {
	who := object{"name": name}
	if address != "" {
		who["address"] = address
	}
	return object{
		"id": base64.StdEncoding.EncodeToString([]byte("permission " + name)), "emailAddress": who, "role": role,
		"allowedRoles": []any{"freeBusyRead", "limitedRead", "read", "write"}, "isInsideOrganization": inside, "isRemovable": address != "",
	}
}

// calendar returns the calendar whose key the path has; none means the
// default one.
func (c *call) calendar() (*calendar, error) {
	for _, calendar := range c.owner.box.calendars {
		if c.ids[1] == "" && calendar.isDefault || calendar.id == c.ids[1] {
			return calendar, nil
		}
	}
	return nil, errNotFound()
}

func calendarItem(b *mailbox, calendar *calendar) item {
	view := object{
		"id": calendar.id, "name": calendar.name, "color": calendar.color, "hexColor": "", "isDefaultCalendar": calendar.isDefault,
		"changeKey": changeKey(len(calendar.id), 1), "canShare": true, "canViewPrivateItems": true, "canEdit": true,
		"isTallyingResponses": calendar.isDefault, "isRemovable": !calendar.isDefault,
		"allowedOnlineMeetingProviders": []any{"teamsForBusiness"}, "defaultOnlineMeetingProvider": "teamsForBusiness",
		"owner": object{"name": b.owner.name(), "address": b.owner.mail()},
	}
	return item{view, func(prefs) object { return maps.Clone(view) }, nil}
}

func calendarListing(rows []item) listing {
	return listing{kinds: []string{"calendar"}, items: rows, top: 10, maxTop: 1000}
}

func listCalendars(c *call) (reply, error) {
	var rows []item
	for _, calendar := range c.owner.box.calendars {
		rows = append(rows, calendarItem(c.owner.box, calendar))
	}
	return c.list(calendarListing(rows))
}

func getCalendar(c *call) (reply, error) {
	calendar, err := c.calendar()
	if err != nil {
		return reply{}, err
	}
	return c.one(calendarListing(nil), calendarItem(c.owner.box, calendar))
}

func createCalendar(c *call) (reply, error) {
	body, err := c.decode("calendar")
	if err != nil {
		return reply{}, err
	}
	name := textAt(body, "name")
	if name == "" || slices.ContainsFunc(c.owner.box.calendars, func(other *calendar) bool { return strings.EqualFold(other.name, name) }) {
		return reply{}, failf(http.StatusConflict, "ErrorFolderExists", "A folder with the specified name already exists.")
	}
	calendar := c.addCalendar(c.owner.box, name)
	return created(c.entity(calendarItem(c.owner.box, calendar).view(c.prefs))), nil
}

func permissionListing(rows []item) listing {
	return listing{kinds: []string{"calendarPermission"}, items: rows, top: 100, maxTop: 1000}
}

func permissionItem(p object) item {
	return item{p, func(prefs) object { return maps.Clone(p) }, nil}
}

func listPermissions(c *call) (reply, error) {
	calendar, err := c.calendar()
	if err != nil {
		return reply{}, err
	}
	var rows []item
	for _, p := range calendar.permissions {
		rows = append(rows, permissionItem(p))
	}
	return c.list(permissionListing(rows))
}

func createPermission(c *call) (reply, error) {
	calendar, err := c.calendar()
	if err != nil {
		return reply{}, err
	}
	body, err := c.decode("calendarPermission")
	if err != nil {
		return reply{}, err
	}
	c.ignored(body, "id", "allowedRoles")
	address, role := textAt(body, "emailAddress", "address"), textAt(body, "role")
	if address == "" || role == "" {
		c.violate(fakehttp.WrongKind, "a calendar permission needs emailAddress.address and role")
		return reply{}, failf(http.StatusBadRequest, "ErrorInvalidRequest", "The email address and the role are required.")
	}
	for _, p := range calendar.permissions {
		if strings.EqualFold(textAt(p, "emailAddress", "address"), address) {
			return reply{}, failf(http.StatusConflict, "ErrorCalendarPermissionAlreadyExists", "A permission for this recipient already exists.")
		}
	}
	who := c.user(address)
	if delegate := strings.HasPrefix(role, "delegate"); who == nil && (delegate || role == "write") {
		return reply{}, failf(http.StatusBadRequest, "ErrorInvalidRequest", "The role '%s' is not allowed for a recipient outside the organization.", role)
	}
	name := firstOf(textAt(body, "emailAddress", "name"), address)
	if who != nil {
		name = who.name()
	}
	p := c.permission(name, address, role, who != nil)
	calendar.permissions = append(calendar.permissions, p)
	return created(c.entity(maps.Clone(p))), nil
}

func (c *call) permissionOf() (*calendar, object, error) {
	calendar, err := c.calendar()
	if err != nil {
		return nil, nil, err
	}
	for _, p := range calendar.permissions {
		if p["id"] == c.ids[2] {
			return calendar, p, nil
		}
	}
	return nil, nil, errNotFound()
}

func getPermission(c *call) (reply, error) {
	_, p, err := c.permissionOf()
	if err != nil {
		return reply{}, err
	}
	return c.one(permissionListing(nil), permissionItem(p))
}

func updatePermission(c *call) (reply, error) {
	_, p, err := c.permissionOf()
	if err != nil {
		return reply{}, err
	}
	body, err := c.decode("calendarPermission")
	if err != nil {
		return reply{}, err
	}
	c.ignored(body, "id", "allowedRoles", "emailAddress", "isInsideOrganization", "isRemovable")
	maps.Copy(p, body)
	return c.one(permissionListing(nil), permissionItem(p))
}

func deletePermission(c *call) (reply, error) {
	calendar, p, err := c.permissionOf()
	if err != nil {
		return reply{}, err
	}
	if p["isRemovable"] != true {
		return reply{}, failf(http.StatusBadRequest, "ErrorInvalidRequest", "The permission cannot be removed.")
	}
	calendar.permissions = slices.DeleteFunc(calendar.permissions, func(other object) bool { return other["id"] == p["id"] })
	return noContent(), nil
}
