package halopsa

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// outcome is what Halo calls the kind of an action: every action has one, and a
// ticket allows some of them, depending on its type and workflow step. Their
// ids are each tenant's own.
type outcome struct {
	ID      whole  `json:"id"`
	Name    string `json:"outcome"`
	Button  string `json:"buttonname"`
	Hidden  truth  `json:"hidden"`
	System  whole  `json:"systemid"`
	Private truth  `json:"hidefromuser"`
	Mails   truth  `json:"sendemail"`
	Status  whole  `json:"newstatus"`
}

// isCalled reports whether the outcome or its button has the word in its name.
func (o outcome) isCalled(word string) bool {
	return strings.Contains(strings.ToLower(o.Name+" "+o.Button), word)
}

// workflow is as much of a workflow as tells what a step allows.
type workflow struct {
	Name  string `json:"name"`
	Steps []struct {
		ID      whole  `json:"step_id"`
		Name    string `json:"name"`
		Actions []struct {
			Outcome whole `json:"action_id"`
		} `json:"actions"`
	} `json:"steps"`
	Always []struct {
		ID whole `json:"id"`
	} `json:"always_allow_actions"`
}

// offers returns the outcomes that a step leads on with, and its name. A step
// that is not there offers what any step does.
func (w workflow) offers(step whole) (ids []whole, name string) {
	for _, always := range w.Always {
		ids = append(ids, always.ID)
	}
	known := false
	for _, s := range w.Steps {
		known = known || s.ID == step
	}
	for _, s := range w.Steps {
		if known && s.ID != step {
			continue
		}
		if known {
			name = s.Name
		}
		for _, action := range s.Actions {
			ids = append(ids, action.Outcome)
		}
	}
	return ids, name
}

// choice is what a ticket allows at the moment.
type choice struct {
	outcomes       []outcome
	workflow, step string
}

// allowed returns the outcomes that a ticket allows: those that Halo lists for
// its type and step to this agent, as far as the workflow offers them there.
func (c *Client) allowed(ctx context.Context, t *ticket) (choice, error) {
	id := t.WorkflowID
	if id == 0 {
		kind, err := c.ticketType(ctx, int(t.TypeID))
		if err != nil {
			return choice{}, err
		}
		id = kind.WorkflowID
	}
	listed, err := c.outcomesOf(ctx, t.TypeID, id, t.WorkflowStep)
	if err != nil || id == 0 {
		return choice{outcomes: listed}, err
	}
	flow, err := c.workflow(ctx, int(id))
	if err != nil {
		if errors.Is(err, mcptools.CodePermissionDenied) || errors.Is(err, mcptools.CodeUnauthenticated) || errors.Is(err, mcptools.CodeNotFound) {
			return choice{outcomes: listed}, nil // Halo's own list has to do
		}
		return choice{}, err
	}
	offered, step := flow.offers(t.WorkflowStep)
	listed = slices.DeleteFunc(listed, func(o outcome) bool { return !slices.Contains(offered, o.ID) })
	return choice{listed, flow.Name, step}, nil
}

func (c *Client) outcomesOf(ctx context.Context, ticketType, workflow, step whole) ([]outcome, error) {
	key := fmt.Sprintf("%s\x00%d %d %d", c.holder(ctx), ticketType, workflow, step)
	listed, err := c.outcomes.Get(ctx, key, func(ctx context.Context) ([]outcome, error) {
		query := params("tickettype_id", number(int(ticketType)), "excludesystemactions", "true",
			"workflow_id", number(int(workflow)), "workflow_step", number(int(step)))
		rows, err := all[outcome](ctx, c, "/Outcome", "outcomes", query)
		if err == nil && len(rows) == 0 && workflow != 0 { // a build that lists by type only
			query.Del("workflow_id")
			query.Del("workflow_step")
			rows, err = all[outcome](ctx, c, "/Outcome", "outcomes", query)
		}
		return rows, err
	})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(listed), func(o outcome) bool { return bool(o.Hidden) || o.System != 0 }), nil
}

func (c *Client) workflow(ctx context.Context, id int) (workflow, error) {
	return c.workflows.Get(ctx, c.holder(ctx)+"\x00"+strconv.Itoa(id), func(ctx context.Context) (workflow, error) {
		var w workflow
		path, err := rest.Path("/Workflow/{}", strconv.Itoa(id))
		if err != nil {
			return w, err
		}
		return w, c.record(ctx, path, id, params("includedetails", "true"), &w)
	})
}

// purpose is what an action is for, where its outcome is not named.
type purpose uint8

const (
	forNote purpose = iota
	forVisibleNote
	forTime
	forMail
)

// outcome returns the outcome that an action takes: the one that is named, by
// id, name or button, or a fitting one of those that the ticket allows. It is
// never a number that other tenants happen to use.
func (c *Client) outcome(ctx context.Context, t *ticket, named string, use purpose) (outcome, error) {
	allowed, err := c.allowed(ctx, t)
	if err != nil {
		return outcome{}, err
	}
	if named == "" && use != forMail && use != forVisibleNote {
		named = c.options.NoteOutcome
	}
	return allowed.first(named, map[purpose]string{forNote: "a note", forVisibleNote: "a note for the user", forTime: "a time entry", forMail: "an e-mail"}[use], ranks(use)...)
}

// ranks are the outcomes that suit a purpose, the most fitting first.
func ranks(use purpose) []func(outcome) bool {
	return map[purpose][]func(outcome) bool{
		forNote: {
			func(o outcome) bool { return o.quiet() && bool(o.Private) && o.isCalled("note") },
			func(o outcome) bool { return o.quiet() && o.isCalled("note") },
			func(o outcome) bool { return o.quiet() && bool(o.Private) },
			outcome.quiet,
		},
		forVisibleNote: { // one that hides notes could hide this one
			func(o outcome) bool { return o.quiet() && !bool(o.Private) && o.isCalled("note") },
			func(o outcome) bool { return o.quiet() && o.isCalled("note") },
			func(o outcome) bool { return o.quiet() && !bool(o.Private) },
			outcome.quiet,
		},
		forTime: {
			func(o outcome) bool { return o.quiet() && o.isCalled("time") },
			func(o outcome) bool { return o.quiet() && o.isCalled("note") },
			outcome.quiet,
		},
		forMail: {
			func(o outcome) bool { return bool(o.Mails) && o.isCalled("email") && o.isCalled("user") },
			func(o outcome) bool { return bool(o.Mails) && o.isCalled("email") },
			func(o outcome) bool { return bool(o.Mails) && !o.ends() },
		},
	}[use]
}

// first returns the outcome that is named, or the first that the best rank has.
func (a choice) first(named, what string, ranks ...func(outcome) bool) (outcome, error) {
	if named != "" {
		return a.pick(named)
	}
	for _, fits := range ranks {
		if i := slices.IndexFunc(a.outcomes, fits); i >= 0 {
			return a.outcomes[i], nil
		}
	}
	return outcome{}, a.none(what)
}

// quiet outcomes neither send mail nor change the status.
func (o outcome) quiet() bool { return !bool(o.Mails) && o.Status == 0 && !o.isCalled("approv") }

// ends tells outcomes that look as if they ended the work.
func (o outcome) ends() bool {
	return o.isCalled("clos") || o.isCalled("resol") || o.isCalled("cancel")
}

// pick chooses an outcome by id, name or button.
func (a choice) pick(text string) (outcome, error) {
	entries := make([]Entry, 0, len(a.outcomes))
	for _, o := range a.outcomes {
		entries = append(entries, Entry{ID: int(o.ID), Name: o.Name, Detail: different(o.Button, o.Name), also: []string{o.Button}})
	}
	one, err := pick("outcome", text, entries)
	if err != nil {
		if e, ok := errors.AsType[*mcptools.Error](err); ok && e.Code == mcptools.CodeNotFound {
			e.Message = fmt.Sprintf("the ticket allows no outcome %q at the moment", text)
			e.Hint = strings.TrimSpace(e.Hint + "\n" + seeActions)
		}
		return outcome{}, err
	}
	return a.outcomes[slices.IndexFunc(a.outcomes, func(o outcome) bool { return int(o.ID) == one.ID })], nil
}

// seeActions is what to do when an action is not possible.
const seeActions = "call halo_tickets_available_actions and name one of its outcomes"

// none says that a ticket allows nothing of a kind.
func (a choice) none(what string) error {
	message := "the ticket allows no outcome for " + what + " at the moment"
	if a.step != "" {
		message += fmt.Sprintf(", in the step %q of its workflow", a.step)
	}
	var names []string
	for _, o := range a.outcomes[:min(len(a.outcomes), 8)] {
		names = append(names, cmp.Or(o.Button, o.Name))
	}
	hint := seeActions
	if len(names) > 0 {
		hint = "it allows " + strings.Join(names, ", ") + "; " + hint
	}
	return mcptools.Errorf(mcptools.CodeConflict, "%s", message).WithHint("%s", hint)
}

// closing returns the statuses of a ticket type that close a ticket. Halo has
// no flag that tells; but it can leave them out.
func (c *Client) closing(ctx context.Context, ticketType whole) ([]Entry, error) {
	every, err := c.entries(ctx, "status", within{ticketType: int(ticketType)})
	if err != nil {
		return nil, err
	}
	open, err := c.entries(ctx, "status", within{ticketType: int(ticketType), open: true})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(every, func(e Entry) bool {
		return slices.ContainsFunc(open, func(o Entry) bool { return o.ID == e.ID })
	}), nil
}
