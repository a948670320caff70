package halotest

import (
	"fmt"
	"html"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
)

// computed are ticket fields that a write cannot set; Halo ignores them.
var computed = []string{
	"status_name", "tickettype_name", "sla_name", "client_name", "site_name", "user_name", "agent_name", "hasbeenclosed", "timetaken",
	"attachment_count", "child_count", "lastactiondate", "last_update", "datecreated", "deleted", "use",
}

// saveTickets creates (no id) or changes (id; only the fields sent) tickets.
func (c *call) saveTickets() (any, error) {
	return c.each("tickets", func(in Record) (Record, error) {
		if in.Int("id") == 0 {
			return c.createTicket(in)
		}
		return c.updateTicket(in)
	})
}

func (c *call) createTicket(in Record) (Record, error) {
	if strings.TrimSpace(in.String("summary")) == "" {
		return nil, refuse(ErrorSentence, "A Summary must be entered for this Ticket")
	}
	if in.Int("tickettype_id") == 0 {
		in = in.with(Record{"tickettype_id": TypeIncident})
	}
	kind, ok := c.data.ticketTypes.rows[in.Int("tickettype_id")]
	if !ok {
		return nil, refuse(ErrorMessage, "Please select a valid Ticket Type.")
	}
	user, err := c.requester(in)
	if err != nil {
		return nil, err
	}
	row := Record{
		"tickettype_id": kind["id"], "status_id": kind["initial_status"], "agent_id": AgentUnassigned, "team": kind["default_team"],
		"sla_id": kind["default_sla"], "priority_id": kind["default_priority"], "source": 0, "parent_id": 0, "impact": 0, "urgency": 0,
		"dateoccurred": stamp(c.now), "datecreated": stamp(c.now), "targetdate": none, "deadlinedate": none, "startdate": none,
		"customfields": []Record{}, "assets": []Record{}, "details": "", "details_html": "",
	}
	if team, ok := c.data.teams.named("name", kind.String("default_team")); ok {
		row["team_id"] = team["id"]
	}
	if err := c.requireFields(kind, in); err != nil {
		return nil, err
	}
	changes, err := c.ticketChanges(kind, row, in)
	if err != nil {
		return nil, err
	}
	row = c.data.newTicket(row.with(changes), user)
	if kind.Int("id") == TypeNewStarter && !in.Bool("donotapplytemplateintheapi") { // 3.6: the template has the last word
		row["summary"], row["team"], row["team_id"] = "New starter: "+in.String("summary"), "2nd Line", TeamSecondLine
	}
	c.setDates(row)
	row = c.data.tickets.add(row)
	c.data.actions[row.Int("id")] = newTable(Record{
		"id": 1, "ticket_id": row["id"], "outcome": "First User Email", "outcome_id": outcomeUserEmail, "action_systemid": outcomeUserEmail,
		"who": user["name"], "who_type": 2, "who_agentid": 0, "datetime": stamp(c.now), "note": row["details"], "note_html": row["details_html"],
		"hiddenfromuser": false, "important": false, "timetaken": 0.0, "nonbilltime": 0.0, "traveltime": 0.0, "old_status": 0,
		"new_status": row["status_id"], "attachment_count": 0,
	})
	if err := c.addAttachments(in, row.Int("id"), 1); err != nil {
		return nil, err
	}
	return c.ticketView(c.data.tickets.rows[row.Int("id")]), nil
}

// requester finds whose ticket it is. A user needs the site (3.6); -1 is the
// client's General User.
func (c *call) requester(in Record) (Record, error) {
	invalid := refuse(ErrorSentence, "Please select a valid Client/Site/User.")
	client, userID := in.Int("client_id"), in.Int("user_id")
	if lookup, ok := in["userlookup"].(Record); ok && userID == 0 {
		userID = lookup.Int("id")
	}
	if userID > 0 {
		user, ok := c.data.users.rows[userID]
		if !ok || in.Int("site_id") == 0 || user.Int("site_id") != in.Int("site_id") || (client != 0 && user.Int("client_id") != client) {
			return nil, invalid
		}
		return user, nil
	}
	site := in.Int("site_id")
	switch {
	case site != 0:
		row, ok := c.data.sites.rows[site]
		if !ok || (client != 0 && row.Int("client_id") != client) {
			return nil, invalid
		}
		client = row.Int("client_id")
	case client == 0:
		return nil, invalid
	}
	owner, ok := c.data.clients.rows[client]
	if !ok {
		return nil, invalid
	}
	if site == 0 {
		site = owner.Int("main_site_id")
	}
	for _, user := range c.data.users.all() {
		if user.Int("client_id") == client && user.Bool("generaluser") {
			return user.with(Record{"site_id": decimal(site), "site_name": c.data.sites.rows[site]["name"]}), nil
		}
	}
	return nil, invalid
}

// newTicket completes a row with whose it is and with the fields every ticket
// has.
func (d *data) newTicket(row, user Record) Record {
	blank := Record{
		"category_2": "", "category_3": "", "category_4": "", "category_1": "", "onhold": false, "flagged": false, "read": true, "inactive": false,
		"hasbeenclosed": false, "dateclosed": none, "timetaken": 0.0, "child_count": 0, "attachment_count": 0, "contract_id": 0, "estimate": 0.0,
		"workflow_step": 1, "merged_into_id": 0, "use": "ticket", "fixbydate": noFixDate, "respondbydate": none, "lastactiondate": row["dateoccurred"],
		"last_update": row["dateoccurred"], "excludefromsla": false, "lastincomingemail": never,
	}
	return blank.with(row, Record{
		"user_id": user["id"], "user_name": user["name"], "user_email": user["emailaddress"], "reportedby": user["emailaddress"],
		"site_id": user.Int("site_id"), "site_name": user["site_name"], "client_id": user["client_id"], "client_name": user["client_name"],
	})
}

// requireFields checks what the ticket type insists on (3.6).
func (c *call) requireFields(kind, in Record) error {
	var missing []string
	for _, field := range kind.List("fields") {
		info, _ := field["fieldinfo"].(Record)
		name := info.String("faults_field_name")
		if !info.Bool("mandatory") || name == "summary" {
			continue
		}
		if in.String(name) == "" && in.Int(name) == 0 && (name != "details" || in.String("details_html") == "") {
			missing = append(missing, info.String("label"))
		}
	}
	if missing != nil {
		return refuse(ErrorMessage, "The following fields are mandatory: %s", strings.Join(missing, ", "))
	}
	return nil
}

// setDates sets the SLA dates of a new ticket; targetdate stays empty (3.5).
func (c *call) setDates(row Record) {
	reported := row.Time("dateoccurred")
	if priority, ok := c.data.priority(row.Int("sla_id"), row.Int("priority_id")); ok {
		unit := time.Hour
		if priority.String("fixunits") == "D" {
			unit = 24 * time.Hour
		}
		row["respondbydate"] = stamp(reported.Add(time.Duration(priority.Float("responsetime") * float64(time.Hour))))
		row["fixbydate"] = stamp(reported.Add(time.Duration(priority.Float("fixtime") * float64(unit))))
	}
}

func (c *call) updateTicket(in Record) (Record, error) {
	old, ok := c.data.tickets.rows[in.Int("id")]
	if !ok {
		return nil, notFound("Ticket", in.Int("id"))
	}
	if in.Bool("_recover") {
		old = old.with(Record{"deleted": false})
	}
	if old.Bool("deleted") {
		return nil, notFound("Ticket", in.Int("id"))
	}
	if in.has("user_id") || in.has("site_id") || in.has("client_id") {
		user, err := c.requester(old.only("client_id", "site_id").with(in.only("client_id", "site_id", "user_id")))
		if err != nil {
			return nil, err
		}
		old = c.data.newTicket(old, user)
	}
	kind := c.data.ticketTypes.rows[old.Int("tickettype_id")]
	if in.has("tickettype_id") {
		if kind, ok = c.data.ticketTypes.rows[in.Int("tickettype_id")]; !ok {
			return nil, refuse(ErrorMessage, "Please select a valid Ticket Type.")
		}
	}
	changes, err := c.ticketChanges(kind, old, in)
	if err != nil {
		return nil, err
	}
	row := old.with(changes, Record{"last_update": stamp(c.now)})
	warning := ""
	if changes.has("status_id") {
		row, warning = c.moveTicket(old, row)
	}
	c.audit(c.data.tickets.rows[row.Int("id")], row)
	c.data.tickets.put(row)
	view := c.ticketView(row)
	if warning != "" {
		view["_warning"], view["_warning_is_error"] = warning, "false"
	}
	return view, nil
}

// audited are the fields whose changes are kept, by what they are called there.
var audited = map[string]string{"summary": "Summary", "status_id": "Status", "agent_id": "Agent", "team": "Team", "priority_id": "Priority", "user_name": "User"}

// audit keeps what a write changed, as the schema Audit has it.
func (c *call) audit(before, after Record) {
	ticket := after.Int("id")
	for _, field := range slices.Sorted(maps.Keys(audited)) {
		from, to := fmt.Sprint(before[field]), fmt.Sprint(after[field])
		if from != to {
			c.data.audits[ticket] = append(c.data.audits[ticket], Record{"id": len(c.data.audits[ticket]) + 1, "ticket_id": ticket, "agent_id": c.agent,
				"date": stamp(c.now), "value": audited[field], "from": from, "to": to, "table_name": "FAULTS"})
		}
	}
}

// moveTicket carries out a change of status. A ticket with open children is
// not closed; the reply is 200 and has a warning (3.8).
func (c *call) moveTicket(old, row Record) (Record, string) {
	switch {
	case c.data.hidden[row.Int("status_id")] != closes:
		return row.with(Record{"hasbeenclosed": false, "dateclosed": none}), "" // reopened, if it was closed
	case slices.ContainsFunc(c.children(row.Int("id")), func(child Record) bool { return !child.Bool("hasbeenclosed") }):
		return row.with(Record{"status_id": old["status_id"]}), "The Ticket cannot be closed while it has open child Tickets."
	}
	return row.with(Record{"hasbeenclosed": true, "dateclosed": stamp(c.now)}), ""
}

// ticketChanges turns the fields of a write into what is stored, following
// Halo where it quietly does something else than it was told.
func (c *call) ticketChanges(kind, old, in Record) (Record, error) {
	changes := Record{}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		switch {
		case name == "id" || strings.HasPrefix(name, "_") || name == "userlookup" || name == "attachments" || name == "donotapplytemplateintheapi" ||
			name == "dont_do_rules" || name == "client_id" || name == "site_id" || name == "user_id":
		case slices.Contains(computed, name):
			c.violate(fakehttp.SilentlyIgnored, "Faults."+name+" is computed by Halo")
		default:
			changes[name] = in[name]
		}
	}
	if err := c.checkReferences(kind, changes); err != nil {
		return nil, err
	}
	c.settleTeam(changes)
	c.settlePriority(kind, old, changes)
	if changes.has("customfields") {
		changes["customfields"] = c.customFields(old.List("customfields"), changes.List("customfields"))
	}
	if text, ok := changes["details_html"].(string); ok && !changes.has("details") {
		changes["details"] = textOf(text)
	} else if text, ok := changes["details"].(string); ok && !changes.has("details_html") {
		changes["details_html"] = "<p>" + strings.ReplaceAll(html.EscapeString(text), "\n", "<br>") + "</p>"
	}
	return changes, nil
}

// checkReferences refuses statuses, agents and categories that do not exist or
// do not fit the ticket.
func (c *call) checkReferences(kind, changes Record) error {
	if changes.has("status_id") && !c.statusFits(kind, changes.Int("status_id")) {
		return refuse(ErrorMessage, "The Status is not available for this Ticket Type.")
	}
	if changes.has("agent_id") {
		if agent, ok := c.data.agents.rows[changes.Int("agent_id")]; !ok || agent.Bool("isdisabled") {
			return refuse(ErrorException, "The Agent is not valid.")
		}
	}
	if parent := changes.Int("parent_id"); parent > 0 {
		if _, ok := c.data.tickets.rows[parent]; !ok {
			return refuse(ErrorResult, "The parent Ticket does not exist.")
		}
	}
	for tree, name := range []string{1: "category_1", 2: "category_2", 3: "category_3", 4: "category_4"} {
		value := changes.String(name)
		if name == "" || value == "" {
			continue
		}
		known := func(row Record) bool { return row.Int("type_id") == tree && row.String("value") == value }
		if !slices.ContainsFunc(c.data.categories.all(), known) {
			return refuse(ErrorField, "Please select a valid Category.")
		}
	}
	return nil
}

func (c *call) statusFits(kind Record, id int) bool {
	status, ok := c.data.statuses.rows[id]
	if !ok || status.Int("type") != 0 {
		return false
	}
	return kind.Bool("allowall_status") ||
		slices.ContainsFunc(kind.List("allowed_status"), func(row Record) bool { return row.Int("status_id") == id })
}

// settleTeam keeps the two spellings of a team in step: the name in team, and
// on recent builds team_id (3.6).
func (c *call) settleTeam(changes Record) {
	if changes.has("team_id") && c.options.NoTeamID {
		c.violate(fakehttp.SilentlyIgnored, "this build has no Faults.team_id")
		delete(changes, "team_id")
	}
	var team Record
	var ok bool
	switch {
	case changes.has("team_id"):
		team, ok = c.data.teams.rows[changes.Int("team_id")]
	case changes.has("team"):
		team, ok = c.data.teams.named("name", changes.String("team"))
	default:
		return
	}
	delete(changes, "team")
	delete(changes, "team_id")
	if !ok {
		c.violate(fakehttp.SilentlyIgnored, "there is no such team")
		return
	}
	changes["team"], changes["team_id"] = team["name"], team["id"]
}

// settlePriority replaces a priority that the SLA does not have with the
// type's default, without a word (3.6).
func (c *call) settlePriority(kind, old, changes Record) {
	sla := old.Int("sla_id")
	if changes.has("tickettype_id") {
		sla = kind.Int("default_sla")
		changes["sla_id"] = sla
	}
	if changes.has("sla_id") {
		sla = changes.Int("sla_id")
	}
	wanted := old.Int("priority_id")
	if changes.has("priority_id") {
		wanted = changes.Int("priority_id")
	}
	if _, ok := c.data.priority(sla, wanted); ok || !changes.has("priority_id") && !changes.has("sla_id") {
		return
	}
	if changes.has("priority_id") {
		c.violate(fakehttp.SilentlyIgnored, "the priority belongs to another SLA than the ticket")
	}
	changes["priority_id"] = kind["default_priority"]
}

// customFields are the custom fields after a write: those sent, by id or name,
// and on builds that merge those there were.
func (c *call) customFields(old, sent []Record) []Record {
	merged := []Record{}
	if c.options.MergeCustomFields {
		merged = slices.Clone(old)
	}
	for _, field := range sent {
		known, ok := c.data.fields.rows[field.Int("id")]
		if !ok {
			known, ok = c.data.fields.named("name", field.String("name"))
		}
		if !ok {
			c.violate(fakehttp.SilentlyIgnored, "there is no such custom field")
			continue
		}
		field = known.only("id", "name", "label", "type").with(Record{"value": field["value"], "display": field["value"]})
		same := func(have Record) bool { return have.Int("id") == field.Int("id") }
		if i := slices.IndexFunc(merged, same); i >= 0 {
			merged[i] = merged[i].with(field)
			continue
		}
		merged = append(merged, field)
	}
	return merged
}

var tags = regexp.MustCompile(`<[^>]*>`)

// textOf is the plain text that Halo keeps beside HTML.
func textOf(text string) string {
	text = strings.NewReplacer("<br>", "\n", "<br/>", "\n", "</p>", "\n").Replace(text)
	return strings.TrimSpace(html.UnescapeString(tags.ReplaceAllString(text, "")))
}
