package halopsa

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/msptoolbelt/toolbelt/internal/markup"
)

// TimelineInput selects the history of a ticket.
type TimelineInput struct {
	TicketID         int  `json:"ticket_id" minimum:"1"`
	Limit            int  `json:"limit,omitempty" default:"20" minimum:"1" maximum:"100" jsonschema:"latest entries"`
	ExcludeSystem    bool `json:"exclude_system,omitempty"`
	ConversationOnly bool `json:"conversation_only,omitempty" jsonschema:"what the user wrote and saw"`
}

// TimelineOutput is a ticket's history, the oldest first.
type TimelineOutput struct {
	TicketRow
	Details string         `json:"details,omitempty"`
	Items   []TimelineItem `json:"items"`
	Omitted bool           `json:"earlier_omitted,omitempty"`
}

// TimelineItem is one action.
type TimelineItem struct {
	ID      int    `json:"id"`
	At      string `json:"at,omitempty"`
	Who     string `json:"who,omitempty"`
	Action  string `json:"action,omitempty"`
	Private bool   `json:"private,omitempty"`
	Time    string `json:"time,omitempty"`
	Status  string `json:"new_status,omitempty"`
	Text    string `json:"text,omitempty"`
}

// actionRow is an action as Halo lists it.
type actionRow struct {
	ID        whole   `json:"id"`
	At        moment  `json:"datetime"`
	Who       string  `json:"who"`
	Outcome   string  `json:"outcome"`
	Private   truth   `json:"hiddenfromuser"`
	TimeTaken float64 `json:"timetaken"`
	OldStatus whole   `json:"old_status"`
	NewStatus whole   `json:"new_status"`
	Note      string  `json:"note"`
	NoteHTML  string  `json:"note_html"`
}

// The lengths of one entry's text and of a whole history, in characters.
const (
	timelineEntry = 1200
	timelineTotal = 14_000
)

// TicketTimeline returns a ticket and its latest actions, to read or to
// summarize. Mails are shown without the history they quote.
func (c *Client) TicketTimeline(ctx context.Context, in TimelineInput) (*TimelineOutput, error) {
	t, err := c.ticket(ctx, in.TicketID)
	if err != nil {
		return nil, err
	}
	names, err := c.labels(ctx, ticketLabels...)
	if err != nil {
		return nil, err
	}
	out := &TimelineOutput{TicketRow: c.ticketRow(names, *t), Items: []TimelineItem{}}
	items, omitted, err := c.timeline(ctx, in.TicketID, in)
	if err != nil {
		return nil, err
	}
	out.Items, out.Omitted = append(out.Items, items...), omitted
	out.Details, _ = markup.Window(prose(t.DetailsHTML, t.Details), 0, compactDetails)
	if len(items) > 0 && items[0].Text == out.Details {
		out.Details = "" // the first action usually repeats it
	}
	return out, nil
}

// timeline reads the latest actions of a ticket, the oldest first, and tells
// whether there are earlier ones. Actions have no pages, only a count.
func (c *Client) timeline(ctx context.Context, ticketID int, in TimelineInput) ([]TimelineItem, bool, error) {
	limit := min(cmp.Or(in.Limit, 20), 100)
	query := params("ticket_id", strconv.Itoa(ticketID), "count", strconv.Itoa(limit+1), "includehtmlnote", "true",
		"excludesys", flag(in.ExcludeSystem), "conversationonly", flag(in.ConversationOnly))
	rows, err := all[actionRow](ctx, c, "/Actions", "actions", query)
	if err != nil {
		return nil, false, err
	}
	names, err := c.labels(ctx, "status")
	if err != nil {
		return nil, false, err
	}
	slices.SortStableFunc(rows, func(a, b actionRow) int { return cmp.Or(b.At.Compare(a.At.Time), cmp.Compare(b.ID, a.ID)) })
	var items []TimelineItem
	size := 0
	for _, r := range rows {
		item := c.timelineItem(names, r)
		if size += len(item.Text) + 150; len(items) == limit || len(items) > 0 && size > timelineTotal {
			break
		}
		items = append(items, item)
	}
	slices.Reverse(items)
	return items, len(items) < len(rows), nil
}

func (c *Client) timelineItem(names labels, r actionRow) TimelineItem {
	text, _ := markup.CutQuoted(prose(r.NoteHTML, r.Note))
	text, next := markup.Window(text, 0, timelineEntry)
	if next != 0 {
		text += "…"
	}
	item := TimelineItem{ID: int(r.ID), At: c.stamp(r.At), Who: r.Who, Action: r.Outcome, Private: bool(r.Private), Time: spell(r.TimeTaken), Text: text}
	if r.NewStatus != r.OldStatus {
		item.Status = names.of("status", r.NewStatus)
	}
	return item
}
