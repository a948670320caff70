package halopsa

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/argument"
	"github.com/msptoolbelt/toolbelt/internal/when"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// maxScan bounds the pages that an overview reads: a thousand tickets.
const maxScan = 10

// scan reads the open tickets that a search finds, all pages of them up to
// maxScan. problem says why there are more.
func (c *Client) scan(ctx context.Context, in SearchTicketsInput) (found []ticket, problem string, err error) {
	in.State, in.Sort = "open", "oldest"
	query, err := c.ticketQuery(ctx, in)
	if err != nil {
		return nil, "", err
	}
	read, err := walk(ctx, c, collection{path: "/Tickets", key: "tickets", query: query}, maxScan, func(t ticket) { found = append(found, t) })
	switch {
	case err != nil && (len(found) == 0 || ctx.Err() != nil):
		return nil, "", err
	case err != nil:
		return found, fmt.Sprintf("only %d tickets were counted; %s", len(found), reason(err)), nil
	case read.whole:
		return found, "", nil
	}
	of := ""
	if read.total != nil {
		of = fmt.Sprintf(" of %d", *read.total)
	}
	return found, fmt.Sprintf("only the oldest %d%s open tickets were counted; narrow it to a client or team", len(found), of), nil
}

// SLARiskInput selects open tickets by how close their target is.
type SLARiskInput struct {
	Within          string `json:"within,omitempty" default:"24h" jsonschema:"such as 4h, 2d or today"`
	Client          string `json:"client,omitempty"`
	Team            string `json:"team,omitempty"`
	Agent           string `json:"agent,omitempty" jsonschema:"name, me or unassigned"`
	ExcludeBreached bool   `json:"exclude_breached,omitempty"`
	Limit           int    `json:"limit,omitempty" default:"25" minimum:"1" maximum:"100"`
}

// SLARiskOutput lists tickets at risk, the most urgent first.
type SLARiskOutput struct {
	Items    []RiskRow `json:"items"`
	Breached int       `json:"breached"`
	AtRisk   int       `json:"at_risk"`
	Checked  int       `json:"open_tickets_checked"`
	Problem  string    `json:"problem,omitempty"`
}

// RiskRow is a ticket whose target is near or past.
type RiskRow struct {
	ID       int    `json:"id"`
	Summary  string `json:"summary"`
	Client   string `json:"client,omitempty"`
	Agent    string `json:"agent,omitempty"`
	Priority string `json:"priority,omitempty"`
	Status   string `json:"status,omitempty"`
	Target   string `json:"target" enum:"fix,respond"`
	By       string `json:"by"`
	Left     string `json:"left,omitempty"`
	Overdue  string `json:"overdue_by,omitempty"`
}

// until returns the end of the time from now that text names: a length, or
// "today".
func (c *Client) until(text string, now time.Time) (time.Time, error) {
	if strings.EqualFold(strings.TrimSpace(text), "today") {
		local := now.In(c.zone)
		return time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, c.zone), nil
	}
	window, err := when.Duration(text)
	if err != nil {
		return now, argument.Of("within", err)
	}
	return now.Add(window), nil
}

// SLARisk lists open tickets whose SLA target is near or past: the time to fix,
// and the time to respond for tickets that nothing has happened to.
func (c *Client) SLARisk(ctx context.Context, in SLARiskInput) (*SLARiskOutput, error) {
	now := time.Now()
	until, err := c.until(cmp.Or(in.Within, "24h"), now)
	if err != nil {
		return nil, err
	}
	found, problem, err := c.scan(ctx, SearchTicketsInput{Client: in.Client, Team: in.Team, Agent: in.Agent})
	if err != nil {
		return nil, err
	}
	names, err := c.labels(ctx, ticketLabels...)
	if err != nil {
		return nil, err
	}
	types, err := c.rows(ctx, "ticket_type", within{})
	if err != nil {
		return nil, err
	}
	initial := map[int]int{}
	for _, e := range types {
		initial[e.ID] = e.initial
	}
	out := &SLARiskOutput{Items: []RiskRow{}, Checked: len(found), Problem: problem}
	type risk struct {
		ticket
		target string
		by     moment
	}
	var risks []risk
	for _, t := range found {
		target, by := t.target(initial)
		breached := !by.IsZero() && by.Before(now)
		switch {
		case by.IsZero(), by.After(until), breached && in.ExcludeBreached:
			continue
		case breached:
			out.Breached++
		default:
			out.AtRisk++
		}
		risks = append(risks, risk{t, target, by})
	}
	slices.SortStableFunc(risks, func(a, b risk) int { return a.by.Compare(b.by.Time) })
	for _, r := range risks[:min(len(risks), cmp.Or(in.Limit, 25))] {
		row := c.ticketRow(names, r.ticket)
		item := RiskRow{ID: row.ID, Summary: row.Summary, Client: row.Client, Agent: row.Agent, Priority: row.Priority, Status: row.Status,
			Target: r.target, By: c.stamp(r.by)}
		if left := r.by.Sub(now); left > 0 {
			item.Left = about(left)
		} else {
			item.Overdue = about(-left)
		}
		out.Items = append(out.Items, item)
	}
	return out, nil
}

// target is the next SLA target of a ticket. 1900-01-01 is none, and targetdate
// is not the SLA's. The time to respond counts while nothing has happened; lists
// do not always tell when somebody responded. initial is the first status of
// each ticket type.
func (t ticket) target(initial map[int]int) (name string, by moment) {
	untouched := t.Responded.IsZero() && !t.Updated.After(t.Reported.Time) && int(t.StatusID) == initial[int(t.TypeID)]
	if untouched && !t.RespondBy.IsZero() && (t.FixBy.IsZero() || t.RespondBy.Before(t.FixBy.Time)) {
		return "respond", t.RespondBy
	}
	return "fix", t.FixBy
}

// about writes a distance in time: "45m", "7h 05m", "3d 2h".
func about(d time.Duration) string {
	if d < 24*time.Hour {
		return cmp.Or(spell(d.Hours()), "0m")
	}
	days := int(d.Hours()) / 24
	return fmt.Sprintf("%dd %dh", days, int(d.Hours())-24*days)
}

// QueueSummaryInput says how to group the open tickets.
type QueueSummaryInput struct {
	GroupBy    string `json:"group_by,omitempty" enum:"agent,team,client,status,priority,type" default:"agent"`
	Client     string `json:"client,omitempty"`
	Team       string `json:"team,omitempty"`
	StaleAfter string `json:"stale_after,omitempty" default:"3d" jsonschema:"without an action for so long"`
}

// QueueSummaryOutput counts the open tickets.
type QueueSummaryOutput struct {
	Groups  []QueueGroup `json:"groups"`
	Total   QueueGroup   `json:"total"`
	Problem string       `json:"problem,omitempty"`
}

// QueueGroup counts the open tickets of one group.
type QueueGroup struct {
	Name       string `json:"name"`
	Open       int    `json:"open"`
	Unassigned int    `json:"unassigned,omitempty"`
	Overdue    int    `json:"overdue,omitempty"`
	Stale      int    `json:"stale,omitempty"`
	Oldest     string `json:"oldest,omitempty"`
	OldestID   int    `json:"oldest_id,omitempty"`

	since moment // of the oldest
}

// maxGroups bounds the groups of a summary.
const maxGroups = 50

// QueueSummary counts open tickets by agent, team, client, status, priority or
// type: the dispatcher's board.
func (c *Client) QueueSummary(ctx context.Context, in QueueSummaryInput) (*QueueSummaryOutput, error) {
	stale, err := when.Duration(cmp.Or(in.StaleAfter, "3d"))
	if err != nil {
		return nil, argument.Of("stale_after", err)
	}
	found, problem, err := c.scan(ctx, SearchTicketsInput{Client: in.Client, Team: in.Team})
	if err != nil {
		return nil, err
	}
	names, err := c.labels(ctx, ticketLabels...)
	if err != nil {
		return nil, err
	}
	out := &QueueSummaryOutput{Groups: []QueueGroup{}, Total: QueueGroup{Name: "all"}, Problem: problem}
	at := map[string]int{}
	for _, t := range found {
		name, err := group(names, cmp.Or(in.GroupBy, "agent"), t)
		if err != nil {
			return nil, err
		}
		i, ok := at[name]
		if !ok {
			i = len(out.Groups)
			at[name] = i
			out.Groups = append(out.Groups, QueueGroup{Name: name})
		}
		c.count(&out.Groups[i], t, stale)
		c.count(&out.Total, t, stale)
	}
	slices.SortStableFunc(out.Groups, func(a, b QueueGroup) int { return cmp.Or(cmp.Compare(b.Open, a.Open), cmp.Compare(a.Name, b.Name)) })
	if more := len(out.Groups) - maxGroups; more > 0 {
		out.Groups = out.Groups[:maxGroups]
		out.Problem = cmp.Or(out.Problem, strconv.Itoa(more)+" smaller groups are left out")
	}
	return out, nil
}

// count adds a ticket to a group.
func (c *Client) count(g *QueueGroup, t ticket, stale time.Duration) {
	g.Open++
	if t.AgentID <= unassigned {
		g.Unassigned++
	}
	if !t.FixBy.IsZero() && t.FixBy.Before(time.Now()) {
		g.Overdue++
	}
	latest := t.Updated
	if latest.IsZero() {
		latest = t.Reported
	}
	if time.Since(latest.Time) > stale {
		g.Stale++
	}
	if g.since.IsZero() || t.Reported.Before(g.since.Time) {
		g.since, g.Oldest, g.OldestID = t.Reported, c.stamp(t.Reported), int(t.ID)
	}
}

// group is the name of the group that a ticket belongs to.
func group(names labels, by string, t ticket) (string, error) {
	name, ok := map[string]string{
		"agent": names.of("agent", t.AgentID), "team": t.Team, "client": t.Client, "status": names.of("status", t.StatusID),
		"priority": names.in("priority", t.SLAID, t.PriorityID), "type": names.of("ticket_type", t.TypeID),
	}[by]
	if !ok {
		return "", mcptools.Errorf(mcptools.CodeInvalidArguments, "group_by: must be agent, team, client, status, priority or type")
	}
	return cmp.Or(name, "none"), nil
}
