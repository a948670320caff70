package graphtest

import (
	"slices"
	"strings"
	"testing"
)

func when(text, zone string) object { return object{"dateTime": text, "timeZone": zone} }

func TestSeriesAcrossTheChangeOfClocks(t *testing.T) {
	r := newRig(t, Options{})
	// Berlin springs forward on 29 March 2026.
	const view = "/me/calendarView?startDateTime=2026-03-27T00:00:00Z&endDateTime=2026-03-31T00:00:00Z&$filter=contains(subject,'stand-up')&$orderby=start/dateTime&$select=subject,start,end,type,seriesMasterId"
	utc := r.get(view).want(t, 200).values()
	if len(utc) != 2 || textAt(utc[0], "start", "dateTime") != "2026-03-27T08:00:00.0000000" || textAt(utc[1], "start", "dateTime") != "2026-03-30T07:00:00.0000000" {
		t.Fatalf("%v", utc)
	}
	local := r.get(view, `Prefer: outlook.timezone="Europe/Berlin"`).want(t, 200)
	if local.header.Get("Preference-Applied") != `outlook.timezone="Europe/Berlin"` {
		t.Errorf("%v", local.header)
	}
	for _, v := range local.values() {
		if !strings.HasSuffix(textAt(v, "start", "dateTime"), "T09:00:00.0000000") || textAt(v, "start", "timeZone") != "Europe/Berlin" || v["type"] != "occurrence" {
			t.Errorf("%v", v)
		}
	}
	master := r.get("/me/events/"+textAt(utc[0], "seriesMasterId")).want(t, 200)
	if master.body["type"] != "seriesMaster" || textAt(master.body, "recurrence", "pattern", "type") != "weekly" {
		t.Errorf("%s", master.raw)
	}
	one := r.get("/me/events/"+textAt(utc[1], "id"), `Prefer: outlook.timezone="W. Europe Standard Time"`).want(t, 200)
	if one.body["type"] != "occurrence" || textAt(one.body, "start", "dateTime") != "2026-03-30T09:00:00.0000000" {
		t.Errorf("%s", one.raw)
	}
	instances := r.get("/me/events/"+textAt(utc[0], "seriesMasterId")+"/instances?startDateTime=2026-03-23T00:00:00Z&endDateTime=2026-03-28T00:00:00Z").want(t, 200)
	if len(instances.values()) != 5 {
		t.Errorf("%s", instances.raw)
	}
	r.clean()
}

func TestCreateEvent(t *testing.T) {
	r := newRig(t, Options{})
	body := object{
		"subject": "Look at the printer", "start": when("2026-03-30T10:00:00", "Europe/Berlin"), "end": when("2026-03-30T11:00:00", "Europe/Berlin"), "isOnlineMeeting": true,
		"location": object{"displayName": "Hall 3"}, "transactionId": "t-1", "body": object{"contentType": "html", "content": "<p>Zebra</p>"},
		"attendees": []object{{"emailAddress": object{"address": "priya.nair@nordlicht.example"}, "type": "required"}, {"emailAddress": object{"address": "anna.berg@hafenlogistik.example"}}},
	}
	a := r.do("POST", "/me/events", body).want(t, 201)
	if textAt(a.body, "start", "dateTime") != "2026-03-30T08:00:00.0000000" || a.body["originalStartTimeZone"] != "Europe/Berlin" || textAt(a.body, "onlineMeeting", "joinUrl") == "" {
		t.Errorf("%s", a.raw)
	}
	if again := r.do("POST", "/me/events", body).want(t, 201); again.body["id"] != a.body["id"] {
		t.Error("a retry with the same transactionId made another event")
	}
	body["subject"] = "Something else"
	if other := r.do("POST", "/me/events", body); other.status != 409 || other.code() != "ErrorDuplicateTransactionId" {
		t.Errorf("%d %s", other.status, other.raw)
	}
	invited := r.Events("priya.nair@nordlicht.example")
	mine := invited[len(invited)-1]
	if mine["subject"] != "Look at the printer" || textAt(mine, "responseStatus", "response") != "notResponded" || mine["isOrganizer"] != false {
		t.Fatalf("%v", mine)
	}
	priya := *r
	priya.token = r.TokenFor("priya.nair@nordlicht.example", "Calendars.ReadWrite")
	priya.do("POST", "/me/events/"+textAt(mine, "id")+"/accept", object{"comment": "ok", "sendResponse": true}).want(t, 202)
	event := "/me/events/" + textAt(a.body, "id")
	if textAt(elements(r.get(event).body["attendees"])[0], "status", "response") != "accepted" {
		t.Error("the answer did not reach the organizer")
	}
	if own := r.do("POST", event+"/accept", object{}); own.status != 400 {
		t.Errorf("accepting one's own meeting: %d", own.status)
	}
	r.do("PATCH", event, object{"start": when("2026-03-30T12:00:00", "UTC"), "end": when("2026-03-30T12:30:00", "UTC")}).want(t, 200)
	r.do("POST", event+"/cancel", object{"comment": "solved"}).want(t, 202)
	r.get(event).want(t, 404)
	invited = r.Events("priya.nair@nordlicht.example")
	if last := invited[len(invited)-1]; last["isCancelled"] != true || last["subject"] != "Canceled: Look at the printer" {
		t.Errorf("%v", last["subject"])
	}
	r.clean()
}

func TestRefusedEvents(t *testing.T) {
	r := newRig(t, Options{})
	at9, at10 := when("2026-03-30T09:00:00", "UTC"), when("2026-03-30T10:00:00", "UTC")
	weekly := object{"type": "weekly", "interval": 1}
	for name, body := range map[string]object{
		"no end":        {"subject": "x", "start": at9},
		"backwards":     {"start": at10, "end": at9},
		"zone":          {"start": when("2026-03-30T09:00:00", "Hamburg"), "end": at10},
		"flat start":    {"start": "2026-03-30T09:00:00Z", "end": at10},
		"all-day":       {"start": at9, "end": at10, "isAllDay": true},
		"unknown":       {"start": at9, "end": at10, "title": "x"},
		"no daysOfWeek": {"start": at9, "end": at10, "recurrence": object{"pattern": weekly, "range": object{"type": "noEnd", "startDate": "2026-03-30"}}},
		"start differs": {"start": at9, "end": at10, "recurrence": object{"pattern": object{"type": "daily", "interval": 1}, "range": object{"type": "noEnd", "startDate": "2026-03-31"}}},
		"other zone": {"start": at9, "end": at10, "recurrence": object{"pattern": object{"type": "daily", "interval": 1},
			"range": object{"type": "noEnd", "startDate": "2026-03-30", "recurrenceTimeZone": "Eastern Standard Time"}}},
		"flat location": {"start": at9, "end": at10, "location": "Hall 3"},
	} {
		if a := r.do("POST", "/me/events", body); a.status != 400 {
			t.Errorf("%s: %d %s", name, a.status, a.raw)
		}
	}
	if a := r.get("/me/calendarView?startDateTime=2026-03-30"); a.status != 400 || a.code() != "ErrorInvalidParameter" {
		t.Errorf("%d %s", a.status, a.raw)
	}
	if n := len(r.Events(SignedInUser)); n != 7 {
		t.Errorf("%d events; a refused one was kept", n)
	}
}

func TestExceptionsOfASeries(t *testing.T) {
	r := newRig(t, Options{})
	a := r.do("POST", "/me/events", object{
		"subject": "Daily", "start": when("2026-03-28T08:00:00", "Europe/Berlin"), "end": when("2026-03-28T08:30:00", "Europe/Berlin"),
		"recurrence": object{"pattern": object{"type": "daily", "interval": 1}, "range": object{"type": "endDate", "startDate": "2026-03-28", "endDate": "2026-03-31"}},
	}).want(t, 201)
	master := "/me/events/" + textAt(a.body, "id")
	window := "?startDateTime=2026-03-01T00:00:00Z&endDateTime=2026-05-01T00:00:00Z"
	days := r.get(master+"/instances"+window).want(t, 200).values()
	if len(days) != 4 {
		t.Fatalf("%d instances", len(days))
	}
	moved := r.do("PATCH", "/me/events/"+textAt(days[1], "id"), object{"start": when("2026-03-29T10:00:00", "Europe/Berlin"), "end": when("2026-03-29T10:30:00", "Europe/Berlin")}).want(t, 200)
	if moved.body["type"] != "exception" || textAt(moved.body, "start", "dateTime") != "2026-03-29T08:00:00.0000000" {
		t.Errorf("%s", moved.raw)
	}
	r.do("DELETE", "/me/events/"+textAt(days[2], "id"), nil).want(t, 204)
	left := r.get(master+"/instances"+window).want(t, 200).strings("type")
	if !slices.Equal(left, []string{"occurrence", "exception", "occurrence"}) {
		t.Errorf("%v", left)
	}
	r.clean()
}

func TestFreeBusy(t *testing.T) {
	r := newRig(t, Options{})
	a := r.do("POST", "/me/calendar/getSchedule", object{
		"schedules": []string{"sam.okafor@nordlicht.example", "room.elbe@nordlicht.example", "nobody@nordlicht.example"}, "availabilityViewInterval": 60,
		"startTime": when("2026-03-23T08:00:00", "W. Europe Standard Time"), "endTime": when("2026-03-23T17:00:00", "W. Europe Standard Time"),
	}, `Prefer: outlook.timezone="W. Europe Standard Time"`).want(t, 200)
	rows := a.values()
	if len(rows) != 3 || rows[0]["availabilityView"] != "022200200" || rows[1]["availabilityView"] != "000000000" || at(rows[2], "error") == nil {
		t.Errorf("%s", a.raw)
	}
	if item := elements(rows[0]["scheduleItems"])[0]; textAt(item, "start", "dateTime") != "2026-03-23T09:00:00.0000000" {
		t.Errorf("%v", item)
	}
	times := r.do("POST", "/me/findMeetingTimes", object{
		"attendees": []object{{"type": "required", "emailAddress": object{"address": "tom.lindqvist@nordlicht.example"}}}, "meetingDuration": "PT1H", "maxCandidates": 2,
		"timeConstraint": object{"activityDomain": "work", "timeSlots": []object{{"start": when("2026-03-23T08:00:00", "Europe/Berlin"), "end": when("2026-03-23T17:00:00", "Europe/Berlin")}}},
	}).want(t, 200)
	found := elements(times.body["meetingTimeSuggestions"])
	if len(found) != 2 || textAt(found[0], "meetingTimeSlot", "start", "dateTime") != "2026-03-23T07:00:00.0000000" {
		t.Errorf("%s", times.raw)
	}
	r.clean()
	r.token = r.AppToken()
	if a := r.do("POST", "/users/"+SignedInUser+"/findMeetingTimes", object{}); a.status != 403 {
		t.Errorf("an app finds times: %d", a.status)
	}
}

func TestRoomsAcceptByThemselves(t *testing.T) {
	r := newRig(t, Options{})
	a := r.do("POST", "/me/events", object{
		"subject": "In Elbe", "start": when("2026-03-23T13:00:00", "UTC"), "end": when("2026-03-23T14:00:00", "UTC"),
		"attendees": []object{{"emailAddress": object{"address": "room.elbe@nordlicht.example"}, "type": "resource"}},
	}).want(t, 201)
	if textAt(elements(a.body["attendees"])[0], "status", "response") != "accepted" {
		t.Errorf("%s", a.raw)
	}
	busy := r.do("POST", "/me/calendar/getSchedule", object{
		"schedules": []string{"room.elbe@nordlicht.example"}, "startTime": when("2026-03-23T12:30:00", "UTC"), "endTime": when("2026-03-23T14:30:00", "UTC"),
	}).want(t, 200)
	if busy.values()[0]["availabilityView"] != "0220" {
		t.Errorf("%s", busy.raw)
	}
	r.clean()
}

func TestCalendarsAndPermissions(t *testing.T) {
	r := newRig(t, Options{})
	if names := r.get("/me/calendars?$select=name").strings("name"); !slices.Equal(names, []string{"Calendar", "Birthdays"}) {
		t.Errorf("%v", names)
	}
	const permissions = "/me/calendar/calendarPermissions"
	a := r.do("POST", permissions, object{"emailAddress": object{"address": "priya.nair@nordlicht.example", "name": "Priya"}, "role": "write"}).want(t, 201)
	path := permissions + "/" + q(textAt(a.body, "id"))
	if a := r.do("PATCH", path, object{"role": "read"}).want(t, 200); a.body["role"] != "read" {
		t.Errorf("%s", a.raw)
	}
	if rows := r.get(permissions).values(); len(rows) != 2 || rows[1]["isRemovable"] != true {
		t.Errorf("%v", rows)
	}
	r.do("DELETE", path, nil).want(t, 204)
	r.clean()
	if a := r.do("POST", permissions, object{"emailAddress": object{"address": "x@y.example"}, "role": "owner"}); a.status != 400 || !r.violated("wrong-kind") {
		t.Errorf("%d %v", a.status, r.Violations())
	}
	rooms := r.get("/places/microsoft.graph.room?$top=2&$select=displayName,capacity").want(t, 200)
	if len(rooms.values()) != 2 || textAt(rooms.body, "@odata.nextLink") == "" {
		t.Errorf("%s", rooms.raw)
	}
}
