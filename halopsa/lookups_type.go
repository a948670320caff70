package halopsa

import (
	"cmp"
	"context"
	"strconv"

	"github.com/msptoolbelt/toolbelt/internal/rest"
)

// ticketType is as much of a ticket type as tools need. A raw one has up to
// 100 KB.
type ticketType struct {
	ID         whole  `json:"id"`
	Name       string `json:"name"`
	DefaultSLA whole  `json:"default_sla"`
	SLAID      whole  `json:"sla_id"` // the name of default_sla on other versions
	Priority   whole  `json:"default_priority"`
	Team       string `json:"default_team"`
	Agent      whole  `json:"default_agent"`
	Status     whole  `json:"initial_status"`
	WorkflowID whole  `json:"workflow_id"`
	Workflow   string `json:"workflow_name"`
	AreaID     whole  `json:"ticketarea_id"`
	Fields     []struct {
		Label string `json:"fieldname"`
		Shown whole  `json:"technew"` // on the agent's form for a new ticket
		Info  struct {
			ID        whole  `json:"id"`
			Name      string `json:"name"`
			Label     string `json:"label"`
			Mandatory truth  `json:"mandatory"`
			Field     string `json:"faults_field_name"` // the ticket's field; custom fields have none
		} `json:"fieldinfo"`
	} `json:"fields"`
}

// sla is the SLA that tickets of the type begin with.
func (t ticketType) sla() int { return int(cmp.Or(t.DefaultSLA, t.SLAID)) }

// ticketType reads a ticket type, remembered for a while.
func (c *Client) ticketType(ctx context.Context, id int) (ticketType, error) {
	return c.types.Get(ctx, c.holder(ctx)+"\x00"+strconv.Itoa(id), func(ctx context.Context) (ticketType, error) {
		var t ticketType
		path, err := rest.Path("/TicketType/{}", strconv.Itoa(id))
		if err != nil {
			return t, err
		}
		return t, c.record(ctx, path, id, params("includedetails", "true"), &t)
	})
}

// TicketTypeInput names a ticket type.
type TicketTypeInput struct {
	TicketType string `json:"ticket_type" jsonschema:"name or id"`
}

// TicketTypeOutput is what a new ticket of a type needs and gets.
type TicketTypeOutput struct {
	ID         int        `json:"id"`
	Name       string     `json:"name"`
	Required   []FieldRow `json:"required,omitempty" jsonschema:"a new ticket needs these"`
	Optional   []FieldRow `json:"optional,omitempty"`
	More       int        `json:"more_fields,omitempty"`
	SLA        string     `json:"sla,omitempty"`
	Priority   string     `json:"default_priority,omitempty"`
	Priorities []string   `json:"priorities,omitempty"`
	Team       string     `json:"default_team,omitempty"`
	Agent      string     `json:"default_agent,omitempty"`
	Status     string     `json:"initial_status,omitempty"`
	Statuses   []string   `json:"statuses,omitempty"`
	Workflow   string     `json:"workflow,omitempty"`
}

// FieldRow is one field of a ticket type.
type FieldRow struct {
	Argument string `json:"argument" jsonschema:"of halo_tickets_create; custom fields go into custom_fields"`
	Label    string `json:"label"`
	Custom   bool   `json:"custom,omitempty"`
}

// maxFields bounds the optional fields that are listed; some types have more
// than a hundred.
const maxFields = 25

// GetTicketType tells what a ticket of a type needs and how it begins.
// https://halopsa.com/apidoc/resources/ticket-types
func (c *Client) GetTicketType(ctx context.Context, in TicketTypeInput) (*TicketTypeOutput, error) {
	entry, err := c.resolve(ctx, "ticket_type", in.TicketType)
	if err != nil {
		return nil, err
	}
	kind, err := c.ticketType(ctx, entry.ID)
	if err != nil {
		return nil, err
	}
	names, err := c.labels(ctx, "sla", "priority", "status", "agent")
	if err != nil {
		return nil, err
	}
	out := &TicketTypeOutput{ID: entry.ID, Name: entry.Name, SLA: names.of("sla", whole(kind.sla())),
		Priority: names.in("priority", whole(kind.sla()), kind.Priority), Team: kind.Team, Agent: names.of("agent", kind.Agent),
		Status: names.of("status", kind.Status), Workflow: kind.Workflow}
	out.Required, out.Optional, out.More = kind.fields()
	if out.Priorities, err = c.names(ctx, "priority", within{sla: kind.sla()}); err != nil {
		return nil, err
	}
	out.Statuses, err = c.names(ctx, "status", within{ticketType: entry.ID})
	return out, err
}

// fields sorts the fields of the form for a new ticket.
func (t ticketType) fields() (required, optional []FieldRow, more int) {
	for _, f := range t.Fields {
		row := FieldRow{Argument: f.Info.Field, Label: cmp.Or(f.Label, f.Info.Label), Custom: f.Info.Field == ""}
		if known, ok := argumentNames[f.Info.Field]; ok {
			row.Argument = known
		}
		if row.Custom {
			row.Argument = f.Info.Name
		}
		switch {
		case bool(f.Info.Mandatory):
			required = append(required, row)
		case f.Shown == 0:
		case len(optional) == maxFields:
			more++
		default:
			optional = append(optional, row)
		}
	}
	return required, optional, more
}

// names returns the names of what can be chosen from a reference table.
func (c *Client) names(ctx context.Context, kind string, in within) ([]string, error) {
	entries, err := c.entries(ctx, kind, in)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name)
	}
	return names, nil
}
