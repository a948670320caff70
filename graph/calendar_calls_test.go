package graph_test

import (
	"testing"

	"github.com/msptoolbelt/toolbelt/internal/catalogtest"
)

// idOf takes the id of the latest result of a tool into the arguments.
func idOf(tool string) func(catalogtest.Results) map[string]any {
	return func(earlier catalogtest.Results) map[string]any {
		return args{"id": earlier.Last(tool)["id"]}
	}
}

// rowID takes the id of the first row of the latest page of a tool.
func rowID(tool string) func(catalogtest.Results) map[string]any {
	return func(earlier catalogtest.Results) map[string]any {
		rows := items(earlier.Last(tool))
		if len(rows) == 0 {
			return nil
		}
		return args{"id": rows[0]["id"]}
	}
}

// cursorOf takes the cursor of the latest page of a tool.
func cursorOf(tool string) func(catalogtest.Results) map[string]any {
	return func(earlier catalogtest.Results) map[string]any {
		return args{"cursor": earlier.Last(tool)["cursor"]}
	}
}

const (
	sam  = "sam.okafor@nordlicht.example"
	tom  = "tom.lindqvist@nordlicht.example"
	elif = "elif.demir@nordlicht.example"
	anna = "anna.berg@hafenlogistik.example"
	desk = "servicedesk@nordlicht.example"
)

// calendarCalls use every tool of the calendar with every argument.
func calendarCalls() []catalogtest.Call {
	calls := append(readCalendarCalls(), writeCalendarCalls()...)
	return append(calls, permissionCalls()...)
}

func readCalendarCalls() []catalogtest.Call {
	return []catalogtest.Call{
		{Tool: "m365_cal_list", Args: args{"mailbox": sam}, Check: hasRows},
		{Tool: "m365_cal_view", Args: args{"limit": 2}, Check: hasRows},
		{Tool: "m365_cal_view", Args: args{"limit": 2}, With: cursorOf("m365_cal_view"), Check: hasRows},
		{Tool: "m365_cal_view", Args: args{
			"mailbox": sam, "calendar": "Calendar", "start": "-30d", "end": "+60d", "query": "stand-up", "time_zone": "Europe/Lisbon", "limit": 5,
		}, Check: hasRows},
		{Tool: "m365_cal_get", Args: args{"mailbox": sam, "body": "none", "time_zone": "Europe/Berlin"}, With: rowID("m365_cal_view")},
		{Tool: "m365_cal_free_busy", Args: args{
			"people": []any{"me", tom, elif}, "start": "today", "end": "+3d", "duration": "45m", "interval": 30, "any_hour": true, "time_zone": "Europe/Berlin",
		}},
		{Tool: "m365_cal_find_times", Args: args{
			"people": []any{tom, elif}, "duration": "1h", "start": "now", "end": "+5d", "any_hour": true, "time_zone": "Europe/Berlin", "limit": 3,
		}},
		{Tool: "m365_cal_find_times", Args: args{"mailbox": sam, "people": []any{tom}}},
		{Tool: "m365_cal_rooms", Args: args{"limit": 1}, Check: hasRows},
		{Tool: "m365_cal_rooms", Args: args{"limit": 1}, With: cursorOf("m365_cal_rooms"), Check: hasRows},
		{Tool: "m365_cal_rooms", Args: args{"query": "teams", "building": "speicher", "capacity": 10}, Check: hasRows},
	}
}

func writeCalendarCalls() []catalogtest.Call {
	return []catalogtest.Call{
		{Tool: "m365_cal_create", Args: args{
			"mailbox": sam, "subject": "Review", "start": "2027-03-24T15:00", "end": "45m", "time_zone": "Europe/Berlin", "attendees": []any{"Tom Lindqvist <" + tom + ">", anna},
			"location": "Elbe", "online": true, "body": "**Agenda**", "recurrence": "weekly on wed 4 times", "calendar": "Calendar",
		}, Check: tookAll},
		{Tool: "m365_cal_update", Args: args{
			"mailbox": sam, "scope": "series", "subject": "Review of the week", "start": "2027-03-24T15:30", "end": "2027-03-24T16:30", "time_zone": "Europe/Berlin",
			"add_attendees": []any{elif}, "remove_attendees": []any{anna}, "location": "Alster", "body": "New agenda", "online": true, "recurrence": "weekly on wed until 2027-06-30",
		}, With: idOf("m365_cal_create"), Check: tookAll},
		{Tool: "m365_cal_cancel", Args: args{"mailbox": sam, "comment": "not needed", "scope": "series"}, With: idOf("m365_cal_create")},
		{Tool: "m365_cal_view", Args: args{"start": "today", "end": "+14d", "query": "Dispatch review"}, Check: hasRows},
		{Tool: "m365_cal_respond", Args: args{
			"mailbox": sam, "response": "tentative", "comment": "Later?", "propose_start": "+2d", "propose_end": "30m", "time_zone": "Europe/Berlin", "scope": "one",
		}, With: rowID("m365_cal_view")},
	}
}

func permissionCalls() []catalogtest.Call {
	return []catalogtest.Call{
		{Tool: "m365_cal_permissions", Args: args{"mailbox": sam}, Check: hasRows},
		{Tool: "m365_cal_permission_set", Args: args{"mailbox": sam, "person": elif, "role": "read"}},
	}
}

func hasRows(t *testing.T, result map[string]any) {
	t.Helper()
	if len(items(result)) == 0 {
		t.Errorf("no rows: %v", result)
	}
}

func tookAll(t *testing.T, result map[string]any) {
	t.Helper()
	if result["ignored"] != nil {
		t.Errorf("ignored %v", result["ignored"])
	}
}

// directoryCalls use every tool of core, contacts and the directory with every
// argument.
func directoryCalls() []catalogtest.Call {
	return []catalogtest.Call{
		{Tool: "m365_whoami"},
		{Tool: "m365_search", Args: args{"query": "printer", "types": []any{"mail", "event", "person", "file", "site", "list_item"}, "limit": 1}, Check: hasRows},
		{Tool: "m365_search", Args: args{"query": "printer", "types": []any{"mail", "event", "person", "file", "site", "list_item"}, "limit": 1}, With: cursorOf("m365_search"), Check: hasRows},
		{Tool: "m365_search", Args: args{"query": "hall", "region": "EUR"}},
		{Tool: "m365_people_find", Args: args{"query": "Tom", "limit": 3}, Check: hasRows},
		{Tool: "m365_users_find", Args: args{"limit": 2}, Check: hasRows},
		{Tool: "m365_users_find", Args: args{"limit": 2}, With: cursorOf("m365_users_find"), Check: hasRows},
		{Tool: "m365_users_find", Args: args{"query": "Okafor", "enabled": true, "guest": false, "licensed": true, "department": "Service"}, Check: hasRows},
		{Tool: "m365_users_find", Args: args{"inactive_since": "-90d"}, Check: hasRows},
		{Tool: "m365_users_find", Args: args{"query": "Okafor", "fields": []any{"office", "company", "phone", "mobile", "country", "employee_id", "created", "synced"}}, Check: hasRows},
		{Tool: "m365_users_find", Args: args{"guest": false, "count": true}},
		{Tool: "m365_user_get", Args: args{
			"user": sam, "include": []any{"manager", "groups", "roles", "licences", "mfa", "devices", "signin", "mailbox", "forwarding"},
		}},
		{Tool: "m365_groups_find", Args: args{"query": "staff", "type": "m365", "ownerless": false}, Check: hasRows},
		{Tool: "m365_groups_find", Args: args{"limit": 1}},
		{Tool: "m365_groups_find", Args: args{"limit": 1}, With: cursorOf("m365_groups_find"), Check: hasRows},
		{Tool: "m365_group_get", Args: args{"group": "All Staff", "members": true, "owners": true, "transitive": true, "limit": 2}},
		{Tool: "m365_group_get", Args: args{"group": "All Staff", "members": true, "owners": true, "transitive": true, "limit": 2}, With: cursorOf("m365_group_get")},
	}
}
