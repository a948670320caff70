package halopsa

import (
	"context"
	"slices"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

// UpdateActionInput changes an action. What is left out stays.
type UpdateActionInput struct {
	TicketID int    `json:"ticket_id" minimum:"1"`
	ActionID int    `json:"action_id" minimum:"1"`
	Note     string `json:"note,omitempty" jsonschema:"replaces the old text"`
	Format   string `json:"format,omitempty" enum:"markdown,html,text" default:"markdown"`
	Private  *bool  `json:"private,omitempty"`
	Time     string `json:"time,omitempty" jsonschema:"such as 45m"`
}

// UpdateActionOutput says what an action was and is.
type UpdateActionOutput struct {
	TicketID int      `json:"ticket_id"`
	ActionID int      `json:"action_id"`
	Changed  []string `json:"changed"`
	Ignored  []string `json:"ignored,omitempty" jsonschema:"arguments without effect"`
	Private  bool     `json:"private"`
	Time     string   `json:"time,omitempty"`
	Warning  string   `json:"warning,omitempty"`
}

// UpdateAction changes the text, the visibility or the time of an action, and
// compares what Halo has afterwards with what was asked. POST /Actions
func (c *Client) UpdateAction(ctx context.Context, in UpdateActionInput) (*UpdateActionOutput, error) {
	object := fields{"id": in.ActionID, "ticket_id": in.TicketID}
	var changes []string
	if in.Note != "" {
		html, err := noteHTML(in.Note, in.Format)
		if err != nil {
			return nil, err
		}
		object["note_html"], changes = html, append(changes, "note")
	}
	if in.Private != nil {
		object["hiddenfromuser"], changes = *in.Private, append(changes, "private")
	}
	if in.Time != "" {
		taken, err := timeTaken("time", in.Time)
		if err != nil {
			return nil, err
		}
		object["timetaken"], changes = taken, append(changes, "time")
	}
	if len(changes) == 0 {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "nothing to change: pass note, private or time")
	}
	if _, err := c.action(ctx, in.TicketID, in.ActionID, false); err != nil {
		return nil, err // posting an id that is not there could make a new action
	}
	reply, err := c.saveAction(ctx, object)
	if err != nil {
		return nil, err
	}
	spent, _ := reply.hours("timetaken")
	out := &UpdateActionOutput{TicketID: in.TicketID, ActionID: in.ActionID, Changed: []string{}, Private: reply.truth("hiddenfromuser"),
		Time: spell(spent), Warning: reply.warning()}
	ignored, lacks := reply.ignored(object)
	if lacks {
		out.Warning = joinNonEmpty(". ", out.Warning, "HaloPSA did not show all of what it saved: look with halo_actions_get")
	}
	for _, name := range changes {
		if slices.Contains(ignored, name) {
			out.Ignored = append(out.Ignored, name)
		} else {
			out.Changed = append(out.Changed, name)
		}
	}
	return out, nil
}
