package halopsa

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// GetTicketInput names a ticket and what to show with it.
type GetTicketInput struct {
	TicketID int      `json:"ticket_id" minimum:"1"`
	Include  []string `json:"include,omitempty" enum:"actions,attachments,children,appointments,audit"`
	Detail   string   `json:"detail,omitempty" enum:"compact,full" default:"compact" jsonschema:"full shows the whole description"`
}

// Ticket is one ticket.
type Ticket struct {
	TicketRow
	SLA          string            `json:"sla,omitempty"`
	ClientID     int               `json:"client_id,omitempty"`
	Site         string            `json:"site,omitempty"`
	SiteID       int               `json:"site_id,omitempty"`
	UserID       int               `json:"user_id,omitempty"`
	UserEmail    string            `json:"user_email,omitempty"`
	Categories   []string          `json:"categories,omitempty"`
	Impact       int               `json:"impact,omitempty"`
	Urgency      int               `json:"urgency,omitempty"`
	RespondBy    string            `json:"respond_by,omitempty"`
	ClosedAt     string            `json:"closed_at,omitempty"`
	ParentID     int               `json:"parent_id,omitempty"`
	MergedInto   int               `json:"merged_into,omitempty"`
	TimeTaken    string            `json:"time_taken,omitempty"`
	Files        int               `json:"attachment_count,omitempty"`
	CustomFields map[string]string `json:"custom_fields,omitempty"`
	Details      string            `json:"details,omitempty"`
	Cut          bool              `json:"details_cut,omitempty" jsonschema:"ask for detail full"`
	Actions      []TimelineItem    `json:"actions,omitempty"`
	Attachments  []TicketPart      `json:"attachments,omitempty"`
	Children     []TicketPart      `json:"children,omitempty"`
	Appointments []TicketPart      `json:"appointments,omitempty"`
	Audit        []AuditEntry      `json:"audit,omitempty"`
	Problems     []string          `json:"problems,omitempty"`
}

// TicketPart is an attachment, a child ticket or an appointment of a ticket.
type TicketPart struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
	Note string `json:"note,omitempty"`
}

// AuditEntry is one change that was made to a ticket.
type AuditEntry struct {
	At    string `json:"at,omitempty"`
	Who   string `json:"who,omitempty"`
	Field string `json:"field,omitempty"`
	From  string `json:"from,omitempty"`
	To    string `json:"to,omitempty"`
}

// The length of a description in a result, in characters, and how many parts
// of a kind are shown.
const (
	compactDetails = 1500
	fullDetails    = 12_000
	maxParts       = 20
)

// GetTicket returns one ticket. What include asks for and cannot be read is
// reported, and does not hide the ticket.
// https://halopsa.com/apidoc/resources/tickets
func (c *Client) GetTicket(ctx context.Context, in GetTicketInput) (*Ticket, error) {
	var t ticket
	if err := c.readTicket(ctx, in.TicketID, params("includedetails", "true"), &t); err != nil {
		return nil, err
	}
	out, err := c.show(ctx, t, cmp.Or(in.Detail, "compact") == "full")
	if err != nil {
		return nil, err
	}
	for _, part := range slices.Compact(slices.Sorted(slices.Values(in.Include))) {
		if err := c.include(ctx, part, out); err != nil {
			if errors.Is(err, mcptools.CodeCancelled) {
				return nil, err
			}
			out.Problems = append(out.Problems, part+": "+reason(err))
		}
	}
	return out, nil
}

// show projects a ticket.
func (c *Client) show(ctx context.Context, t ticket, full bool) (*Ticket, error) {
	names, err := c.labels(ctx, detailLabels...)
	if err != nil {
		return nil, err
	}
	out := c.details(names, t)
	out.Summary = markup.Preview(t.Summary, 250)
	out.CustomFields = shownFields(t.CustomFields)
	text := prose(t.DetailsHTML, t.Details)
	limit := compactDetails
	if full {
		limit = fullDetails
	}
	part, next := markup.Window(text, 0, limit)
	out.Details, out.Cut = part, next != 0
	return out, nil
}

// details projects what lists of tickets have as well.
func (c *Client) details(names labels, t ticket) *Ticket {
	out := &Ticket{TicketRow: c.ticketRow(names, t), SLA: names.of("sla", t.SLAID), ClientID: int(t.ClientID), Site: t.Site, SiteID: int(t.SiteID),
		UserID: int(t.UserID), UserEmail: t.UserEmail, Impact: int(t.Impact), Urgency: int(t.Urgency), RespondBy: c.stamp(t.RespondBy),
		ClosedAt: c.stamp(t.ClosedAt), ParentID: int(t.ParentID), MergedInto: int(t.MergedInto), TimeTaken: spell(t.TimeTaken), Files: int(t.Attachments)}
	for _, category := range []string{t.Category1, t.Category2, t.Category3, t.Category4} {
		if category != "" {
			out.Categories = append(out.Categories, category)
		}
	}
	return out
}

// prose is the readable form of a text that comes as HTML, as plain text, or as
// both.
func prose(html, plain string) string {
	if html == "" {
		return plain
	}
	text, err := markup.FromHTML(html)
	if err != nil || text == "" {
		return plain
	}
	return text
}

// include adds one part to a ticket.
func (c *Client) include(ctx context.Context, part string, out *Ticket) error {
	ticketID := strconv.Itoa(out.ID)
	switch part {
	case "actions":
		items, _, err := c.timeline(ctx, out.ID, TimelineInput{Limit: 8, ExcludeSystem: true})
		out.Actions = items
		return err
	case "attachments":
		rows, err := all[struct {
			ID   whole  `json:"id"`
			Name string `json:"filename"`
			At   moment `json:"datecreated"`
		}](ctx, c, "/Attachment", "attachments", params("ticket_id", ticketID))
		for _, r := range rows[:min(len(rows), maxParts)] {
			out.Attachments = append(out.Attachments, TicketPart{int(r.ID), r.Name, c.stamp(r.At)})
		}
		return err
	case "children":
		names, err := c.labels(ctx, "status")
		if err != nil {
			return err
		}
		rows, _, err := fetchPage[ticket](ctx, c, collection{path: "/Tickets", key: "tickets", query: params("parent_id", ticketID)}, 1, maxParts)
		for _, r := range rows {
			out.Children = append(out.Children, TicketPart{int(r.ID), markup.Preview(r.Summary, 80), names.of("status", r.StatusID)})
		}
		return err
	case "audit":
		entries, err := c.audit(ctx, out.ID)
		out.Audit = entries
		return err
	case "appointments":
		rows, _, err := fetchPage[struct {
			ID      whole  `json:"id"`
			Subject string `json:"subject"`
			Start   moment `json:"start_date"`
		}](ctx, c, collection{path: "/Appointment", key: "appointments", query: params("ticket_id", ticketID)}, 1, maxParts)
		for _, r := range rows {
			out.Appointments = append(out.Appointments, TicketPart{int(r.ID), markup.Preview(r.Subject, 80), c.stamp(r.Start)})
		}
		return err
	}
	return mcptools.Errorf(mcptools.CodeInvalidArguments, "include: there is no part %q", part)
}

// audit reads the latest changes of a ticket, the newest first.
func (c *Client) audit(ctx context.Context, ticketID int) ([]AuditEntry, error) {
	var r struct {
		Log []struct {
			At      moment `json:"date"`
			AgentID whole  `json:"agent_id"`
			User    string `json:"username"`
			Field   string `json:"value"`
			From    string `json:"from"`
			To      string `json:"to"`
		} `json:"audit_log"`
	}
	if err := c.readTicket(ctx, ticketID, params("include_auditing", "true"), &r); err != nil {
		return nil, err
	}
	if r.Log == nil {
		return nil, mcptools.Errorf(mcptools.CodeNotSupported, "HaloPSA sent none")
	}
	names, err := c.labels(ctx, "agent")
	if err != nil {
		return nil, err
	}
	var entries []AuditEntry
	for _, e := range r.Log {
		entries = append(entries, AuditEntry{At: c.stamp(e.At), Who: cmp.Or(e.User, names.of("agent", e.AgentID)), Field: e.Field,
			From: markup.Preview(e.From, 100), To: markup.Preview(e.To, 100)})
	}
	slices.SortStableFunc(entries, func(a, b AuditEntry) int { return cmp.Compare(b.At, a.At) })
	return entries[:min(len(entries), maxParts)], nil
}
