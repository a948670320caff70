package graph

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/argument"
	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/internal/when"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// FreeBusyInput says whose free time to find.
type FreeBusyInput struct {
	People   []string `json:"people" jsonschema:"addresses, or me" minItems:"1" maxItems:"60"`
	Start    string   `json:"start,omitempty" jsonschema:"date or time; default: now"`
	End      string   `json:"end,omitempty" jsonschema:"default: +7d"`
	Duration string   `json:"duration,omitempty" jsonschema:"shortest slot, such as 45m" default:"30m"`
	Interval int      `json:"interval,omitempty" minimum:"5" maximum:"60" default:"15" jsonschema:"minutes"`
	AnyHour  bool     `json:"any_hour,omitempty" jsonschema:"also outside of working hours"`
	TimeZone string   `json:"time_zone,omitempty"`
}

// FreeBusy is when people are free and busy.
type FreeBusy struct {
	TimeZone string       `json:"time_zone"`
	AllFree  []TimeSlot   `json:"all_free" jsonschema:"everybody is free"`
	People   []PersonTime `json:"people"`
	Note     string       `json:"note,omitempty"`
	Cut      bool         `json:"cut,omitempty" jsonschema:"there is more; ask for a shorter time or fewer people"`
}

// PersonTime is when one person is busy, and free where nobody is together:
// else the free time of each only repeats what the rest says.
type PersonTime struct {
	Address string     `json:"address"`
	Free    []TimeSlot `json:"free,omitempty"`
	Busy    []TimeSlot `json:"busy,omitempty"`
	Problem string     `json:"problem,omitempty"`
}

// TimeSlot is a time from start to end. Status of a busy one is tentative, busy
// or oof (out of office).
type TimeSlot struct {
	Start  string `json:"start"`
	End    string `json:"end"`
	Status string `json:"status,omitempty"`
}

const (
	schedulesPerRequest = 20                  // more is refused
	maxScheduleTime     = 62 * 24 * time.Hour // more is refused
	maxSlots            = 180                 // of one result
	viewInterval        = 15                  // minutes; the usual grain of the view
)

// schedule is the free and busy time of one mailbox as Graph sends it.
// https://learn.microsoft.com/graph/api/resources/scheduleinformation
type schedule struct {
	Address string `json:"scheduleId"`
	View    string `json:"availabilityView"`
	Items   []struct {
		Status string       `json:"status"`
		Start  dateTimeZone `json:"start"`
		End    dateTimeZone `json:"end"`
	} `json:"scheduleItems"`
	Hours *struct {
		Days  []string `json:"daysOfWeek"`
		Start string   `json:"startTime"`
		End   string   `json:"endTime"`
		Zone  struct {
			Name string `json:"name"`
		} `json:"timeZone"`
	} `json:"workingHours"`
	Error *struct {
		Code string `json:"responseCode"`
	} `json:"error"`

	grain time.Duration // of the view
}

// FindFreeTime finds when people are free, alone and together.
// https://learn.microsoft.com/graph/api/calendar-getschedule
func (c *Client) FindFreeTime(ctx context.Context, in FreeBusyInput) (*FreeBusy, error) {
	addresses, err := c.addressesOf(ctx, in.People)
	if err != nil {
		return nil, err
	}
	if len(addresses) == 0 {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "people: name at least one address")
	}
	owner, err := c.scheduleOwner(ctx, addresses)
	if err != nil {
		return nil, err
	}
	zone, length, start, end, err := c.meeting(ctx, owner, in.TimeZone, in.Duration, in.Start, in.End)
	if err != nil {
		return nil, err
	}
	if end.Sub(start) > maxScheduleTime {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "end: Exchange tells at most 62 days at once").WithHint("ask for a shorter time")
	}
	grain := time.Duration(cmp.Or(in.Interval, viewInterval)) * time.Minute
	if in.Start == "" { // nobody meets at 14:07
		start = start.Add(grain - 1).Truncate(grain)
	}
	whole := span{start: start, end: end}
	schedules, err := c.schedules(ctx, owner, addresses, whole, zone, grain)
	if err != nil {
		return nil, err
	}
	return freeBusy(addresses, schedules, whole, zone, length, in.AnyHour), nil
}

// meeting reads how long something takes and between when it is to begin: in the
// next 7 days, unless something else is said.
func (c *Client) meeting(ctx context.Context, mailbox, zoneName, duration, from, to string) (zone *time.Location, length time.Duration, start, end time.Time, err error) {
	if zone, err = c.zone(ctx, mailbox, zoneName); err != nil {
		return
	}
	if length, err = when.Duration(cmp.Or(duration, "30m")); err != nil {
		err = argument.Of("duration", err)
		return
	}
	start, end, err = window(cmp.Or(from, "now"), to, zone, 7)
	return
}

// addressesOf reads addresses; "me" is the signed-in user.
func (c *Client) addressesOf(ctx context.Context, people []string) ([]string, error) {
	var addresses []string
	for i, person := range people {
		if strings.EqualFold(strings.TrimSpace(person), "me") {
			own, err := c.ownAddress(ctx)
			if err != nil {
				return nil, err
			}
			person = own
		}
		parsed, err := readRecipient(fmt.Sprintf("people[%d]", i), person)
		if err != nil {
			return nil, err
		}
		if address := parsed.EmailAddress.Address; !slices.Contains(addresses, address) {
			addresses = append(addresses, address)
		}
	}
	return addresses, nil
}

// ownAddress is the address of the signed-in user.
func (c *Client) ownAddress(ctx context.Context) (string, error) {
	claims, err := c.account(ctx)
	if err != nil {
		return "", err
	}
	if strings.Contains(claims.Username, "@") {
		return claims.Username, nil
	}
	path, err := c.path(ctx, "", "")
	if err != nil {
		return "", err
	}
	var me struct {
		Mail string `json:"mail"`
		UPN  string `json:"userPrincipalName"`
	}
	if err := c.get(ctx, path, map[string][]string{"$select": {"mail,userPrincipalName"}}, nil, &me); err != nil {
		return "", err
	}
	return cmp.Or(me.Mail, me.UPN), nil
}

// scheduleOwner is whose calendar asks for the schedules: the signed-in user's,
// or, when an application is signed in, that of the first person.
func (c *Client) scheduleOwner(ctx context.Context, addresses []string) (string, error) {
	claims, err := c.account(ctx)
	if err != nil || !claims.AppOnly || len(addresses) == 0 {
		return "", err
	}
	return addresses[0], nil
}

func (c *Client) schedules(ctx context.Context, owner string, addresses []string, whole span, zone *time.Location, grain time.Duration) (map[string]schedule, error) {
	path, err := c.path(ctx, owner, "/calendar/getSchedule")
	if err != nil {
		return nil, err
	}
	all := map[string]schedule{}
	for some := range slices.Chunk(addresses, schedulesPerRequest) {
		var answer struct {
			Value []schedule `json:"value"`
		}
		_, err := c.service.Do(ctx, rest.Request{
			Method: http.MethodPost, Path: path, Header: zoned(zone), Safe: true,
			Body: map[string]any{
				"schedules": some, "startTime": wallTime(whole.start, zone), "endTime": wallTime(whole.end, zone),
				"availabilityViewInterval": int(grain.Minutes()),
			},
		}, &answer)
		if err != nil {
			return nil, err
		}
		for _, s := range answer.Value {
			s.grain = grain
			all[strings.ToLower(s.Address)] = s
		}
	}
	return all, nil
}

// freeBusy works out the result.
func freeBusy(addresses []string, schedules map[string]schedule, whole span, zone *time.Location, length time.Duration, anyHour bool) *FreeBusy {
	out := &FreeBusy{TimeZone: zone.String(), AllFree: []TimeSlot{}, People: []PersonTime{}}
	left := max(maxSlots/len(addresses)/2, 4)
	common, anyTime := []span{whole}, []span{whole} // the latter outside of working hours too
	alone := make([][]span, len(addresses))
	known := 0
	for i, address := range addresses {
		s, ok := schedules[strings.ToLower(address)]
		person := PersonTime{Address: address}
		switch {
		case !ok:
			person.Problem = "Exchange told nothing about this address"
		case s.Error != nil:
			person.Problem = scheduleProblem(s.Error.Code)
		default:
			known++
			busy := within(s.busy(whole, zone), []span{whole})
			free := without([]span{whole}, busy)
			anyTime = within(anyTime, free)
			if hours := s.working(whole, zone); hours != nil && !anyHour {
				free = within(free, hours)
			}
			common = within(common, free)
			person.Busy = slots(busy, zone, left, &out.Cut)
			alone[i] = free
		}
		out.People = append(out.People, person)
	}
	if known == 0 {
		return out
	}
	out.AllFree = slots(atLeast(common, length), zone, maxSlots/3, &out.Cut)
	if len(out.AllFree) == 0 && known > 1 {
		for i := range out.People {
			out.People[i].Free = slots(atLeast(alone[i], length), zone, left, &out.Cut)
		}
	}
	out.Note = freeNote(len(out.AllFree) > 0, len(atLeast(anyTime, length)) > 0, known < len(addresses))
	return out
}

// freeNote says what the free slots do not.
func freeNote(found, outside, unknown bool) string {
	var notes []string
	switch {
	case !found && outside:
		notes = append(notes, "no slot within everybody's working hours; any_hour finds those outside")
	case !found:
		notes = append(notes, "no slot of that length; try a shorter duration or more days")
	}
	if unknown {
		notes = append(notes, "people with a problem are left out of all_free")
	}
	return strings.Join(notes, "; ")
}

func scheduleProblem(code string) string {
	switch code {
	case "ErrorMailRecipientNotFound":
		return "there is no such mailbox; check the address with m365_people_find"
	case "ErrorNoFreeBusyAccess", "NoFreeBusyAccess":
		return "this account may not see when they are busy"
	case "ErrorProxyRequestProcessingFailed":
		return "their organization does not tell when they are busy"
	}
	return "Exchange cannot tell: " + code
}

// busy returns when the owner is not free. Other organizations tell only the
// view, which has a digit for each quarter of an hour.
// https://learn.microsoft.com/graph/api/resources/scheduleinformation
func (s schedule) busy(whole span, zone *time.Location) []span {
	var spans []span
	for _, item := range s.Items {
		if busyRank(item.Status) > 0 {
			spans = append(spans, span{item.Start.in(zone), item.End.in(zone), item.Status})
		}
	}
	if len(s.Items) == 0 {
		for i, digit := range s.View {
			if digit >= '1' && digit <= '3' {
				from := whole.start.Add(time.Duration(i) * s.grain)
				if !from.Before(whole.end) {
					break
				}
				spans = append(spans, span{from, from.Add(s.grain), []string{"tentative", "busy", "oof"}[digit-'1']})
			}
		}
	}
	return merged(spans)
}

// working returns the owner's working hours, nil when they are unknown.
func (s schedule) working(whole span, zone *time.Location) []span {
	if s.Hours == nil || len(s.Hours.Days) == 0 {
		return nil
	}
	own, err := when.Zone(s.Hours.Zone.Name)
	if err != nil || s.Hours.Zone.Name == "" {
		own = zone // a custom zone of an old Outlook
	}
	from, errFrom := time.Parse("15:04:05", s.Hours.Start)
	to, errTo := time.Parse("15:04:05", s.Hours.End)
	if errFrom != nil || errTo != nil {
		return nil
	}
	hours := []span{}
	first := whole.start.In(own).AddDate(0, 0, -1) // a night shift may reach into the first day
	for day := first; day.Before(whole.end.Add(24 * time.Hour)); day = day.AddDate(0, 0, 1) {
		if !slices.Contains(s.Hours.Days, weekDays[day.Weekday()]) {
			continue
		}
		at := func(clock time.Time, days int) time.Time {
			return time.Date(day.Year(), day.Month(), day.Day()+days, clock.Hour(), clock.Minute(), 0, 0, own)
		}
		end := at(to, 0)
		if !to.After(from) {
			end = at(to, 1)
		}
		hours = append(hours, span{start: at(from, 0), end: end})
	}
	return merged(hours)
}

func slots(spans []span, zone *time.Location, limit int, cut *bool) []TimeSlot {
	out := []TimeSlot{}
	for i, s := range spans {
		if i == limit {
			*cut = true
			break
		}
		out = append(out, TimeSlot{Start: stamp(s.start, zone), End: stamp(s.end, zone), Status: s.status})
	}
	return out
}
