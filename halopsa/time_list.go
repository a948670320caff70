package halopsa

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/argument"
	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/internal/paging"
	"github.com/msptoolbelt/toolbelt/internal/when"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// ListTimeInput selects logged time.
type ListTimeInput struct {
	Agent    string `json:"agent,omitempty" jsonschema:"name, id or me; default: me, of one ticket: all"`
	TicketID int    `json:"ticket_id,omitempty" minimum:"1" jsonschema:"of one ticket"`
	From     string `json:"from,omitempty" jsonschema:"default: -7d, of one ticket: ever"`
	To       string `json:"to,omitempty"`
	Limit    int    `json:"limit,omitempty" minimum:"1" maximum:"200" default:"50"`
	Cursor   string `json:"cursor,omitempty"`
}

// TimeEntry is one entry of logged time.
type TimeEntry struct {
	TicketID int    `json:"ticket_id,omitempty"`
	ActionID int    `json:"action_id,omitempty"`
	Agent    string `json:"agent,omitempty"`
	At       string `json:"at"`
	Minutes  int    `json:"minutes"`
	Client   string `json:"client,omitempty"`
	Subject  string `json:"subject,omitempty"`
	Note     string `json:"note,omitempty"`
	Charge   string `json:"charge,omitempty"`
}

// ListTimeOutput holds entries and what they add up to, those on later pages
// included.
type ListTimeOutput struct {
	mcptools.Page[TimeEntry]

	TotalMinutes int     `json:"total_minutes"`
	TotalHours   float64 `json:"total_hours"`
}

// event is an entry of a timesheet as Halo sends it. Hours are decimal.
type event struct {
	TicketID   whole   `json:"ticket_id"`
	ActionID   whole   `json:"action_number"`
	AgentID    whole   `json:"agent_id"`
	Start      moment  `json:"start_date"`
	Taken      float64 `json:"timetaken"`
	Subject    string  `json:"subject"`
	Note       string  `json:"note"`
	Client     string  `json:"customer"`
	ChargeName string  `json:"charge_type_name"`
	BreakType  whole   `json:"break_type"`
	HolidayID  whole   `json:"holiday_id"`
}

// worked reports whether the entry is work, and no break, leave or reminder.
func (e event) worked() bool { return e.Taken > 0 && e.BreakType <= 0 && e.HolidayID <= 0 }

// ListTime lists logged time: an agent's over all tickets, or that on one
// ticket. GET /TimesheetEvent, GET /Actions
func (c *Client) ListTime(ctx context.Context, in ListTimeInput) (*ListTimeOutput, error) {
	scope, err := c.scope(ctx, "time_list", in)
	if err != nil {
		return nil, err
	}
	entries, err := c.timeEntries(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &ListTimeOutput{}
	for _, e := range entries {
		out.TotalMinutes += e.Minutes
	}
	out.TotalHours = math.Round(float64(out.TotalMinutes)/60*100) / 100
	page, err := paging.Collect(ctx, c.codec, paging.Query{Scope: scope, Cursor: in.Cursor, Limit: cmp.Or(in.Limit, 50)},
		func(context.Context, string, int) ([]TimeEntry, string, *int, error) {
			total := len(entries)
			return entries, "", &total, nil
		})
	if err != nil {
		return nil, err
	}
	out.Page = *page
	return out, nil
}

// timeEntries reads the entries that a call selects, newest first.
func (c *Client) timeEntries(ctx context.Context, in ListTimeInput) ([]TimeEntry, error) {
	now := time.Now()
	fallback := now.In(c.zone).AddDate(0, 0, -7)
	if in.TicketID != 0 {
		fallback = time.Time{}
	}
	from, to, err := when.Range(argument.Text{Name: "from", Value: in.From}, argument.Text{Name: "to", Value: in.To}, c.zone, now, fallback, now)
	if err != nil {
		return nil, err
	}
	var who Entry
	if in.Agent != "" || in.TicketID == 0 {
		if who, err = c.resolve(ctx, "agent", cmp.Or(in.Agent, "me")); err != nil {
			return nil, err
		}
	}
	var events []event
	if in.TicketID != 0 {
		events, err = c.ticketEvents(ctx, in.TicketID, from, to)
	} else {
		events, err = c.events(ctx, strconv.Itoa(who.ID), from, to)
	}
	if err != nil {
		return nil, err
	}
	names, err := c.labels(ctx, "agent")
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(events, func(a, b event) int { return b.Start.Compare(a.Start.Time) })
	entries := []TimeEntry{}
	for _, e := range events {
		if who.ID != 0 && int(e.AgentID) != who.ID {
			continue
		}
		entries = append(entries, TimeEntry{
			TicketID: int(e.TicketID), ActionID: int(e.ActionID), Agent: names.of("agent", e.AgentID), At: c.stamp(e.Start),
			Minutes: int(math.Round(e.Taken * 60)), Client: e.Client, Subject: markup.Preview(e.Subject, 80),
			Note: markup.Preview(e.Note, 160), Charge: e.ChargeName,
		})
	}
	return entries, nil
}

// events reads the work in the timesheets of agents, a list of ids.
func (c *Client) events(ctx context.Context, agents string, from, to time.Time) ([]event, error) {
	rows, err := all[event](ctx, c, "/TimesheetEvent", "events", params("agents", agents, "start_date", halo(from), "end_date", halo(to)))
	return slices.DeleteFunc(rows, func(e event) bool { return !e.worked() }), err
}

// ticketEvents reads the time on a ticket from its actions.
func (c *Client) ticketEvents(ctx context.Context, ticketID int, from, to time.Time) ([]event, error) {
	query := params("ticket_id", number(ticketID), "timeentriesonly", "true")
	rows, err := all[action](ctx, c, "/Actions", "actions", query)
	if err != nil {
		return nil, err
	}
	var events []event
	for _, a := range rows {
		start := a.Started
		if start.IsZero() {
			start = a.At
		}
		if a.TimeTaken > 0 && !start.Before(from) && start.Before(to) {
			events = append(events, event{TicketID: whole(ticketID), ActionID: a.ID, AgentID: a.AgentID, Start: start, Taken: a.TimeTaken, Subject: a.Outcome, Note: a.Note})
		}
	}
	return events, nil
}
