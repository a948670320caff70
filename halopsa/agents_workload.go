package halopsa

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/when"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

const (
	maxWorkloadAgents = 50
	maxWorkloadPages  = 10 // of 100 open tickets, or of as many appointments
)

// WorkloadInput selects agents.
type WorkloadInput struct {
	Team    string   `json:"team,omitempty"`
	Agents  []string `json:"agents,omitempty" jsonschema:"names, ids or me; default: all"`
	Horizon int      `json:"horizon,omitempty" minimum:"1" maximum:"60" default:"7" jsonschema:"days of appointments"`
}

// WorkloadOutput holds a row for each agent, the busiest first.
type WorkloadOutput struct {
	Items    []Workload `json:"items"`
	Problems []string   `json:"problems,omitempty"`
}

// Workload is what an agent has to do.
type Workload struct {
	ID          int     `json:"id"`
	Name        string  `json:"name"`
	Open        int     `json:"open"`
	Overdue     int     `json:"overdue"`
	BookedHours float64 `json:"booked_hours"`
	LoggedToday int     `json:"logged_today_minutes"`
}

// AgentsWorkload counts the open and overdue tickets of agents, the hours of
// their appointments from now on, and the time they logged today. The number of
// requests does not grow with the number of agents. Parts that cannot be read
// are named in Problems. GET /Agent, /Tickets, /Appointment, /TimesheetEvent
func (c *Client) AgentsWorkload(ctx context.Context, in WorkloadInput) (*WorkloadOutput, error) {
	rows, err := c.workers(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &WorkloadOutput{Items: []Workload{}}
	load := map[int]*Workload{}
	ids := make([]string, 0, len(rows))
	for _, w := range rows {
		load[w.ID] = &w
		ids = append(ids, strconv.Itoa(w.ID))
	}
	if len(ids) == 0 {
		return out, nil
	}
	csv, now := strings.Join(ids, ","), time.Now()
	for _, part := range []struct {
		name string
		add  func() error
	}{
		{"tickets", func() error { return c.addTickets(ctx, load, csv, now) }},
		{"appointments", func() error { return c.addBooked(ctx, load, csv, now, cmp.Or(in.Horizon, 7)) }},
		{"time", func() error { return c.addLogged(ctx, load, csv, now) }},
	} {
		if err := part.add(); err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			out.Problems = append(out.Problems, part.name+": "+reason(err))
		}
	}
	for _, w := range rows {
		w = *load[w.ID]
		w.BookedHours = math.Round(w.BookedHours*100) / 100
		out.Items = append(out.Items, w)
	}
	slices.SortStableFunc(out.Items, func(a, b Workload) int {
		return cmp.Or(cmp.Compare(b.Open, a.Open), cmp.Compare(b.BookedHours, a.BookedHours))
	})
	return out, nil
}

// workers returns a row without work for each agent that is wanted.
func (c *Client) workers(ctx context.Context, in WorkloadInput) ([]Workload, error) {
	query := url.Values{}
	if in.Team != "" {
		team, err := c.resolve(ctx, "team", in.Team)
		if err != nil {
			return nil, err
		}
		query.Set("team_id", strconv.Itoa(team.ID))
	}
	var rows []Workload
	if len(in.Agents) > 0 {
		for _, text := range in.Agents {
			who, err := c.resolve(ctx, "agent", text)
			if err != nil {
				return nil, err
			}
			if !slices.ContainsFunc(rows, func(w Workload) bool { return w.ID == who.ID }) {
				rows = append(rows, Workload{ID: who.ID, Name: who.Name})
			}
		}
		if in.Team == "" {
			return capped(rows)
		}
	}
	agents, err := all[agent](ctx, c, "/Agent", "agents", query)
	if err != nil {
		return nil, err
	}
	if len(in.Agents) > 0 {
		rows = slices.DeleteFunc(rows, func(w Workload) bool {
			return !slices.ContainsFunc(agents, func(a agent) bool { return a.ID == w.ID })
		})
		return capped(rows)
	}
	for _, a := range agents {
		if !bool(a.Disabled) && a.ID != unassigned {
			rows = append(rows, Workload{ID: a.ID, Name: a.Name})
		}
	}
	return capped(rows)
}

func capped(rows []Workload) ([]Workload, error) {
	if len(rows) > maxWorkloadAgents {
		return nil, mcptools.Errorf(mcptools.CodeTooLarge, "these are %d agents, more than the %d that fit one answer", len(rows), maxWorkloadAgents).
			WithHint("narrow it down with team or agents")
	}
	return rows, nil
}

// everyRow calls each for the rows of a list, and fails when it is too long.
func everyRow[W any](ctx context.Context, c *Client, l collection, each func(W)) error {
	read, err := walk(ctx, c, l, maxWorkloadPages, each)
	if err == nil && !read.whole {
		err = fmt.Errorf("only the first %d are counted", read.rows)
	}
	return err
}

func (c *Client) addTickets(ctx context.Context, load map[int]*Workload, agents string, now time.Time) error {
	l := collection{path: "/Tickets", key: "tickets", query: params("open_only", "true", "agent", agents)}
	return everyRow(ctx, c, l, func(t ticket) {
		w := load[int(t.AgentID)]
		if w == nil || bool(t.Closed) {
			return
		}
		w.Open++
		if !t.FixBy.IsZero() && t.FixBy.Before(now) {
			w.Overdue++
		}
	})
}

// addBooked counts the hours of appointments between now and the horizon.
// Appointments of the whole day count as none: they are notes, not hours.
func (c *Client) addBooked(ctx context.Context, load map[int]*Workload, agents string, now time.Time, days int) error {
	type appointment struct {
		Start   moment `json:"start_date"`
		End     moment `json:"end_date"`
		AllDay  truth  `json:"allday"`
		AgentID whole  `json:"agent_id"`
		Agents  []struct {
			ID whole `json:"id"`
		} `json:"agents"`
	}
	until := now.AddDate(0, 0, days)
	l := collection{path: "/Appointment", key: "appointments",
		query: params("agents", agents, "start_date", halo(now), "end_date", halo(until), "appointmentsonly", "true")}
	return everyRow(ctx, c, l, func(a appointment) {
		from, to := a.Start.Time, a.End.Time
		if from.Before(now) {
			from = now
		}
		if to.After(until) {
			to = until
		}
		if bool(a.AllDay) || !to.After(from) {
			return
		}
		ids := []whole{a.AgentID}
		for _, each := range a.Agents {
			if !slices.Contains(ids, each.ID) {
				ids = append(ids, each.ID)
			}
		}
		for _, id := range ids {
			if w := load[int(id)]; w != nil {
				w.BookedHours += to.Sub(from).Hours()
			}
		}
	})
}

func (c *Client) addLogged(ctx context.Context, load map[int]*Workload, agents string, now time.Time) error {
	today, err := when.Instant("today", c.zone, now)
	if err != nil {
		return err
	}
	events, err := c.events(ctx, agents, today, now)
	for _, e := range events {
		if w := load[int(e.AgentID)]; w != nil {
			w.LoggedToday += int(math.Round(e.Taken * 60))
		}
	}
	return err
}
