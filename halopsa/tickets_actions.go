package halopsa

import (
	"context"
	"encoding/json"

	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// act runs an action on a ticket: the note, the time and the changes in more
// ride on it. Its reply is compared with what was sent.
func (c *Client) act(ctx context.Context, out *TicketWrite, t *ticket, o outcome, more fields) error {
	body := fields{"ticket_id": int(t.ID), "outcome_id": int(o.ID)}
	for name, value := range more {
		body[name] = value
	}
	reply, err := c.save(ctx, "/Actions", body)
	if err != nil {
		return err
	}
	var id whole
	if json.Unmarshal(reply["id"], &id) == nil {
		out.ActionID = int(id)
	}
	if warning := reply.warning(); warning != "" {
		out.Warnings = append(out.Warnings, warning)
	}
	var hidden truth
	if body["hiddenfromuser"] == true && (json.Unmarshal(reply["hiddenfromuser"], &hidden) != nil || !bool(hidden)) {
		out.Warnings = append(out.Warnings, "HaloPSA does not confirm that the note is hidden from the user: look at it now")
	}
	own := fields{}
	for _, name := range []string{"outcome_id", "timetaken", "note_html"} { // changes of the ticket show on the ticket
		if value, sent := body[name]; sent && reply[name] != nil {
			own[name] = value
		}
	}
	ignored, _ := reply.ignored(own)
	out.Ignored = append(out.Ignored, ignored...)
	return nil
}

// noteFields are the fields of an action for its note and time, both optional.
func noteFields(note, taken string, private bool) (fields, error) {
	body := fields{"hiddenfromuser": private, "sendemail": false}
	if note != "" {
		html, err := markup.ToHTML(note)
		if err != nil {
			return nil, err
		}
		body["note_html"] = html
	}
	if taken != "" {
		spent, err := hours(taken)
		if err != nil {
			return nil, err
		}
		body["timetaken"] = spent
	}
	return body, nil
}

// addNote adds a private note.
func (c *Client) addNote(ctx context.Context, out *TicketWrite, t *ticket, note string) error {
	o, err := c.outcome(ctx, t, "", forNote)
	if err != nil {
		return err
	}
	body, err := noteFields(note, "", true)
	if err != nil {
		return err
	}
	return c.act(ctx, out, t, o, body)
}

// actThenCompare runs an action and tells what it changed on the ticket.
func (c *Client) actThenCompare(ctx context.Context, before saved, o outcome, body, expected fields) (*TicketWrite, error) {
	t := before.ticket()
	out := &TicketWrite{}
	if err := c.act(ctx, out, &t, o, body); err != nil {
		return nil, err
	}
	c.compare(ctx, out, int(t.ID), before, expected, false)
	return out, nil
}

// AvailableActionsInput names a ticket.
type AvailableActionsInput struct {
	TicketID int `json:"ticket_id" minimum:"1"`
}

// AvailableActionsOutput is what can be done with a ticket now.
type AvailableActionsOutput struct {
	TicketID int          `json:"ticket_id"`
	Status   string       `json:"status"`
	Workflow string       `json:"workflow,omitempty"`
	Step     string       `json:"step,omitempty"`
	Actions  []OutcomeRow `json:"actions"`
	Statuses []string     `json:"statuses,omitempty"`
	Closing  []string     `json:"closing_statuses,omitempty"`
}

// OutcomeRow is one action that a ticket offers.
type OutcomeRow struct {
	ID      int    `json:"id"`
	Outcome string `json:"outcome"`
	Button  string `json:"button,omitempty"`
	Private bool   `json:"private,omitempty"`
	Mails   bool   `json:"mails_user,omitempty"`
	Status  string `json:"new_status,omitempty"`
}

// AvailableActions lists the actions that a ticket allows in its type and
// workflow step, to the agent that calls act as.
func (c *Client) AvailableActions(ctx context.Context, in AvailableActionsInput) (*AvailableActionsOutput, error) {
	t, err := c.ticket(ctx, in.TicketID)
	if err != nil {
		return nil, err
	}
	allowed, err := c.allowed(ctx, t)
	if err != nil {
		return nil, err
	}
	names, err := c.labels(ctx, "status")
	if err != nil {
		return nil, err
	}
	out := &AvailableActionsOutput{TicketID: in.TicketID, Status: names.of("status", t.StatusID), Workflow: allowed.workflow, Step: allowed.step, Actions: []OutcomeRow{}}
	for _, o := range allowed.outcomes {
		out.Actions = append(out.Actions, OutcomeRow{int(o.ID), o.Name, different(o.Button, o.Name), bool(o.Private), bool(o.Mails), names.of("status", o.Status)})
	}
	if out.Statuses, err = c.names(ctx, "status", within{ticketType: int(t.TypeID)}); err != nil {
		return nil, err
	}
	closing, err := c.closing(ctx, t.TypeID)
	for _, e := range closing {
		out.Closing = append(out.Closing, e.Name)
	}
	return out, err
}

// RunActionInput is an action to run, and what rides on it.
type RunActionInput struct {
	TicketID int    `json:"ticket_id" minimum:"1"`
	Outcome  string `json:"outcome" jsonschema:"outcome, button or id"`
	Note     string `json:"note,omitempty" jsonschema:"Markdown"`
	Visible  bool   `json:"visible_to_user,omitempty"`
	Time     string `json:"time,omitempty" jsonschema:"time taken, such as 45m"`
	Status   string `json:"status,omitempty"`
	Agent    string `json:"agent,omitempty"`
	Team     string `json:"team,omitempty"`
	Priority string `json:"priority,omitempty"`
}

// RunAction runs a quick action or workflow button of a ticket.
// https://halopsa.com/apidoc/resources/actions
func (c *Client) RunAction(ctx context.Context, in RunActionInput) (*TicketWrite, error) {
	before, err := c.snapshot(ctx, in.TicketID, false)
	if err != nil {
		return nil, err
	}
	t := before.ticket()
	if in.Outcome == "" {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "outcome: must not be empty").WithHint(seeActions)
	}
	o, err := c.outcome(ctx, &t, in.Outcome, forNote)
	if err != nil {
		return nil, err
	}
	body, err := noteFields(in.Note, in.Time, !in.Visible)
	if err != nil {
		return nil, err
	}
	expected, err := c.body(ctx, TicketFields{Agent: in.Agent, Team: in.Team, Priority: in.Priority}, Entry{ID: int(t.TypeID)}, &t)
	if err != nil {
		return nil, err
	}
	if in.Status != "" {
		status, err := c.resolveIn(ctx, "status", within{ticketType: int(t.TypeID)}, in.Status)
		if err != nil {
			return nil, err
		}
		expected["status_id"] = status.ID
	}
	for from, to := range map[string]string{"agent_id": "new_agent", "priority_id": "new_priority", "status_id": "new_status"} {
		if value, ok := expected[from]; ok {
			body[to] = value
		}
	}
	if in.Team != "" {
		team, err := c.resolve(ctx, "team", in.Team)
		if err != nil {
			return nil, err
		}
		body["new_team"] = team.Name
	}
	return c.actThenCompare(ctx, before, o, body, expected)
}
