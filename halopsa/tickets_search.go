package halopsa

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/argument"
	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/internal/when"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// SearchTicketsInput narrows a list of tickets. Records are named or given by
// id.
type SearchTicketsInput struct {
	Query       string   `json:"query,omitempty" jsonschema:"words, or part of a number"`
	InActions   bool     `json:"search_actions,omitempty" jsonschema:"also search notes and mails"`
	State       string   `json:"state,omitempty" enum:"open,closed,all" default:"open"`
	Client      string   `json:"client,omitempty"`
	Site        string   `json:"site,omitempty"`
	User        string   `json:"user,omitempty" jsonschema:"name, e-mail or id"`
	Agent       string   `json:"agent,omitempty" jsonschema:"name, me or unassigned"`
	Team        string   `json:"team,omitempty"`
	Type        string   `json:"ticket_type,omitempty"`
	Status      []string `json:"status,omitempty"`
	Priority    string   `json:"priority,omitempty"`
	Category    string   `json:"category,omitempty"`
	SLA         string   `json:"sla,omitempty"`
	DateField   string   `json:"date_field,omitempty" enum:"reported,closed" default:"reported"`
	From        string   `json:"from,omitempty"`
	To          string   `json:"to,omitempty"`
	ParentID    int      `json:"parent_id,omitempty"`
	AssetID     int      `json:"asset_id,omitempty"`
	ContractID  int      `json:"contract_id,omitempty"`
	Attachments bool     `json:"with_attachments,omitempty"`
	ViewID      int      `json:"view_id,omitempty"`
	Sort        string   `json:"sort,omitempty" enum:"newest,oldest,updated,due" default:"newest"`
	Fields      []string `json:"fields,omitempty" jsonschema:"such as site, sla, user_email"`
	Limit       int      `json:"limit,omitempty" default:"20" minimum:"1" maximum:"100"`
	Cursor      string   `json:"cursor,omitempty"`
}

// FoundTicket is a ticket that a search found, with the fields that were asked
// for.
type FoundTicket struct {
	TicketRow
	Fields map[string]any `json:"fields,omitempty"`
}

// sortOrders are the fields that lists are ordered by, and the direction.
var sortOrders = map[string][2]string{
	"newest": {"id", "true"}, "oldest": {"id", "false"}, "updated": {"lastactiondate", "true"}, "due": {"fixbydate", "false"},
}

// SearchTickets lists tickets. Halo cannot filter by custom fields.
// https://halopsa.com/apidoc/resources/tickets
func (c *Client) SearchTickets(ctx context.Context, in SearchTicketsInput) (*mcptools.Page[FoundTicket], error) {
	if err := checkFields(in.Fields); err != nil {
		return nil, err
	}
	query, err := c.ticketQuery(ctx, in)
	if err != nil {
		return nil, err
	}
	keep, err := c.rankedSo(ctx, in, query)
	if err != nil {
		return nil, err
	}
	tables := ticketLabels
	if slices.Contains(in.Fields, "sla") {
		tables = detailLabels
	}
	names, err := c.labels(ctx, tables...)
	if err != nil {
		return nil, err
	}
	l := collection{tool: "halo_tickets_search", args: in, cursor: in.Cursor, limit: cmp.Or(in.Limit, 20), path: "/Tickets", key: "tickets", query: query}
	if keep != nil {
		l.size = maxPageSize // few rows of a page may be left
	}
	page, err := sift(ctx, c, l, keep, func(t ticket) FoundTicket {
		found := FoundTicket{TicketRow: c.ticketRow(names, t)}
		if len(in.Fields) > 0 {
			found.Fields = pickFields(c.details(names, t), in.Fields)
		}
		return found
	})
	if err != nil {
		return nil, err
	}
	if in.Sort == "due" {
		// Halo puts tickets without a date, 1900-01-01, before all others. On each
		// page they come last.
		slices.SortStableFunc(page.Items, func(a, b FoundTicket) int {
			return cmp.Compare(flag(a.Due == ""), flag(b.Due == ""))
		})
	}
	if in.ViewID != 0 && l.cursor == "" {
		page.Problem = cmp.Or(page.Problem, c.viewProblem(ctx, query, page.Total))
	}
	return page, nil
}

// viewProblem tells when a view seems to have had no effect: some builds ignore
// it, and the answer does not show it.
// https://github.com/homotechsual/HaloAPI/issues/29
func (c *Client) viewProblem(ctx context.Context, query url.Values, total *int) string {
	query = maps.Clone(query)
	query.Del("view_id")
	_, every, err := fetchPage[ticket](ctx, c, collection{path: "/Tickets", key: "tickets", query: query}, 1, 1)
	switch {
	case err != nil || total == nil || every == nil:
		return "whether HaloPSA looked at view_id could not be checked"
	case *total == *every && *every > 0:
		return "HaloPSA finds as many tickets without view_id: it may have ignored it"
	}
	return ""
}

// checkFields refuses fields that a ticket in a list cannot have.
func checkFields(names []string) error {
	for _, name := range names {
		if !slices.Contains(listedFields(), name) {
			return mcptools.Errorf(mcptools.CodeInvalidArguments, "fields: there is no %q", markup.Preview(name, 40)).
				WithHint("there is: %s", strings.Join(listedFields(), ", "))
		}
	}
	return nil
}

// listedFields are the fields of [Ticket] that lists have too.
func listedFields() []string {
	return []string{"sla", "client_id", "site", "site_id", "user_id", "user_email", "categories", "impact", "urgency", "respond_by", "closed_at",
		"parent_id", "time_taken", "attachment_count"}
}

// pickFields returns the named fields of a ticket, those that it has.
func pickFields(t *Ticket, names []string) map[string]any {
	var all, picked map[string]any
	data, err := json.Marshal(t)
	if err != nil || json.Unmarshal(data, &all) != nil {
		return nil
	}
	picked = map[string]any{}
	for _, name := range names {
		if value, ok := all[name]; ok {
			picked[name] = value
		}
	}
	return picked
}

// ticketQuery turns names into the filters of GET /Tickets.
func (c *Client) ticketQuery(ctx context.Context, in SearchTicketsInput) (url.Values, error) {
	sort, ok := sortOrders[cmp.Or(in.Sort, "newest")]
	if !ok {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "sort: must be newest, oldest, updated or due")
	}
	query := params("search", strings.TrimSpace(in.Query), "searchactions", flag(in.InActions && in.Query != ""), "order", sort[0], "orderdesc", sort[1],
		"parent_id", number(in.ParentID), "asset_id", number(in.AssetID), "contract_id", number(in.ContractID), "withattachments", flag(in.Attachments), "view_id", number(in.ViewID))
	switch state := cmp.Or(in.State, "open"); {
	case state == "closed", state == "open" && in.DateField == "closed": // what has a closing date is closed
		query.Set("closed_only", "true")
	case state == "open":
		query.Set("open_only", "true")
	}
	for _, step := range []func(context.Context, SearchTicketsInput, url.Values) error{c.whose, c.filedUnder, c.ranked, c.dated} {
		if err := step(ctx, in, query); err != nil {
			return nil, err
		}
	}
	return query, nil
}

// whose narrows to a client, a site and a user.
func (c *Client) whose(ctx context.Context, in SearchTicketsInput, query url.Values) error {
	client := 0
	for _, part := range []struct{ kind, text string }{{"client", in.Client}, {"site", in.Site}, {"user", in.User}} {
		if part.text == "" {
			continue
		}
		directory := map[string]directory{"client": clientDirectory, "site": siteDirectory, "user": userDirectory}[part.kind]
		found, err := c.find(ctx, directory, client, part.text)
		if err != nil {
			return err
		}
		client = found.ClientID
		query.Set(part.kind+"_id", strconv.Itoa(found.ID))
	}
	return nil
}

// filedUnder narrows to reference data. The filter of a ticket type is
// requesttype, whatever its field is called; those of teams and of most others
// take ids, joined by commas.
func (c *Client) filedUnder(ctx context.Context, in SearchTicketsInput, query url.Values) error {
	for _, part := range []struct{ kind, text, filter string }{
		{"agent", in.Agent, "agent_id"}, {"team", in.Team, "team"}, {"ticket_type", in.Type, "requesttype_id"},
		{"category", in.Category, "category_1"}, {"sla", in.SLA, "sla"},
	} {
		if part.text == "" {
			continue
		}
		entry, err := c.resolve(ctx, part.kind, part.text)
		if err != nil {
			return err
		}
		query.Set(part.filter, strconv.Itoa(entry.ID))
	}
	var statuses []string
	for _, text := range in.Status {
		entry, err := c.resolve(ctx, "status", text)
		if err != nil {
			return err
		}
		statuses = append(statuses, strconv.Itoa(entry.ID))
	}
	if len(statuses) > 0 {
		query.Set("status", strings.Join(statuses, ","))
	}
	return nil
}

// ranked narrows to a priority. Its number means something else in every SLA,
// so the SLAs that have a priority of the name are filtered by as well.
func (c *Client) ranked(ctx context.Context, in SearchTicketsInput, query url.Values) error {
	if in.Priority == "" {
		return nil
	}
	sla, _ := strconv.Atoi(query.Get("sla")) // 0: any
	fits, err := c.priorities(ctx, in.Priority, sla)
	if err != nil {
		return err
	}
	var ids, slas []string
	for _, e := range fits {
		ids, slas = append(ids, strconv.Itoa(e.ID)), append(slas, strconv.Itoa(e.scope))
	}
	for name, values := range map[string][]string{"priority": ids, "sla": slas} {
		slices.Sort(values)
		query.Set(name, strings.Join(slices.Compact(values), ","))
	}
	return nil
}

// rankedSo returns what must hold for tickets that [Client.ranked] lets through:
// where a priority has one number in one SLA and another in the next, the two
// filters let each number through in both. It is nil where they are exact.
func (c *Client) rankedSo(ctx context.Context, in SearchTicketsInput, query url.Values) (func(ticket) bool, error) {
	if in.Priority == "" || in.SLA != "" {
		return nil, nil
	}
	fits, err := c.priorities(ctx, in.Priority, 0)
	if err != nil {
		return nil, err
	}
	pairs := map[[2]int]bool{}
	for _, e := range fits {
		pairs[[2]int{e.scope, e.ID}] = true
	}
	let := func(name string) int { return strings.Count(query.Get(name), ",") + 1 }
	if let("sla")*let("priority") == len(pairs) {
		return nil, nil
	}
	return func(t ticket) bool {
		told := t.SLAID != 0 && t.PriorityID != 0
		return !told || pairs[[2]int{int(t.SLAID), int(t.PriorityID)}]
	}, nil
}

// priorities returns the priorities that text names, by name or number, of one
// SLA or, with 0, of all.
func (c *Client) priorities(ctx context.Context, text string, sla int) ([]Entry, error) {
	rows, err := c.rows(ctx, "priority", within{})
	if err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(slices.Clone(rows), func(e Entry) bool { return sla != 0 && e.scope != sla })
	fits := slices.DeleteFunc(current(rows), func(e Entry) bool {
		return !strings.EqualFold(e.Name, strings.TrimSpace(text)) && strconv.Itoa(e.ID) != text
	})
	if len(fits) == 0 {
		one, err := pick("priority", text, rows)
		if err != nil {
			return nil, err
		}
		fits = []Entry{one}
	}
	return fits, nil
}

// dated narrows to a time. Halo spells the date of the report dateoccured here.
func (c *Client) dated(_ context.Context, in SearchTicketsInput, query url.Values) error {
	if in.From == "" && in.To == "" {
		return nil
	}
	from, to, err := when.Range(argument.Text{Name: "from", Value: in.From}, argument.Text{Name: "to", Value: in.To}, c.zone, time.Now(), time.Time{}, time.Time{})
	if err != nil {
		return err
	}
	field, ok := map[string]string{"reported": "dateoccured", "closed": "datecleared"}[cmp.Or(in.DateField, "reported")]
	if !ok {
		return mcptools.Errorf(mcptools.CodeInvalidArguments, "date_field: must be reported or closed")
	}
	query.Set("datesearch", field)
	if !from.IsZero() {
		query.Set("startdate", halo(from))
	}
	if !to.IsZero() {
		query.Set("enddate", halo(to))
	}
	return nil
}
