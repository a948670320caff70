package halopsa

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// CreateTicketInput describes a new ticket. It needs a user, a client or a
// site.
type CreateTicketInput struct {
	Summary string `json:"summary" maxLength:"1000"`
	Type    string `json:"ticket_type"`
	TicketFields
	StopOnDuplicate bool `json:"stop_on_duplicate,omitempty" jsonschema:"not if an open one is like it"`
}

// TicketWrite is a ticket after a write, and what came of the write.
type TicketWrite struct {
	TicketRow
	Changed    []Change     `json:"changed,omitempty"`
	ActionID   int          `json:"action_id,omitempty"`
	Ignored    []string     `json:"ignored,omitempty" jsonschema:"arguments that are not as asked"`
	Warnings   []string     `json:"warnings,omitempty"`
	Duplicates []TicketPart `json:"possible_duplicates,omitempty"`
}

// Change is one field that is different now.
type Change struct {
	Field string `json:"field"`
	From  string `json:"from,omitempty"`
	To    string `json:"to,omitempty"`
}

// CreateTicket creates a ticket, after checking what Halo would replace or
// refuse, and says what the new ticket did not take as it was sent.
// https://halopsa.com/apidoc/resources/tickets
func (c *Client) CreateTicket(ctx context.Context, in CreateTicketInput) (*TicketWrite, error) {
	if strings.TrimSpace(in.Summary) == "" || in.Type == "" {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "summary and ticket_type are needed")
	}
	if in.User == "" && in.Client == "" && in.Site == "" {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "user, client or site: whose ticket is it?").
			WithHint("name the user by e-mail address, or the client")
	}
	body, err := c.newTicket(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &TicketWrite{}
	out.Duplicates, err = c.duplicates(ctx, in.Summary, body)
	switch {
	case errors.Is(err, mcptools.CodeCancelled), err != nil && in.StopOnDuplicate:
		return nil, err
	case err != nil:
		out.Warnings = append(out.Warnings, "duplicates were not looked for: "+reason(err))
	case in.StopOnDuplicate && len(out.Duplicates) > 0:
		return nil, mcptools.Errorf(mcptools.CodeConflict, "nothing was created: the client has an open ticket like it, %d %q", out.Duplicates[0].ID, out.Duplicates[0].Name).
			WithHint("add to that ticket, or call again without stop_on_duplicate")
	}
	reply, err := c.save(ctx, "/Tickets", body)
	if err != nil {
		return nil, err
	}
	return c.created(ctx, out, body, reply)
}

// newTicket is the body of a new ticket.
func (c *Client) newTicket(ctx context.Context, in CreateTicketInput) (fields, error) {
	kind, err := c.resolve(ctx, "ticket_type", in.Type)
	if err != nil {
		return nil, err
	}
	body, err := c.body(ctx, in.TicketFields, kind, nil)
	if err != nil {
		return nil, err
	}
	body["summary"], body["tickettype_id"] = in.Summary, kind.ID
	full, err := c.ticketType(ctx, kind.ID)
	if err != nil {
		return nil, err
	}
	return body, full.missing(body)
}

// duplicates finds open tickets of the client with the same summary, reported
// in the last 24 hours.
func (c *Client) duplicates(ctx context.Context, summary string, body fields) ([]TicketPart, error) {
	query := params("search_summary", summary, "client_id", fmt.Sprint(body["client_id"]), "open_only", "true",
		"datesearch", "dateoccured", "startdate", halo(time.Now().Add(-24*time.Hour)), "enddate", halo(time.Now().Add(time.Hour)))
	rows, _, err := fetchPage[ticket](ctx, c, collection{path: "/Tickets", key: "tickets", query: query}, 1, 20)
	var found []TicketPart
	for _, r := range rows {
		if strings.EqualFold(strings.TrimSpace(r.Summary), strings.TrimSpace(summary)) && len(found) < 5 {
			found = append(found, TicketPart{int(r.ID), markup.Preview(r.Summary, 80), c.stamp(r.Reported)})
		}
	}
	return found, err
}

// created compares the new ticket with what was sent. The reply may leave
// fields out; then the ticket is read again.
func (c *Client) created(ctx context.Context, out *TicketWrite, body fields, reply saved) (*TicketWrite, error) {
	t := reply.ticket()
	if t.ID == 0 {
		return nil, &mcptools.Error{Code: mcptools.CodeUncertain, Message: "the ticket was most likely created, but HaloPSA's answer does not show it",
			Hint: "look for it with halo_tickets_search before trying again"}
	}
	warning := reply.warning()
	ignored, lacks := reply.ignored(body)
	if lacks {
		again, err := c.snapshot(ctx, int(t.ID), true)
		if err != nil {
			out.Warnings = append(out.Warnings, "the ticket was created, but not read again: "+reason(err))
		} else {
			ignored, _ = again.ignored(body)
			t = again.ticket()
		}
	}
	out.Ignored = ignored
	if warning != "" {
		out.Warnings = append(out.Warnings, warning)
	}
	c.row(ctx, out, t)
	return out, nil
}

// row fills in the ticket of a result. A failure costs names only: the write
// has happened.
func (c *Client) row(ctx context.Context, out *TicketWrite, t ticket) {
	names, err := c.labels(ctx, ticketLabels...)
	if err != nil {
		out.Warnings = append(out.Warnings, "the change was made; the names of its fields could not be read")
	}
	out.TicketRow = c.ticketRow(names, t)
}

// ticket reads a saved object as a ticket; what cannot be read is empty.
func (s saved) ticket() ticket {
	var t ticket
	data, err := json.Marshal(s)
	if err != nil || json.Unmarshal(data, &t) != nil {
		return ticket{}
	}
	return t
}

// snapshot reads a ticket field by field; details adds its custom fields.
func (c *Client) snapshot(ctx context.Context, id int, details bool) (saved, error) {
	var s saved
	return s, c.readTicket(ctx, id, params("includedetails", flag(details)), &s)
}
