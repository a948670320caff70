package halotest

import (
	"slices"
	"strconv"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
)

func actionRoutes() map[string]handler {
	return map[string]handler{
		"GET /Actions":         (*call).listActions,
		"GET /Actions/{id}":    (*call).getAction,
		"POST /Actions":        (*call).saveActions,
		"DELETE /Actions/{id}": (*call).deleteAction,
	}
}

// Mail is an e-mail that an action sent.
type Mail struct {
	TicketID, ActionID int
	From, To, CC       string
	Subject, BodyHTML  string
}

// Sent returns the e-mails that actions have sent, in order.
func (s *Server) Sent() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.data.sent)
}

// Actions returns the actions of a ticket by id, with their HTML and e-mail
// bodies. Action ids are numbered within the ticket.
func (s *Server) Actions(ticketID int) []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.data.actions[ticketID]; ok {
		return copies(t.all())
	}
	return nil
}

// actionsOf returns the actions of the ticket that a call names; without one
// Halo refuses (research 3.7).
func (c *call) actionsOf(ticket int, message string) (*table, error) {
	if ticket == 0 {
		return nil, refuse(ErrorSentence, "%s", message)
	}
	row, ok := c.data.tickets.rows[ticket]
	if !ok || row.Bool("deleted") {
		return nil, notFound("Ticket", ticket)
	}
	return c.data.actions[ticket], nil
}

const (
	needsTicket       = "An Action must be associated with a ticket_id"
	needsTicketDelete = "ticket_id must be included when deleting an Action"
	needsOutcome      = "An Outcome must be entered for this Action"
	noAccess          = "You do not have access to this Action at the moment"
)

// listActions has no paging, only count. Without a ticket and without dates it
// finds nothing (open question 4).
func (c *call) listActions() (any, error) {
	q := c.query
	ticket, hasTicket := q.number("ticket_id")
	dated, err := q.between("datetime", "startdate", "enddate")
	if err != nil {
		return nil, err
	}
	var rows []Record
	switch {
	case hasTicket:
		t, err := c.actionsOf(ticket, needsTicket)
		if err != nil {
			return nil, err
		}
		rows = t.all()
	case q.text("startdate") != "" || q.text("enddate") != "":
		for _, row := range c.data.tickets.where(func(row Record) bool { return !row.Bool("deleted") }) {
			rows = append(rows, c.data.actions[row.Int("id")].all()...)
		}
	}
	rows = filter(rows, dated,
		func(row Record) bool { return !q.flag("excludesys") || row.Int("action_systemid") != outcomeSystem },
		func(row Record) bool { return !q.flag("excludeprivate") || !row.Bool("hiddenfromuser") },
		func(row Record) bool {
			return !q.flag("conversationonly") || !row.Bool("hiddenfromuser") && row.String("note") != ""
		},
		func(row Record) bool { return !q.flag("agentonly") || row.Int("who_type") == 1 },
		func(row Record) bool { return !q.flag("importantonly") || row.Bool("important") },
		func(row Record) bool { return !q.flag("timeentriesonly") || row.Float("timetaken") > 0 },
	)
	slices.Reverse(rows) // newest first
	return c.reply(listing{key: "actions", rows: rows, unpaged: true, view: c.actionView})
}

// actionView leaves out the HTML bodies unless they are asked for (3.6).
func (c *call) actionView(row Record) Record {
	view := row.with()
	if !c.query.flag("includehtmlnote") && !c.query.flag("includedetails") {
		delete(view, "note_html")
	}
	if !c.query.flag("includehtmlemail") && !c.query.flag("includeemail") {
		delete(view, "emailbody_html")
	}
	return view
}

func (c *call) getAction() (any, error) {
	ticket, _ := c.query.number("ticket_id")
	t, err := c.actionsOf(ticket, needsTicket)
	if err != nil {
		return nil, err
	}
	row, err := c.find(t, "Action")
	if err != nil {
		return nil, err
	}
	return c.single("actions", c.actionView(row))
}

func (c *call) deleteAction() (any, error) {
	ticket, _ := c.query.number("ticket_id")
	t, err := c.actionsOf(ticket, needsTicketDelete)
	if err != nil {
		return nil, err
	}
	row, err := c.remove(t, "Action")
	if err != nil {
		return nil, err
	}
	c.countTime(ticket)
	return row, nil
}

func (c *call) saveActions() (any, error) {
	return c.each("actions", func(in Record) (Record, error) {
		t, err := c.actionsOf(in.Int("ticket_id"), needsTicket)
		if err != nil {
			return nil, err
		}
		if in.Int("id") != 0 {
			return c.updateAction(t, in)
		}
		return c.createAction(t, in)
	})
}

func (c *call) updateAction(t *table, in Record) (Record, error) {
	old, ok := t.rows[in.Int("id")]
	if !ok {
		return nil, notFound("Action", in.Int("id"))
	}
	changes := in.only("note", "note_html", "hiddenfromuser", "important", "timetaken", "nonbilltime", "traveltime", "chargerate", "actisbillable", "datetime", "outcome")
	settleNote(changes)
	row := old.with(changes, Record{"last_updated": stamp(c.now)})
	t.put(row)
	c.countTime(in.Int("ticket_id"))
	return row, nil
}

// createAction checks the outcome against the ticket's workflow, stores the
// action, and carries out what rides on it: changes of the ticket, time,
// attachments and e-mail (3.7).
func (c *call) createAction(t *table, in Record) (Record, error) {
	ticket := c.data.tickets.rows[in.Int("ticket_id")]
	outcome, err := c.outcomeOf(in)
	if err != nil {
		return nil, err
	}
	step, ok := c.stepAfter(ticket, outcome)
	if !ok {
		return nil, refuse(ErrorSentence, noAccess)
	}
	changes, err := c.ridingChanges(ticket, in, outcome)
	if err != nil {
		return nil, err
	}
	row := Record{
		"outcome": outcome["outcome"], "outcome_id": outcome["id"], "who": c.data.agents.rows[c.agent]["name"], "who_type": 1, "who_agentid": c.agent,
		"actionby_agent_id": c.agent, "datetime": stamp(c.now), "note": "", "note_html": "", "hiddenfromuser": outcome.Bool("hidefromuser"), "important": false,
		"timetaken": 0.0, "nonbilltime": 0.0, "traveltime": 0.0, "chargerate": 0, "actisbillable": true, "attachment_count": 0, "action_systemid": 0,
		"emaildirection": "", "emailto": "",
		"actiondatecreated": local(c.now),
	}
	stored := Record{}
	for name, value := range in {
		if !strings.HasPrefix(name, "_") && name != "attachments" && name != "sendemail" && name != "outcome" && name != "outcome_id" && name != "id" {
			stored[name] = value
		}
	}
	settleNote(stored)
	if in.has("customfields") {
		stored["customfields"] = c.customFields(nil, in.List("customfields"))
	}
	row = row.with(stored, Record{"old_status": ticket["status_id"], "new_status": ticket["status_id"]})
	after := ticket.with(changes, Record{"workflow_step": step, "lastactiondate": stamp(c.now), "last_update": stamp(c.now)})
	warning := ""
	if changes.has("status_id") {
		after, warning = c.moveTicket(ticket, after)
		row["new_status"] = after["status_id"]
		row["new_status_name"] = c.data.statuses.rows[after.Int("status_id")]["name"]
	}
	row = t.add(row)
	c.data.tickets.put(after)
	c.logTime(after, row)
	if err := c.addAttachments(in, ticket.Int("id"), row.Int("id")); err != nil {
		return nil, err
	}
	if in.Bool("sendemail") {
		c.send(after, row)
	}
	row = t.rows[row.Int("id")]
	if warning != "" {
		row = row.with(Record{"_warning": warning, "_warning_is_error": "false"})
	}
	return row, nil
}

// settleNote keeps plain text and HTML of a note in step.
func settleNote(changes Record) {
	if text, ok := changes["note_html"].(string); ok && !changes.has("note") {
		changes["note"] = textOf(text)
	} else if text, ok := changes["note"].(string); ok && !changes.has("note_html") {
		changes["note_html"] = text
	}
}

// outcomeOf finds the outcome that an action names, by id or by name.
func (c *call) outcomeOf(in Record) (Record, error) {
	if id := in.Int("outcome_id"); id != 0 {
		if row, ok := c.data.outcomes.rows[id]; ok && !row.Bool("hidden") {
			return row, nil
		}
		return nil, refuse(ErrorSentence, noAccess)
	}
	name := in.String("outcome")
	if name == "" {
		return nil, refuse(ErrorSentence, needsOutcome)
	}
	for _, field := range []string{"outcome", "buttonname"} {
		if row, ok := c.data.outcomes.named(field, name); ok && !row.Bool("hidden") {
			return row, nil
		}
	}
	return nil, refuse(ErrorSentence, needsOutcome)
}

// stepAfter tells whether a ticket allows an outcome now, and the workflow
// step that follows.
func (c *call) stepAfter(ticket, outcome Record) (step int, ok bool) {
	step = ticket.Int("workflow_step")
	kind := c.data.ticketTypes.rows[ticket.Int("tickettype_id")]
	workflow, managed := c.data.workflows.rows[kind.Int("workflow_id")]
	if !managed {
		return step, outcome.Int("id") != OutcomeApprove
	}
	for _, always := range workflow.List("always_allow_actions") {
		if always.Int("id") == outcome.Int("id") {
			return step, true
		}
	}
	for _, at := range workflow.List("steps") {
		if at.Int("step_id") != step {
			continue
		}
		for _, action := range at.List("actions") {
			if action.Int("action_id") == outcome.Int("id") && !action.Bool("restricted") {
				return action.Int("end_step"), true
			}
		}
	}
	return step, false
}

// ridingChanges are the new_… fields of an action, as changes of the ticket.
func (c *call) ridingChanges(ticket, in, outcome Record) (Record, error) {
	changes := Record{}
	for from, to := range map[string]string{
		"new_priority": "priority_id", "new_sla_id": "sla_id", "new_tickettype": "tickettype_id", "new_category1": "category_1",
		"new_category2": "category_2", "new_category3": "category_3", "new_category4": "category_4", "new_status": "status_id",
		"new_impact": "impact", "new_urgency": "urgency", "new_team": "team", "new_deadlinedate": "deadlinedate", "new_followupdate": "followupdate",
		"new_agent": "agent_id", "new_startdate": "startdate", "new_targetdate": "targetdate", "new_contract_id": "contract_id", "new_parent_id": "parent_id",
	} {
		if value, ok := in[from]; ok && value != nil && value != "" {
			changes[to] = value
		}
	}
	if status := outcome.Int("newstatus"); status != 0 && !changes.has("status_id") {
		changes["status_id"] = status
	}
	kind := c.data.ticketTypes.rows[ticket.Int("tickettype_id")]
	if outcome.Int("newstatus") == changes.Int("status_id") && !c.statusFits(kind, changes.Int("status_id")) {
		delete(changes, "status_id") // the outcome's own status does not suit the type
	}
	return c.ticketChanges(kind, ticket, changes)
}

// logTime makes the timesheet event that an action with time has.
func (c *call) logTime(ticket, action Record) {
	c.countTime(ticket.Int("id"))
	taken := action.Float("timetaken")
	if taken <= 0 {
		return
	}
	if taken > 24 {
		c.violate(fakehttp.SilentlyIgnored, "timetaken is in hours; more than a day looks like minutes")
	}
	c.data.events.add(eventOf(ticket, action, c.now))
}

// countTime sums up the ticket's time.
func (c *call) countTime(ticket int) {
	total := 0.0
	for _, action := range c.data.actions[ticket].all() {
		total += action.Float("timetaken")
	}
	c.data.tickets.put(c.data.tickets.rows[ticket].with(Record{"timetaken": total}))
}

// send records the e-mail of an action; without an address it goes to the
// ticket's user.
func (c *call) send(ticket, action Record) {
	mail := Mail{
		TicketID: ticket.Int("id"), ActionID: action.Int("id"), From: "support@nordlicht.example", To: action.String("emailto"),
		CC: action.String("emailcc"), Subject: action.String("emailsubject"), BodyHTML: action.String("emailbody_html"),
	}
	if mail.To == "" {
		mail.To = ticket.String("user_email")
	}
	if mail.Subject == "" {
		mail.Subject = ticket.String("summary") + " [ID:" + strconv.Itoa(mail.TicketID) + "]"
	}
	if mail.BodyHTML == "" {
		mail.BodyHTML = action.String("note_html")
	}
	c.data.sent = append(c.data.sent, mail)
	actions := c.data.actions[mail.TicketID]
	actions.put(actions.rows[mail.ActionID].with(Record{"emaildirection": "O", "emailto": mail.To, "emailfrom": mail.From,
		"emailsubject": mail.Subject, "emailbody_html": mail.BodyHTML, "dateemailed": stamp(c.now)}))
}
