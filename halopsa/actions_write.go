package halopsa

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"

	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// ActionResult is an action as Halo says that it saved it.
type ActionResult struct {
	TicketID int      `json:"ticket_id"`
	ActionID int      `json:"action_id"`
	Action   string   `json:"action,omitempty"`
	Private  bool     `json:"private"`
	Status   string   `json:"new_status,omitempty"`
	Ignored  []string `json:"ignored,omitempty" jsonschema:"arguments without effect"`
	Warning  string   `json:"warning,omitempty"`
	Problem  string   `json:"problem,omitempty"`
}

// checkedElsewhere are what act does not report as ignored: the visibility has a
// check of its own, and mail is told by its receivers, for Halo puts its
// template around the text.
var checkedElsewhere = []string{"private", "outcome", "emailto", "emailcc", "emailbody_html"}

// act saves a new action of a ticket and compares what Halo has with what was
// sent. Whether the end user may see it and whether it is mailed is always
// said: otherwise the outcome's own settings decide. An action that was to be
// private and is not is hidden at once, and the result says so.
func (c *Client) act(ctx context.Context, t *ticket, o outcome, private bool, more fields) (*ActionResult, saved, error) {
	object := fields{"ticket_id": int(t.ID), "outcome_id": int(o.ID), "hiddenfromuser": private, "sendemail": false}
	maps.Copy(object, more)
	reply, err := c.saveAction(ctx, object)
	if err != nil {
		return nil, nil, err
	}
	result := &ActionResult{TicketID: int(t.ID), ActionID: reply.whole("id"), Action: o.Name, Private: reply.truth("hiddenfromuser"), Warning: reply.warning()}
	if result.ActionID == 0 {
		result.Problem = "HaloPSA did not say which action it saved: look with halo_actions_list"
		if private && !result.Private {
			result.Problem += ", and whether the end user sees it although it was to be private"
		}
		return result, reply, nil
	}
	ignored, _ := reply.ignored(object)
	for _, name := range ignored {
		if !slices.Contains(checkedElsewhere, name) && !slices.Contains(result.Ignored, name) {
			result.Ignored = append(result.Ignored, name)
		}
	}
	if before, after := reply.whole("old_status"), reply.whole("new_status"); before != after && after != 0 {
		result.Status = c.nameOf(ctx, "status", after)
	}
	if object["sendemail"] == false && reply.text("emaildirection") == "O" {
		result.Problem = "HaloPSA mailed it although it was not to be mailed"
	}
	if _, sent := object["timetaken"]; sent {
		if _, told := reply.hours("timetaken"); !told {
			result.Warning = joinNonEmpty(". ", result.Warning, "HaloPSA did not say which time it saved: look with halo_actions_get")
		}
	}
	if private != result.Private {
		c.setVisibility(ctx, result, private, reply)
	}
	return result, reply, nil
}

// saveAction saves an action and completes the reply with what it lacks by
// reading the action back.
func (c *Client) saveAction(ctx context.Context, object fields) (saved, error) {
	reply, err := c.save(ctx, "/Actions", object)
	if err != nil {
		if e, ok := errors.AsType[*mcptools.Error](err); ok && e.Code == mcptools.CodeUncertain {
			e.Hint = "look with halo_actions_list whether it was saved before trying again"
		}
		return nil, err
	}
	id := reply.whole("id")
	if _, lacks := reply.ignored(object); !lacks || id == 0 {
		return reply, nil
	}
	ticketID, _ := object["ticket_id"].(int)
	if whole, err := c.readAction(ctx, ticketID, id); err == nil {
		maps.Copy(whole, reply)
		reply = whole
	} // else it is saved all the same, and what the reply lacks stays unknown
	return reply, nil
}

// readAction reads an action as Halo has it; more are further pairs of the query.
func (c *Client) readAction(ctx context.Context, ticketID, id int, more ...string) (saved, error) {
	query := params(append([]string{"ticket_id", number(ticketID), "includedetails", "true"}, more...)...)
	whole := saved{}
	err := c.record(ctx, "/Actions/"+strconv.Itoa(id), id, query, &whole)
	return whole, err
}

// setVisibility is called for an action that is not as visible as was asked.
func (c *Client) setVisibility(ctx context.Context, result *ActionResult, private bool, reply saved) {
	if !private {
		result.Problem = joinNonEmpty(". ", result.Problem, "HaloPSA saved it as private: the end user does not see it")
		return
	}
	what := "HaloPSA saved it VISIBLE TO THE END USER although it was to be private"
	if _, known := reply["hiddenfromuser"]; !known {
		what = "HaloPSA did not say whether it is private"
	}
	mended, err := c.saveAction(ctx, fields{"id": result.ActionID, "ticket_id": result.TicketID, "hiddenfromuser": true})
	if err == nil && mended.truth("hiddenfromuser") {
		result.Private = true
		result.Problem = joinNonEmpty(". ", result.Problem, what+". It has been hidden since; it may have been seen or notified meanwhile")
		return
	}
	result.Problem = joinNonEmpty(". ", result.Problem, what+", and it could not be hidden. Hide it in HaloPSA now, or tell somebody who can")
}

// whole returns a number of a saved object; 0 if it has none.
func (s saved) whole(field string) int {
	var n whole
	if json.Unmarshal(s[field], &n) != nil {
		return 0
	}
	return int(n)
}

// truth returns a truth value of a saved object; false if it has none.
func (s saved) truth(field string) bool {
	var t truth
	return json.Unmarshal(s[field], &t) == nil && bool(t)
}

// hours returns a number of hours of a saved object, and whether it has one.
func (s saved) hours(field string) (float64, bool) {
	var n *float64
	if json.Unmarshal(s[field], &n) != nil || n == nil {
		return 0, false
	}
	return *n, true
}

// text returns a text of a saved object; "" if it has none.
func (s saved) text(field string) string {
	var text string
	if json.Unmarshal(s[field], &text) != nil {
		return ""
	}
	return text
}

// nameOf returns the name of an entry of a reference table, or its id.
func (c *Client) nameOf(ctx context.Context, kind string, id int) string {
	names, err := c.labels(ctx, kind)
	if err != nil {
		return "#" + strconv.Itoa(id)
	}
	return names.of(kind, whole(id))
}

// noteHTML returns what somebody wrote as HTML.
func noteHTML(text, format string) (string, error) {
	switch format {
	case "html":
		return text, nil
	case "text":
		return markup.EscapeText(text), nil
	}
	html, err := markup.ToHTML(text)
	if err != nil {
		return "", &mcptools.Error{Code: mcptools.CodeInvalidArguments, Message: "the text cannot be read as Markdown, or is longer than 100 KB",
			Hint: "shorten it", Err: err}
	}
	return html, nil
}

// ticketAndOutcome reads a ticket and chooses the outcome of an action on it.
func (c *Client) ticketAndOutcome(ctx context.Context, ticketID int, named string, use purpose) (*ticket, outcome, error) {
	t, err := c.ticket(ctx, ticketID)
	if err != nil {
		return nil, outcome{}, err
	}
	o, err := c.outcome(ctx, t, named, use)
	return t, o, err
}

// AddNoteInput is a note for the agents, or with Private false for the end user
// too.
type AddNoteInput struct {
	TicketID  int    `json:"ticket_id" minimum:"1"`
	Note      string `json:"note"`
	Format    string `json:"format,omitempty" enum:"markdown,html,text" default:"markdown"`
	Private   *bool  `json:"private,omitempty" default:"true" jsonschema:"false: the user sees it"`
	Outcome   string `json:"outcome,omitempty" jsonschema:"name or id; default: a note"`
	Time      string `json:"time,omitempty" jsonschema:"time taken, such as 45m"`
	Important bool   `json:"important,omitempty"`
}

// CallMarks implements [mcptools.CallMarks]: a private note without time
// concerns nobody else. What an outcome does that is named is up to the tenant:
// it may close the ticket.
func (in AddNoteInput) CallMarks() mcptools.Mark {
	return marksOf(in.Private != nil && !*in.Private || in.Outcome != "", in.Time != "")
}

// marksOf are the marks of an action that the end user sees, or that has time.
func marksOf(visible, timed bool) (marks mcptools.Mark) {
	if visible {
		marks |= mcptools.Outbound
	}
	if timed {
		marks |= mcptools.Financial
	}
	return marks
}

// NoteResult is a note as Halo has it, with the time that was logged on it.
type NoteResult struct {
	ActionResult

	Minutes int     `json:"minutes,omitempty"`
	Hours   float64 `json:"hours,omitempty"`
}

// AddNote adds a note to a ticket, which only agents see unless Private is
// false, and checks that Halo saved it as that. It is never mailed. Time is
// logged on the same action. POST /Actions
func (c *Client) AddNote(ctx context.Context, in AddNoteInput) (*NoteResult, error) {
	html, err := noteHTML(in.Note, in.Format)
	if err != nil {
		return nil, err
	}
	if html == "" {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "note: must not be empty")
	}
	more := fields{"note_html": html}
	if in.Time != "" {
		if more["timetaken"], err = timeTaken("time", in.Time); err != nil {
			return nil, err
		}
	}
	if in.Important {
		more["important"] = true
	}
	private, use := in.Private == nil || *in.Private, forNote
	if !private {
		use = forVisibleNote
	}
	t, o, err := c.ticketAndOutcome(ctx, in.TicketID, in.Outcome, use)
	if err != nil {
		return nil, err
	}
	done, reply, err := c.act(ctx, t, o, private, more)
	if err != nil {
		return nil, err
	}
	result := &NoteResult{}
	if taken, ok := more["timetaken"].(float64); ok {
		result.Hours, result.Minutes = done.booked(reply, taken)
	}
	result.ActionResult = *done
	return result, nil
}
