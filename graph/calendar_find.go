package graph

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// FindTimesInput says who shall meet.
type FindTimesInput struct {
	Mailbox  string   `json:"mailbox,omitempty" jsonschema:"organizer; default: own"`
	People   []string `json:"people" jsonschema:"addresses" minItems:"1" maxItems:"50"`
	Duration string   `json:"duration,omitempty" jsonschema:"such as 45m" default:"30m"`
	Start    string   `json:"start,omitempty" jsonschema:"default: now"`
	End      string   `json:"end,omitempty" jsonschema:"default: 7 days later"`
	AnyHour  bool     `json:"any_hour,omitempty" jsonschema:"also outside of working hours"`
	TimeZone string   `json:"time_zone,omitempty"`
	Limit    int      `json:"limit,omitempty" minimum:"1" maximum:"20" default:"5"`
}

// FoundTimes are times at which people could meet, the best first.
type FoundTimes struct {
	TimeZone string        `json:"time_zone"`
	Times    []MeetingTime `json:"times"`
	Reason   string        `json:"reason,omitempty" jsonschema:"why there is none"`
}

// MeetingTime is a time at which people could meet.
type MeetingTime struct {
	Start      string   `json:"start"`
	End        string   `json:"end"`
	Confidence int      `json:"confidence" jsonschema:"percent"`
	NotFree    []string `json:"not_free,omitempty"`
}

// suggestions are Graph's answer to findMeetingTimes.
// https://learn.microsoft.com/graph/api/resources/meetingtimesuggestionsresult
type suggestions struct {
	Reason string `json:"emptySuggestionsReason"`
	Times  []struct {
		Confidence float64 `json:"confidence"`
		Organizer  string  `json:"organizerAvailability"`
		Attendees  []struct {
			Availability string    `json:"availability"`
			Attendee     recipient `json:"attendee"`
		} `json:"attendeeAvailability"`
		Slot struct {
			Start dateTimeZone `json:"start"`
			End   dateTimeZone `json:"end"`
		} `json:"meetingTimeSlot"`
	} `json:"meetingTimeSuggestions"`
}

// FindMeetingTimes lets Exchange suggest when people could meet.
// https://learn.microsoft.com/graph/api/user-findmeetingtimes
func (c *Client) FindMeetingTimes(ctx context.Context, in FindTimesInput) (*FoundTimes, error) {
	claims, err := c.account(ctx)
	if err != nil {
		return nil, err
	}
	if claims.AppOnly {
		return nil, mcptools.Errorf(mcptools.CodeNotSupported, "Exchange suggests meeting times only to a signed-in user, and an application is signed in").
			WithHint("use m365_cal_free_busy: its all_free lists when everybody is free")
	}
	zone, length, start, end, err := c.meeting(ctx, in.Mailbox, in.TimeZone, in.Duration, in.Start, in.End)
	if err != nil {
		return nil, err
	}
	addresses, err := c.addressesOf(ctx, in.People)
	if err != nil {
		return nil, err
	}
	invited, err := recipients("people", addresses)
	if err != nil {
		return nil, err
	}
	path, err := c.path(ctx, in.Mailbox, "/findMeetingTimes")
	if err != nil {
		return nil, err
	}
	domain := "work"
	if in.AnyHour {
		domain = "unrestricted"
	}
	var answer suggestions
	_, err = c.service.Do(ctx, rest.Request{
		Method: http.MethodPost, Path: path, Header: zoned(zone), Safe: true,
		Body: map[string]any{
			"attendees": attendees(invited), "meetingDuration": fmt.Sprintf("PT%dM", max(1, int(length.Minutes()))),
			"maxCandidates": cmp.Or(in.Limit, 5), "minimumAttendeePercentage": 50,
			"timeConstraint": map[string]any{
				"activityDomain": domain,
				"timeSlots":      []any{map[string]any{"start": wallTime(start, zone), "end": wallTime(end, zone)}},
			},
		},
	}, &answer)
	if err != nil {
		return nil, err
	}
	return foundTimes(answer, zone, in.AnyHour), nil
}

func foundTimes(answer suggestions, zone *time.Location, anyHour bool) *FoundTimes {
	out := &FoundTimes{TimeZone: zone.String(), Times: []MeetingTime{}, Reason: emptyReason(answer.Reason, anyHour)}
	for _, found := range answer.Times {
		one := MeetingTime{
			Start: stamp(found.Slot.Start.in(zone), zone), End: stamp(found.Slot.End.in(zone), zone), Confidence: int(found.Confidence),
		}
		if busyRank(found.Organizer) > 0 {
			one.NotFree = append(one.NotFree, "organizer: "+found.Organizer)
		}
		for _, a := range found.Attendees {
			if a.Availability != "free" && a.Availability != "workingElsewhere" {
				one.NotFree = append(one.NotFree, a.Attendee.EmailAddress.Address+": "+a.Availability)
			}
		}
		out.Times = append(out.Times, one)
	}
	return out
}

func emptyReason(reason string, anyHour bool) string {
	hours := " in working hours; try more days, a shorter meeting or any_hour"
	if anyHour {
		hours = "; try more days or a shorter meeting"
	}
	switch strings.ToLower(reason) {
	case "":
		return ""
	case "attendeesunavailable", "attendeesunavailableorunknown":
		return "the attendees are not free at the same time" + hours
	case "organizerunavailable":
		return "the organizer is not free" + hours
	case "locationsunavailable":
		return "no location is free"
	}
	return "Exchange found none, and does not say why"
}

// ListRoomsInput says which rooms to find.
type ListRoomsInput struct {
	Query    string `json:"query,omitempty" jsonschema:"words in name, address, floor or equipment"`
	Building string `json:"building,omitempty"`
	Capacity int    `json:"capacity,omitempty" jsonschema:"people at least" minimum:"1"`
	Limit    int    `json:"limit,omitempty" minimum:"1" maximum:"100" default:"25"`
	Cursor   string `json:"cursor,omitempty"`
}

// RoomRow is a room that can be booked.
type RoomRow struct {
	Name      string   `json:"name"`
	Address   string   `json:"address"`
	Capacity  int      `json:"capacity,omitempty"`
	Building  string   `json:"building,omitempty"`
	Floor     string   `json:"floor,omitempty"`
	Equipment []string `json:"equipment,omitempty"`
}

// room is a room as Graph sends it.
// https://learn.microsoft.com/graph/api/resources/room
type room struct {
	Name       string   `json:"displayName"`
	Address    string   `json:"emailAddress"`
	Capacity   int      `json:"capacity"`
	Building   string   `json:"building"`
	Floor      int      `json:"floorNumber"`
	FloorLabel string   `json:"floorLabel"`
	Audio      string   `json:"audioDeviceName"`
	Video      string   `json:"videoDeviceName"`
	Display    string   `json:"displayDeviceName"`
	Tags       []string `json:"tags"`
}

// ListRooms finds rooms that can be booked.
// https://learn.microsoft.com/graph/api/place-list
func (c *Client) ListRooms(ctx context.Context, in ListRoomsInput) (*mcptools.Page[RoomRow], error) {
	return choose(ctx, c, collection{
		tool: "m365_cal_rooms", args: in, cursor: in.Cursor, limit: cmp.Or(in.Limit, 25),
		path: "/places/microsoft.graph.room", query: url.Values{}, sparse: true,
	}, func(r room) (RoomRow, bool) {
		row := RoomRow{Name: r.Name, Address: r.Address, Capacity: r.Capacity, Building: r.Building, Floor: r.FloorLabel, Equipment: r.Tags}
		if row.Floor == "" && r.Floor != 0 {
			row.Floor = fmt.Sprint(r.Floor)
		}
		for _, device := range []string{r.Audio, r.Video, r.Display} {
			if device != "" {
				row.Equipment = append(row.Equipment, device)
			}
		}
		texts := append([]string{r.Name, r.Address, row.Floor}, row.Equipment...)
		return row, r.Capacity >= in.Capacity && contains(in.Query, texts...) && contains(in.Building, r.Building)
	})
}
