package halotest

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
)

// allRoutes are the operations that the server plays, by "METHOD /Path".
func allRoutes() map[string]handler {
	routes := map[string]handler{}
	for _, area := range []map[string]handler{
		ticketRoutes(), actionRoutes(), lookupRoutes(), clientRoutes(), agentRoutes(), attachmentRoutes(),
		searchRoutes(), calendarRoutes(), businessRoutes(), knowledgeRoutes(), reportRoutes(),
	} {
		maps.Copy(routes, area)
	}
	return routes
}

func ticketRoutes() map[string]handler {
	return map[string]handler{
		"GET /Tickets":             func(c *call) (any, error) { return c.listTickets(nil) },
		"GET /Tickets/{id}":        (*call).getTicket,
		"POST /Tickets":            (*call).saveTickets,
		"POST /Tickets/Object":     (*call).saveTickets,
		"DELETE /Tickets/{id}":     (*call).deleteTicket,
		"GET /Projects":            func(c *call) (any, error) { return c.listTickets([]int{TypeProject, TypeTask}) },
		"GET /Projects/{id}":       (*call).getTicket,
		"GET /Opportunities":       func(c *call) (any, error) { return c.listTickets([]int{0}) },
		"GET /ToDo":                (*call).listToDos,
		"POST /ToDo":               func(c *call) (any, error) { return c.saveRows("todos", c.data.todos) },
		"GET /TicketApproval":      (*call).listApprovals,
		"GET /TicketApproval/{id}": (*call).listApprovals,
		"GET /Feedback": func(c *call) (any, error) {
			return c.reply(listing{key: "feedback", rows: c.data.feedback.all(), unpaged: true})
		},
	}
}

// Ticket returns a ticket as the server has it, also a deleted one.
func (s *Server) Ticket(id int) (Record, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	row, ok := s.data.tickets.rows[id]
	return row.with(), ok
}

// Tickets returns every ticket that is not deleted, by id.
func (s *Server) Tickets() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return copies(s.data.tickets.where(func(row Record) bool { return !row.Bool("deleted") }))
}

// ticketDates maps datesearch to the field it means; Halo spells the first one
// like this (research 3.4).
var ticketDates = map[string]string{
	"": "dateoccurred", "dateoccured": "dateoccurred", "datecleared": "dateclosed", "dateclosed": "dateclosed",
	"datelastaction": "lastactiondate", "lastactiondate": "lastactiondate", "fixbydate": "fixbydate", "datecreated": "datecreated",
}

// listTickets is GET /Tickets and its twins, which answer under the same key
// and may mix projects with their tasks (3.5).
func (c *call) listTickets(kinds []int) (any, error) {
	q := c.query
	field, known := ticketDates[q.text("datesearch")]
	if !known { // such as "dateoccurred", the spelling that looks right
		c.violate(fakehttp.SilentlyIgnored, "datesearch="+q.text("datesearch")+" is no date that Halo knows")
		field = ""
	}
	dated, err := q.between(field, "startdate", "enddate")
	if err != nil {
		return nil, err
	}
	if field == "" {
		dated = func(Record) bool { return true }
	}
	advanced, err := c.advanced("id", "summary", "client_id", "client_name", "status_id", "priority_id", "tickettype_id", "team", "agent_id", "dateoccurred", "user_name")
	if err != nil {
		return nil, err
	}
	rows := c.data.tickets.where(
		func(row Record) bool { return row.Bool("deleted") == q.flag("deleted") },
		func(row Record) bool { return kinds == nil || slices.Contains(kinds, row.Int("tickettype_id")) },
		func(row Record) bool { return !q.flag("open_only") || !row.Bool("hasbeenclosed") },
		func(row Record) bool { return !q.flag("closed_only") || row.Bool("hasbeenclosed") },
		q.within("client_id", "client_id", "client_ids"), q.within("site_id", "site_id"), q.within("user_id", "user_id"),
		q.within("status_id", "status", "status_id"), q.within("agent_id", "agent", "agent_id"), q.within("team_id", "team"),
		q.within("tickettype_id", "requesttype", "requesttype_id"), q.within("priority_id", "priority"), q.within("sla_id", "sla"),
		q.within("parent_id", "parent_id"), q.within("contract_id", "contract_id"), q.within("id", "ticketids", "search_id"),
		c.inArea, c.inView, c.inCategories, c.hasAsset, c.isMine, c.matchesText, dated, advanced,
		func(row Record) bool { return !q.flag("withattachments") || row.Int("attachment_count") > 0 },
		func(row Record) bool {
			return q.text("team_name") == "" || strings.EqualFold(row.String("team"), q.text("team_name"))
		},
	)
	if q.text("order") == "" {
		slices.Reverse(rows) // newest first
	}
	return c.reply(listing{key: "tickets", rows: rows, view: c.ticketRow, maxPage: 100, side: Record{"columns": c.ticketColumns()}})
}

func (c *call) inArea(row Record) bool {
	area, ok := c.query.number("ticketarea_id")
	return !ok || c.data.ticketTypes.rows[row.Int("tickettype_id")].Int("ticketarea_id") == area
}

// The views, which are filter profiles, of tickets.
const (
	ViewUnassigned = 1
	ViewOnHold     = 2
)

func (c *call) inView(row Record) bool {
	view, ok := c.query.number("view_id")
	switch {
	case !ok || c.options.IgnoreViews:
		return true
	case view == ViewUnassigned:
		return row.Int("agent_id") == AgentUnassigned
	case view == ViewOnHold:
		return row.Int("status_id") == StatusWaiting
	}
	return false
}

func (c *call) inCategories(row Record) bool {
	for _, category := range []string{"category_1", "category_2", "category_3", "category_4"} {
		want := c.query.text(category)
		if want == "" {
			continue
		}
		id, err := strconv.Atoi(want)
		if err == nil {
			want = c.data.categories.rows[id].String("value")
		}
		if row.String(category) != want {
			return false
		}
	}
	return true
}

func (c *call) hasAsset(row Record) bool {
	asset, ok := c.query.number("asset_id")
	return !ok || slices.ContainsFunc(row.List("assets"), func(a Record) bool { return a.Int("id") == asset })
}

func (c *call) isMine(row Record) bool {
	return !c.query.flag("mine") || row.Int("agent_id") == c.agent
}

// matchesText is the parameter search, over the actions too if asked, and its
// narrower relatives.
func (c *call) matchesText(row Record) bool {
	q := c.query
	if !q.contains("search_summary", "summary")(row) || !q.contains("search_details", "details")(row) ||
		!q.contains("search_user_name", "user_name")(row) || !q.contains("search_reportedby", "reportedby")(row) {
		return false
	}
	if q.contains("search", "id", "summary", "details", "user_name", "client_name")(row) {
		return true
	}
	return q.flag("searchactions") && slices.ContainsFunc(c.data.actions[row.Int("id")].all(), q.contains("search", "note"))
}

// ticketRow is a ticket in a list. agent_name and datecreated are not in it,
// and no names of type, priority and status (3.5).
func (c *call) ticketRow(row Record) Record {
	view := row.only("id", "dateoccurred", "summary", "details", "status_id", "tickettype_id", "sla_id", "priority_id", "client_id",
		"client_name", "site_id", "site_name", "user_id", "user_name", "team", "agent_id", "category_1", "category_2", "category_3",
		"category_4", "respondbydate", "fixbydate", "targetdate", "deadlinedate", "startdate", "lastactiondate", "last_update", "parent_id",
		"child_count", "attachment_count", "hasbeenclosed", "source", "impact", "urgency", "flagged", "read", "onhold", "inactive",
		"reportedby", "user_email", "dateclosed", "contract_id", "estimate", "timetaken", "use")
	c.addPriority(view, row)
	if !c.options.NoTeamID {
		view["team_id"] = row["team_id"]
	}
	if c.query.flag("includetimetaken") {
		view["chargehours"] = row["timetaken"]
	}
	if c.query.flag("includelastaction") {
		if actions := c.data.actions[row.Int("id")].all(); len(actions) > 0 {
			view["lastnote"] = actions[len(actions)-1]["note"]
		}
	}
	return view
}

// addPriority adds the SLA's name and the priority as an object: there is no
// priority_name (3.5).
func (c *call) addPriority(view, row Record) {
	view["sla_name"] = c.data.slas.rows[row.Int("sla_id")]["name"]
	if priority, ok := c.data.priority(row.Int("sla_id"), row.Int("priority_id")); ok {
		view["priority"] = priority
	}
}

// ticketColumns is the sidecar that a list brings when asked to.
func (c *call) ticketColumns() []Record {
	columns := []Record{}
	if c.query.flag("includecolumns") {
		for i, name := range []string{"id", "summary", "status_id", "client_name"} {
			columns = append(columns, Record{"id": i + 1, "name": name, "width": 120})
		}
	}
	return columns
}

func (c *call) getTicket() (any, error) {
	row, err := c.find(c.data.tickets, "Ticket")
	if err != nil {
		return nil, err
	}
	if row.Bool("deleted") {
		return nil, notFound("Ticket", c.id)
	}
	return c.single("tickets", c.ticketView(row))
}

// ticketView is a ticket read by id; with includedetails it carries whole
// definitions of what it refers to, up to some 150 KB (3.5, 4).
func (c *call) ticketView(row Record) Record {
	view := row.with()
	c.addPriority(view, row)
	if c.options.NoTeamID {
		delete(view, "team_id")
	}
	if c.query.flag("includechildids") {
		children := []int{}
		for _, child := range c.children(row.Int("id")) {
			children = append(children, child.Int("id"))
		}
		view["child_ticket_ids"] = children
	}
	if c.query.flag("include_auditing") {
		view["audit_log"] = append([]Record{}, c.data.audits[row.Int("id")]...)
	}
	if !c.query.flag("includedetails") {
		if c.request.Method == http.MethodGet { // a write answers with them
			delete(view, "customfields")
			delete(view, "assets")
		}
		return view
	}
	view["agent"] = c.data.agents.rows[row.Int("agent_id")].only("id", "name", "initials", "email", "team")
	view["client"] = c.data.clients.rows[row.Int("client_id")].only("id", "name", "toplevel_id", "main_site_id", "website")
	view["site"] = c.data.sites.rows[row.Int("site_id")]
	view["status"] = c.data.statuses.rows[row.Int("status_id")]
	view["sla"] = c.data.slas.rows[row.Int("sla_id")]
	view["tickettype"] = c.data.ticketTypes.rows[row.Int("tickettype_id")]
	user := c.data.users.rows[row.Int("user_id")]
	if row.Int("tickettype_id") == TypeMajorIncident {
		user = user.with(Record{"user_fields": c.data.large.userFields})
	}
	view["user"] = user
	return view
}

func (c *call) children(parent int) []Record {
	return c.data.tickets.where(func(row Record) bool { return row.Int("parent_id") == parent && !row.Bool("deleted") })
}

// priority finds a priority by the number that is unique within an SLA only.
func (d *data) priority(sla, id int) (Record, bool) {
	for _, row := range d.priorities.all() {
		if row.Int("slaid") == sla && row.Int("priorityid") == id {
			return row, true
		}
	}
	return nil, false
}

func (c *call) deleteTicket() (any, error) {
	row, err := c.find(c.data.tickets, "Ticket")
	if err != nil {
		return nil, err
	}
	if row.Bool("deleted") {
		return nil, notFound("Ticket", c.id)
	}
	c.data.tickets.put(row.with(Record{"deleted": true}))
	return row, nil
}

func (c *call) listToDos() (any, error) {
	return c.reply(listing{rows: c.data.todos.where(c.query.within("ticket_id", "ticket_id")), unpaged: true})
}

func (c *call) listApprovals() (any, error) {
	rows := c.data.approvals.where(c.query.within("ticket_id", "ticket_id"), func(row Record) bool {
		return (!c.query.flag("mine") || row.Int("agent_id") == c.agent) && (c.id == 0 || row.Int("ticket_id") == c.id)
	})
	return c.reply(listing{rows: rows, unpaged: true})
}
