package halopsa

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// UpdateTicketInput changes the fields that it has.
type UpdateTicketInput struct {
	TicketID int    `json:"ticket_id" minimum:"1"`
	Summary  string `json:"summary,omitempty"`
	Type     string `json:"ticket_type,omitempty"`
	TicketFields
}

// UpdateTicket changes fields of a ticket, reads it again and says which really
// changed.
// https://halopsa.com/apidoc/resources/tickets
func (c *Client) UpdateTicket(ctx context.Context, in UpdateTicketInput) (*TicketWrite, error) {
	before, err := c.snapshot(ctx, in.TicketID, len(in.CustomFields) > 0 || len(in.AssetIDs) > 0)
	if err != nil {
		return nil, err
	}
	t := before.ticket()
	kind := Entry{ID: int(t.TypeID)}
	if in.Type != "" {
		if kind, err = c.resolve(ctx, "ticket_type", in.Type); err != nil {
			return nil, err
		}
	}
	body, err := c.body(ctx, in.TicketFields, kind, &t)
	if err != nil {
		return nil, err
	}
	if in.Summary != "" {
		body["summary"] = in.Summary
	}
	if in.Type != "" {
		body["tickettype_id"] = kind.ID
	}
	if len(body) == 0 || len(body) == 1 && body["donotapplytemplateintheapi"] != nil {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "there is nothing to change").
			WithHint("name at least one field; a status is changed with halo_tickets_set_status")
	}
	return c.write(ctx, in.TicketID, before, body)
}

// write saves fields of a ticket that was read before, reads it again and
// compares.
func (c *Client) write(ctx context.Context, id int, before saved, body fields) (*TicketWrite, error) {
	body["id"] = id
	reply, err := c.save(ctx, "/Tickets", body)
	if err != nil {
		return nil, err
	}
	out := &TicketWrite{}
	if warning := reply.warning(); warning != "" {
		out.Warnings = append(out.Warnings, warning)
	}
	_, custom := body["customfields"]
	_, assets := body["assets"]
	c.compare(ctx, out, id, before, body, custom || assets)
	return out, nil
}

// compare reads a ticket after a write and tells what changed. The write has
// happened: that the ticket cannot be read is a warning.
func (c *Client) compare(ctx context.Context, out *TicketWrite, id int, before saved, sent fields, details bool) {
	after, err := c.snapshot(ctx, id, details)
	if err != nil {
		out.Warnings = append(out.Warnings, "the change was sent, but the ticket could not be read again: "+reason(err))
		c.row(ctx, out, before.ticket())
		return
	}
	ignored, lacks := after.ignored(sent)
	if lacks {
		out.Warnings = append(out.Warnings, "HaloPSA does not show all that was sent, so not all of it could be checked")
	}
	out.Ignored = append(out.Ignored, ignored...)
	c.row(ctx, out, after.ticket())
	out.Changed = c.changes(ctx, before, after)
	was, is := before.ticket(), after.ticket()
	if was.ClientID != is.ClientID && was.UserID == is.UserID && is.UserID != 0 {
		out.Warnings = append(out.Warnings, fmt.Sprintf("the user is still %s, of the client before: a reply would go there. Name the user", quoteOr(is.User, "the one")))
	}
}

// shownChanges are the fields whose changes a result tells, with the table that
// their ids are from, or "".
var shownChanges = map[string]string{
	"summary": "", "details_html": "", "tickettype_id": "ticket_type", "status_id": "status", "priority_id": "priority", "agent_id": "agent",
	"team": "", "client_name": "", "site_name": "", "user_name": "", "category_1": "", "category_2": "", "category_3": "", "category_4": "",
	"impact": "", "urgency": "", "parent_id": "", "customfields": "", "sla_id": "sla",
	"source": "", "dateoccurred": "",
}

// changes compares two readings of a ticket. Rules and templates of the tenant
// may have changed more than was asked.
func (c *Client) changes(ctx context.Context, before, after saved) []Change {
	names, err := c.labels(ctx, detailLabels...)
	if err != nil {
		names = labels{}
	}
	var changed []Change
	for _, name := range slices.Sorted(maps.Keys(shownChanges)) {
		from, to := valueOf(before, name), valueOf(after, name)
		if from == to || after[name] == nil {
			continue
		}
		change := Change{Field: strings.TrimSuffix(name, "_name"), From: markup.Preview(from, 100), To: markup.Preview(to, 100)}
		if argument, ok := argumentNames[name]; ok {
			change.Field = argument
		}
		switch kind := shownChanges[name]; {
		case name == "details_html" || name == "customfields":
			change.From, change.To = "", ""
		case name == "dateoccurred":
			change.From, change.To = c.stamp(moment{instant(from)}), c.stamp(moment{instant(to)})
		case kind != "":
			change.From, change.To = names.value(kind, before, name), names.value(kind, after, name)
		}
		changed = append(changed, change)
	}
	return changed
}

// valueOf is a field as text.
func valueOf(s saved, name string) string {
	var text string
	if json.Unmarshal(s[name], &text) == nil {
		return text
	}
	return strings.TrimSpace(string(s[name]))
}

// value is the name behind an id in a field. A priority's id needs its SLA's.
func (l labels) value(kind string, s saved, name string) string {
	var id, sla whole
	if json.Unmarshal(s[name], &id) != nil {
		return valueOf(s, name)
	}
	if kind == "priority" && json.Unmarshal(s["sla_id"], &sla) != nil {
		return valueOf(s, name)
	}
	return l.in(kind, sla, id)
}

// AssignTicketInput gives a ticket to an agent, a team or both.
type AssignTicketInput struct {
	TicketID int    `json:"ticket_id" minimum:"1"`
	Agent    string `json:"agent,omitempty" jsonschema:"name, me or unassigned"`
	Team     string `json:"team,omitempty"`
	Note     string `json:"note,omitempty" jsonschema:"private; Markdown"`
}

// AssignTicket gives a ticket to an agent or a team, and adds a private note if
// there is one.
func (c *Client) AssignTicket(ctx context.Context, in AssignTicketInput) (*TicketWrite, error) {
	if in.Agent == "" && in.Team == "" {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "agent or team: who gets it?")
	}
	before, err := c.snapshot(ctx, in.TicketID, false)
	if err != nil {
		return nil, err
	}
	t := before.ticket()
	body, err := c.body(ctx, TicketFields{Agent: in.Agent, Team: in.Team}, Entry{ID: int(t.TypeID)}, &t)
	if err != nil {
		return nil, err
	}
	body["_forcereassign"] = true
	out, err := c.write(ctx, in.TicketID, before, body)
	if err != nil || in.Note == "" {
		return out, err
	}
	if err := c.addNote(ctx, out, &t, in.Note); err != nil {
		out.Warnings = append(out.Warnings, fmt.Sprintf("the ticket was assigned, but the note was not added: %s", reason(err)))
	}
	return out, nil
}
