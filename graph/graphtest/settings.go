package graphtest

import (
	"maps"
	"net/http"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
)

// settingRoutes answers for mailbox settings, categories and inbox rules.
// https://learn.microsoft.com/graph/api/resources/mailboxsettings
func settingRoutes() map[string]handler {
	const rules = " /users/{id}/mailFolders/{id}/messageRules"
	return map[string]handler{
		"GET /users/{id}/mailboxSettings":          getSettings,
		"PATCH /users/{id}/mailboxSettings":        updateSettings,
		"GET /users/{id}/outlook/masterCategories": listCategories,
		"GET" + rules:              listRules,
		"POST" + rules:             createRule,
		"GET" + rules + "/{id}":    getRule,
		"PATCH" + rules + "/{id}":  updateRule,
		"DELETE" + rules + "/{id}": deleteRule,
	}
}

func defaultSettings(zone string) object {
	return object{
		"archiveFolder": nil, "timeZone": zone, "dateFormat": "dd.MM.yyyy", "timeFormat": "HH:mm", "userPurpose": "user",
		"delegateMeetingMessageDeliveryOptions": "sendToDelegateOnly",
		"language":                              object{"locale": "en-GB", "displayName": "English (United Kingdom)"},
		"automaticRepliesSetting": object{
			"status": "disabled", "externalAudience": "all", "internalReplyMessage": "", "externalReplyMessage": "",
			"scheduledStartDateTime": object{"dateTime": "2026-01-01T08:00:00.0000000", "timeZone": "UTC"},
			"scheduledEndDateTime":   object{"dateTime": "2026-01-02T08:00:00.0000000", "timeZone": "UTC"},
		},
		"workingHours": object{
			"daysOfWeek": []any{"monday", "tuesday", "wednesday", "thursday", "friday"},
			"startTime":  "08:00:00.0000000", "endTime": "17:00:00.0000000", "timeZone": object{"name": zone},
		},
	}
}

func settingsListing() listing { return listing{kinds: []string{"mailboxSettings"}, noID: true} }

func getSettings(c *call) (reply, error) {
	box := c.owner.box
	return c.one(settingsListing(), item{box.settings, func(prefs) object { return maps.Clone(box.settings) }, nil})
}

func updateSettings(c *call) (reply, error) {
	change, err := c.decode("mailboxSettings")
	if err != nil {
		return reply{}, err
	}
	c.ignored(change, "userPurpose", "archiveFolder")
	if err := c.checkSettings(change); err != nil {
		return reply{}, err
	}
	box := c.owner.box
	for name, value := range change {
		old, _ := box.settings[name].(object)
		if update, isObject := value.(object); isObject && old != nil {
			merged := maps.Clone(old)
			maps.Copy(merged, update)
			value = merged
		}
		box.settings[name] = value
	}
	answer := maps.Clone(change) // Graph answers with what was changed
	answer["@odata.context"] = c.context(query{})
	return ok(answer), nil
}

// checkSettings refuses time zones that Exchange does not know.
func (c *call) checkSettings(change object) error {
	replies := at(change, "automaticRepliesSetting")
	for _, name := range []string{
		textAt(change, "timeZone"), textAt(change, "workingHours", "timeZone", "name"),
		textAt(replies, "scheduledStartDateTime", "timeZone"), textAt(replies, "scheduledEndDateTime", "timeZone"),
	} {
		if name == "" || at(change, "workingHours", "timeZone", "@odata.type") != nil {
			continue
		}
		if _, err := zone(name); err != nil {
			c.violate(fakehttp.WrongKind, "time zone %q", name)
			return failf(http.StatusBadRequest, "ErrorInvalidTimeZone", "The time zone '%s' is not valid.", name)
		}
	}
	if textAt(replies, "status") == "scheduled" {
		start, end := replyTime(replies, "scheduledStartDateTime"), replyTime(replies, "scheduledEndDateTime")
		if start == "" || end == "" || start >= end {
			return failf(http.StatusBadRequest, "ErrorInvalidRequest", "Scheduled automatic replies need a start before their end.")
		}
	}
	return nil
}

func replyTime(replies any, name string) string {
	location, err := zone(textAt(replies, name, "timeZone"))
	if err != nil {
		return ""
	}
	t, err := parseWallClock(textAt(replies, name, "dateTime"), location)
	if err != nil {
		return ""
	}
	return timestamp(t)
}

func listCategories(c *call) (reply, error) {
	var rows []item
	for i, name := range []string{"Blue category", "Customer", "Follow up", "Red category"} {
		view := object{"id": guid(name), "displayName": name, "color": []string{"preset7", "preset4", "preset1", "preset0"}[i]}
		rows = append(rows, item{view, func(prefs) object { return maps.Clone(view) }, nil})
	}
	return c.list(listing{kinds: []string{"outlookCategory"}, items: rows, top: 100, maxTop: 1000})
}
