package halopsa

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/argument"
	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/internal/paging"
	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/internal/when"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// action is an action as Halo sends it. Its id is numbered within the ticket.
type action struct {
	actionRow

	TicketID    whole   `json:"ticket_id"`
	AgentID     whole   `json:"who_agentid"`
	WhoType     whole   `json:"who_type"`
	SystemID    whole   `json:"action_systemid"`
	Important   truth   `json:"important"`
	Attachments whole   `json:"attachment_count"`
	Travel      float64 `json:"traveltime"`
	Billable    *truth  `json:"actisbillable"`
	ChargeRate  whole   `json:"chargerate"`
	Started     moment  `json:"actionarrivaldate"`
	Direction   string  `json:"emaildirection"`
	EmailFrom   string  `json:"emailfrom"`
	EmailTo     string  `json:"emailto"`
	EmailCC     string  `json:"emailcc"`
	Subject     string  `json:"emailsubject"`
	EmailHTML   string  `json:"emailbody_html"`
}

// by tells who did it: an agent, an end user, or Halo itself.
func (a action) by() string {
	switch {
	case a.AgentID > unassigned || a.WhoType == 1:
		return "agent"
	case a.WhoType == 2:
		return "user"
	case a.SystemID != 0:
		return "system"
	}
	return ""
}

// mail tells whether the action came or went by mail.
func (a action) mail() string {
	switch a.Direction {
	case "I":
		return "received"
	case "O":
		return "sent"
	}
	return ""
}

// ActionRow is an action in a list.
type ActionRow struct {
	TimelineItem

	By          string `json:"by,omitempty" jsonschema:"agent, user or system"`
	Mail        string `json:"mail,omitempty" jsonschema:"sent or received"`
	Important   bool   `json:"important,omitempty"`
	Attachments int    `json:"attachments,omitempty"`
}

func (c *Client) actionItem(names labels, a action) ActionRow {
	return ActionRow{TimelineItem: c.timelineItem(names, a.actionRow), By: a.by(), Mail: a.mail(), Important: bool(a.Important), Attachments: int(a.Attachments)}
}

// ListActionsInput narrows the actions of a ticket down.
type ListActionsInput struct {
	TicketID         int    `json:"ticket_id" minimum:"1"`
	ExcludeSystem    bool   `json:"exclude_system,omitempty"`
	ExcludePrivate   bool   `json:"exclude_private,omitempty"`
	ConversationOnly bool   `json:"conversation_only,omitempty"`
	AgentOnly        bool   `json:"agent_only,omitempty"`
	ImportantOnly    bool   `json:"important_only,omitempty"`
	TimeOnly         bool   `json:"time_only,omitempty"`
	From             string `json:"from,omitempty" jsonschema:"date or time, such as -7d"`
	To               string `json:"to,omitempty"`
	Body             string `json:"body,omitempty" enum:"text,html,none" default:"text"`
	Limit            int    `json:"limit,omitempty" minimum:"1" maximum:"100" default:"20"`
	Cursor           string `json:"cursor,omitempty"`
}

// ListActions lists the actions of a ticket, newest first. Mails are shown
// without the history they quote. GET /Actions, which has no pages, only a
// count.
func (c *Client) ListActions(ctx context.Context, in ListActionsInput) (*mcptools.Page[ActionRow], error) {
	query := params("ticket_id", number(in.TicketID), "includehtmlnote", "true", "excludesys", flag(in.ExcludeSystem),
		"excludeprivate", flag(in.ExcludePrivate), "conversationonly", flag(in.ConversationOnly), "agentonly", flag(in.AgentOnly),
		"importantonly", flag(in.ImportantOnly), "timeentriesonly", flag(in.TimeOnly))
	if query.Get("ticket_id") == "" {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "ticket_id: must be the number of a ticket")
	}
	from, to, err := when.Range(argument.Text{Name: "from", Value: in.From}, argument.Text{Name: "to", Value: in.To}, c.zone, time.Now(), time.Time{}, time.Time{})
	if err != nil {
		return nil, err
	}
	if !from.IsZero() {
		query.Set("startdate", halo(from))
	}
	if !to.IsZero() {
		query.Set("enddate", halo(to))
	}
	names, err := c.labels(ctx, "status")
	if err != nil {
		return nil, err
	}
	keep := func(a action) bool { return !in.ExcludePrivate || !bool(a.Private) }
	cut := false
	fetch := func(ctx context.Context, _ string, want int) ([]ActionRow, string, *int, error) {
		var rows []action
		var err error
		rows, cut, err = c.newest(ctx, query, want+1, keep) // one more tells whether there are more
		if errors.Is(err, mcptools.CodeNotFound) {
			err = mcptools.Errorf(mcptools.CodeNotFound, "there is no ticket %d, or it is hidden from this account", in.TicketID)
		}
		shown := make([]ActionRow, 0, len(rows))
		for _, a := range rows {
			item := c.actionItem(names, a)
			switch in.Body {
			case "none":
				item.Text = ""
			case "html":
				item.Text, _ = markup.Window(cmp.Or(a.NoteHTML, a.Note), 0, timelineEntry)
			}
			shown = append(shown, item)
		}
		return shown, "", nil, err
	}
	scope, err := c.scope(ctx, "actions_list", in)
	if err != nil {
		return nil, err
	}
	page, err := paging.Collect(ctx, c.codec, paging.Query{Scope: scope, Cursor: in.Cursor, Limit: cmp.Or(in.Limit, 20)}, fetch)
	if err == nil && cut && page.Cursor == "" {
		page.Problem = fmt.Sprintf("only the newest %d actions were looked through, and private ones left out: set to for older ones", maxActions)
	}
	return page, err
}

// maxActions bounds the actions of a ticket that are looked through.
const maxActions = 1000

// newest returns the newest actions of a ticket that keep holds for, enough of
// them if there are. What must not be quoted to a user is not left to a filter
// that some build may ignore; where it does, more actions are asked for in the
// place of those that are dropped. cut tells that older ones were not looked at.
func (c *Client) newest(ctx context.Context, query url.Values, enough int, keep func(action) bool) (kept []action, cut bool, err error) {
	for count := enough; ; count = min(4*count, max(maxActions, enough)) {
		query.Set("count", strconv.Itoa(count))
		rows, err := all[action](ctx, c, "/Actions", "actions", query)
		if err != nil {
			return nil, false, err
		}
		full := len(rows) == count // more are all: this build does not count
		kept = slices.DeleteFunc(rows, func(a action) bool { return !keep(a) })
		if cut = full && len(kept) < enough; !cut || count >= maxActions {
			slices.SortStableFunc(kept, func(a, b action) int { return cmp.Or(b.At.Compare(a.At.Time), cmp.Compare(b.ID, a.ID)) })
			return kept, cut, nil
		}
	}
}

// GetActionInput names an action. Action ids are numbered within a ticket.
type GetActionInput struct {
	TicketID     int  `json:"ticket_id" minimum:"1"`
	ActionID     int  `json:"action_id" minimum:"1"`
	IncludeEmail bool `json:"include_email,omitempty" jsonschema:"addresses and mail body"`
	Offset       int  `json:"offset,omitempty" minimum:"0" jsonschema:"next_offset of a long text"`
}

// Action is one action in full.
type Action struct {
	ActionRow

	Started    string `json:"started,omitempty"`
	Travel     string `json:"travel,omitempty"`
	Billable   *bool  `json:"billable,omitempty"`
	NextOffset int    `json:"next_offset,omitempty"`
	Email      *Email `json:"email,omitempty"`
}

// Email is the mail of an action.
type Email struct {
	From    string `json:"from,omitempty"`
	To      string `json:"to,omitempty"`
	CC      string `json:"cc,omitempty"`
	Subject string `json:"subject,omitempty"`
	Body    string `json:"body,omitempty"`
}

// maxBody bounds the text of one action, in characters.
const maxBody = 8000

// GetAction reads one action with its whole text. GET /Actions/{id}
func (c *Client) GetAction(ctx context.Context, in GetActionInput) (*Action, error) {
	a, err := c.action(ctx, in.TicketID, in.ActionID, in.IncludeEmail)
	if err != nil {
		return nil, err
	}
	names, err := c.labels(ctx, "status")
	if err != nil {
		return nil, err
	}
	out := &Action{ActionRow: c.actionItem(names, *a), Started: c.stamp(a.Started), Travel: spell(a.Travel)}
	if a.TimeTaken > 0 && a.Billable != nil {
		billable := bool(*a.Billable)
		out.Billable = &billable
	}
	out.Text, out.NextOffset = markup.Window(prose(a.NoteHTML, a.Note), in.Offset, maxBody)
	if in.IncludeEmail && (a.EmailFrom != "" || a.EmailTo != "" || a.EmailHTML != "") {
		body := prose(a.EmailHTML, "")
		if body == prose(a.NoteHTML, a.Note) {
			body = "" // Halo keeps it twice
		}
		out.Email = &Email{From: a.EmailFrom, To: a.EmailTo, CC: a.EmailCC, Subject: a.Subject}
		out.Email.Body, _ = markup.Window(body, 0, maxBody)
	}
	return out, nil
}

// action reads one action.
func (c *Client) action(ctx context.Context, ticketID, actionID int, email bool) (*action, error) {
	if ticketID < 1 || actionID < 1 {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "ticket_id and action_id: both are needed, action ids are numbered within a ticket")
	}
	path, err := rest.Path("/Actions/{}", strconv.Itoa(actionID))
	if err != nil {
		return nil, err
	}
	var a action
	err = c.record(ctx, path, actionID, params("ticket_id", number(ticketID), "includedetails", "true", "includeemail", flag(email)), &a)
	if errors.Is(err, mcptools.CodeNotFound) {
		return nil, mcptools.Errorf(mcptools.CodeNotFound, "the ticket %d has no action %d", ticketID, actionID).WithHint("list them with halo_actions_list")
	}
	if err == nil && a.TicketID != 0 && int(a.TicketID) != ticketID {
		err = &mcptools.Error{Code: mcptools.CodeUpstream, Message: "HaloPSA answered with an action of another ticket"}
	}
	return &a, err
}
