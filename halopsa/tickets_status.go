package halopsa

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

// SetStatusInput is a new status of a ticket.
type SetStatusInput struct {
	TicketID int    `json:"ticket_id" minimum:"1"`
	Status   string `json:"status"`
	Note     string `json:"note,omitempty" jsonschema:"Markdown"`
	Visible  bool   `json:"visible_to_user,omitempty" jsonschema:"the note"`
	Outcome  string `json:"outcome,omitempty" jsonschema:"of the note"`
}

// CallMarks implements [mcptools.CallMarks]. What an outcome does that is named
// is up to the tenant.
func (in SetStatusInput) CallMarks() mcptools.Mark {
	return marksOf(in.Visible || in.Outcome != "", false)
}

// orAction adds to the error of an unknown status that an action is called so,
// such as On Hold, which sets a status of another name.
func (c *Client) orAction(ctx context.Context, t *ticket, name string, err error) error {
	e, ok := errors.AsType[*mcptools.Error](err)
	if _, number := strconv.Atoi(name); !ok || e.Code != mcptools.CodeNotFound || number == nil {
		return err
	}
	allowed, failed := c.allowed(ctx, t)
	if failed != nil {
		return err // without the advice
	}
	o, failed := allowed.pick(name)
	if failed != nil {
		return err
	}
	return e.WithHint("%s is an action: halo_tickets_run_action with the outcome %d\n%s", o.Name, o.ID, e.Hint)
}

// SetTicketStatus changes the status of a ticket. With a note both are one
// action, so that the workflow takes notice.
func (c *Client) SetTicketStatus(ctx context.Context, in SetStatusInput) (*TicketWrite, error) {
	if in.Visible && in.Note == "" {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "visible_to_user: there is no note to show")
	}
	before, err := c.snapshot(ctx, in.TicketID, false)
	if err != nil {
		return nil, err
	}
	t := before.ticket()
	status, err := c.resolveIn(ctx, "status", within{ticketType: int(t.TypeID)}, in.Status)
	if err != nil {
		return nil, c.orAction(ctx, &t, in.Status, err)
	}
	if err := c.leavesOpen(ctx, &t, status); err != nil {
		return nil, err
	}
	expected := fields{"status_id": status.ID}
	if in.Note == "" && in.Outcome == "" {
		return c.write(ctx, in.TicketID, before, expected)
	}
	use := forNote
	if in.Visible {
		use = forVisibleNote
	}
	o, err := c.outcome(ctx, &t, in.Outcome, use)
	if err != nil {
		return nil, err
	}
	body, err := noteAndTime(in.Note, "")
	if err != nil {
		return nil, err
	}
	body["new_status"] = status.ID
	return c.runOn(ctx, before, o, !in.Visible, body, expected)
}

// leavesOpen refuses a status that closes an open ticket: most tenants tell the
// user of that, which whoever confirms calls is to know before.
func (c *Client) leavesOpen(ctx context.Context, t *ticket, status Entry) error {
	if t.Closed {
		return nil
	}
	closing, err := c.closing(ctx, t.TypeID)
	if err != nil || !slices.ContainsFunc(closing, func(e Entry) bool { return e.ID == status.ID }) {
		return err
	}
	return mcptools.Errorf(mcptools.CodeConflict, "status: %s closes the ticket", status.Name).
		WithHint("end the work with halo_tickets_close, which takes this status, too")
}

// CloseTicketInput ends the work on a ticket.
type CloseTicketInput struct {
	TicketID   int    `json:"ticket_id" minimum:"1"`
	Note       string `json:"resolution_note,omitempty" jsonschema:"Markdown"`
	Visible    bool   `json:"visible_to_user,omitempty"`
	Time       string `json:"time,omitempty" jsonschema:"time taken, such as 45m"`
	Status     string `json:"status,omitempty" jsonschema:"else the tenant's closed status"`
	Outcome    string `json:"outcome,omitempty"`
	SendSurvey bool   `json:"send_survey,omitempty"`
}

// CallMarks implements [mcptools.CallMarks]. That a ticket is closed is told to
// its user by the rules of most tenants.
func (in CloseTicketInput) CallMarks() mcptools.Mark { return marksOf(true, in.Time != "") }

// CloseTicket closes a ticket with one action: outcome, status, note and time.
func (c *Client) CloseTicket(ctx context.Context, in CloseTicketInput) (*TicketWrite, error) {
	before, err := c.snapshot(ctx, in.TicketID, false)
	if err != nil {
		return nil, err
	}
	t := before.ticket()
	if t.Closed {
		return nil, mcptools.Errorf(mcptools.CodeConflict, "ticket %d is closed already", in.TicketID).
			WithHint("add to it with halo_actions_add_note, or open it again with halo_tickets_set_status")
	}
	o, status, err := c.ending(ctx, &t, in)
	if err != nil {
		return nil, err
	}
	body, err := noteAndTime(in.Note, in.Time)
	if err != nil {
		return nil, err
	}
	body["new_status"] = status.ID
	if in.SendSurvey {
		body["send_survey"] = true
	}
	out, err := c.runOn(ctx, before, o, !in.Visible, body, fields{"status_id": status.ID})
	if err == nil && !out.Closed && len(out.Ignored) == 0 {
		out.Warnings = append(out.Warnings, "the ticket has the status "+out.Status+" and is not closed yet")
	}
	return out, err
}

// ending chooses the outcome and the status that a ticket is closed with.
func (c *Client) ending(ctx context.Context, t *ticket, in CloseTicketInput) (outcome, Entry, error) {
	allowed, err := c.allowed(ctx, t)
	if err != nil {
		return outcome{}, Entry{}, err
	}
	closing, err := c.closing(ctx, t.TypeID)
	if err != nil {
		return outcome{}, Entry{}, err
	}
	var status Entry
	if in.Status != "" {
		if status, err = c.resolveIn(ctx, "status", within{ticketType: int(t.TypeID)}, in.Status); err != nil {
			return outcome{}, Entry{}, err
		}
	}
	closes := func(id int) bool { return slices.ContainsFunc(closing, func(e Entry) bool { return e.ID == id }) }
	o, err := allowed.first(in.Outcome, "closing it",
		func(o outcome) bool { return o.Status != 0 && int(o.Status) == status.ID },
		func(o outcome) bool { return closes(int(o.Status)) },
		func(o outcome) bool { return o.isCalled("clos") })
	if err != nil {
		return outcome{}, Entry{}, err
	}
	if status.ID != 0 {
		return o, status, nil
	}
	status, err = closedStatus(o, closing)
	return o, status, err
}

// closedStatus is the status that an outcome closes a ticket with: its own, or
// the only one that closes, or the one of that name.
func closedStatus(o outcome, closing []Entry) (Entry, error) {
	for _, e := range closing {
		if e.ID == int(o.Status) || len(closing) == 1 {
			return e, nil
		}
	}
	if len(closing) == 0 {
		return Entry{}, mcptools.Errorf(mcptools.CodeInvalidArguments, "status: HaloPSA does not tell which status closes a ticket").
			WithHint("name the status; halo_tickets_available_actions lists them")
	}
	one, err := pick("status", "closed", closing)
	if errors.Is(err, mcptools.CodeNotFound) {
		var names []string
		for _, e := range closing {
			names = append(names, e.Name)
		}
		return Entry{}, mcptools.Errorf(mcptools.CodeInvalidArguments, "status: several close a ticket: %s", strings.Join(names, ", ")).
			WithHint("name one")
	}
	return one, err
}
