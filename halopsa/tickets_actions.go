package halopsa

import (
	"context"
	"slices"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

// runOn runs an action on a ticket that was read before, and tells what it
// changed there. expected are the changes of the ticket that ride on it.
func (c *Client) runOn(ctx context.Context, before saved, o outcome, private bool, more, expected fields) (*TicketWrite, error) {
	t := before.ticket()
	out := &TicketWrite{}
	if err := c.runInto(ctx, out, &t, o, private, more); err != nil {
		return nil, err
	}
	c.compare(ctx, out, int(t.ID), before, expected, false)
	slices.Sort(out.Ignored)
	out.Ignored = slices.Compact(out.Ignored)
	return out, nil
}

// runInto runs an action and adds what came of it to a result.
func (c *Client) runInto(ctx context.Context, out *TicketWrite, t *ticket, o outcome, private bool, more fields) error {
	result, _, err := c.act(ctx, t, o, private, more)
	if err != nil {
		return err
	}
	out.ActionID = result.ActionID
	out.Ignored = append(out.Ignored, result.Ignored...)
	for _, text := range []string{result.Warning, result.Problem} {
		if text != "" {
			out.Warnings = append(out.Warnings, text)
		}
	}
	return nil
}

// noteAndTime are the fields of an action for its note and time, both optional.
func noteAndTime(note, taken string) (fields, error) {
	body := fields{}
	if note != "" {
		html, err := noteHTML(note, "markdown")
		if err != nil {
			return nil, err
		}
		body["note_html"] = html
	}
	if taken != "" {
		spent, err := timeTaken("time", taken)
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
	body, err := noteAndTime(note, "")
	if err != nil {
		return err
	}
	return c.runInto(ctx, out, t, o, true, body)
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

	CustomFields map[string]any `json:"custom_fields,omitempty" jsonschema:"of the action: values by label"`
}

// CallMarks implements [mcptools.CallMarks]. What a button does is up to the
// tenant.
func (in RunActionInput) CallMarks() mcptools.Mark { return marksOf(true, in.Time != "") }

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
	body, err := noteAndTime(in.Note, in.Time)
	if err != nil {
		return nil, err
	}
	if len(in.CustomFields) > 0 {
		if body["customfields"], err = c.mergedFields(ctx, nil, in.CustomFields); err != nil {
			return nil, err
		}
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
	return c.runOn(ctx, before, o, !in.Visible, body, expected)
}
