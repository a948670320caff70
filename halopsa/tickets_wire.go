package halopsa

import (
	"context"
	"errors"
	"net/url"
	"strconv"

	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// ticket is as much of a ticket as tools need. A raw one has up to 200 KB,
// nearly all of it definitions of what it refers to.
type ticket struct {
	ID           whole         `json:"id"`
	Summary      string        `json:"summary"`
	Details      string        `json:"details"`
	DetailsHTML  string        `json:"details_html"`
	TypeID       whole         `json:"tickettype_id"`
	StatusID     whole         `json:"status_id"`
	PriorityID   whole         `json:"priority_id"`
	SLAID        whole         `json:"sla_id"`
	ClientID     whole         `json:"client_id"`
	Client       string        `json:"client_name"`
	SiteID       whole         `json:"site_id"`
	Site         string        `json:"site_name"`
	UserID       whole         `json:"user_id"`
	User         string        `json:"user_name"`
	UserEmail    string        `json:"user_email"`
	AgentID      whole         `json:"agent_id"`
	Team         string        `json:"team"`
	TeamID       *whole        `json:"team_id"` // on recent builds only
	Category1    string        `json:"category_1"`
	Category2    string        `json:"category_2"`
	Category3    string        `json:"category_3"`
	Category4    string        `json:"category_4"`
	Impact       whole         `json:"impact"`
	Urgency      whole         `json:"urgency"`
	ParentID     whole         `json:"parent_id"`
	MergedInto   whole         `json:"merged_into_id"`
	Children     []whole       `json:"child_ticket_ids"`
	Reported     moment        `json:"dateoccurred"` // datecreated is empty in lists
	Updated      moment        `json:"lastactiondate"`
	ClosedAt     moment        `json:"dateclosed"`
	RespondBy    moment        `json:"respondbydate"`
	FixBy        moment        `json:"fixbydate"` // targetdate is not the SLA's
	Responded    moment        `json:"responsedate"`
	Closed       truth         `json:"hasbeenclosed"`
	Attachments  whole         `json:"attachment_count"`
	TimeTaken    float64       `json:"timetaken"` // hours
	WorkflowID   whole         `json:"workflow_id"`
	WorkflowStep whole         `json:"workflow_step"`
	CustomFields []customField `json:"customfields"`
	Assets       []struct {
		ID whole `json:"id"`
	} `json:"assets"`
}

// TicketRow is a ticket in a list.
type TicketRow struct {
	ID       int    `json:"id"`
	Summary  string `json:"summary"`
	Status   string `json:"status,omitempty"`
	Priority string `json:"priority,omitempty"`
	Type     string `json:"type,omitempty"`
	Client   string `json:"client,omitempty"`
	User     string `json:"user,omitempty"`
	Agent    string `json:"agent,omitempty"`
	Team     string `json:"team,omitempty"`
	Reported string `json:"reported,omitempty"`
	Updated  string `json:"updated,omitempty"`
	Due      string `json:"due,omitempty"`
	Closed   bool   `json:"closed,omitempty"`
}

// ticketLabels are the tables whose names ticket rows need.
var ticketLabels = []string{"status", "priority", "ticket_type", "agent"}

// detailLabels are those that a whole ticket needs.
var detailLabels = append([]string{"sla"}, ticketLabels...)

// ticketRow shows a ticket in a list. Lists carry ids where they should carry
// names, so these come from the reference tables.
func (c *Client) ticketRow(names labels, t ticket) TicketRow {
	r := TicketRow{ID: int(t.ID), Summary: markup.Preview(t.Summary, 80), Status: names.of("status", t.StatusID),
		Priority: names.in("priority", t.SLAID, t.PriorityID), Type: names.of("ticket_type", t.TypeID), Client: t.Client, User: t.User,
		Agent: names.of("agent", t.AgentID), Team: t.Team, Reported: c.stamp(t.Reported), Closed: bool(t.Closed)}
	if t.Updated.After(t.Reported.Time) {
		r.Updated = c.stamp(t.Updated)
	}
	if !t.Closed {
		r.Due = c.stamp(t.FixBy)
	}
	return r
}

// ticket reads a ticket without its details.
func (c *Client) ticket(ctx context.Context, id int) (*ticket, error) {
	var t ticket
	return &t, c.readTicket(ctx, id, nil, &t)
}

// readTicket reads a ticket into what out points to.
func (c *Client) readTicket(ctx context.Context, id int, query url.Values, out any) error {
	if id < 1 {
		return mcptools.Errorf(mcptools.CodeInvalidArguments, "ticket_id: must be the number of a ticket")
	}
	path, err := rest.Path("/Tickets/{}", strconv.Itoa(id))
	if err != nil {
		return err
	}
	err = c.record(ctx, path, id, query, out)
	if errors.Is(err, mcptools.CodeNotFound) {
		return mcptools.Errorf(mcptools.CodeNotFound, "there is no ticket %d, or it is hidden from this account", id).
			WithHint("find it with halo_tickets_search")
	}
	return err
}
