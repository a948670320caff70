package graph

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/argument"
	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/internal/match"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// EditMailRuleInput creates, changes or deletes an inbox rule. In a change, what
// is left out stays.
type EditMailRuleInput struct {
	Mailbox         string   `json:"mailbox,omitempty"`
	Action          string   `json:"action" enum:"create,update,delete"`
	Rule            string   `json:"rule,omitempty" jsonschema:"id or name; to update or delete"`
	Name            string   `json:"name,omitempty" jsonschema:"new name"`
	Enabled         *bool    `json:"enabled,omitempty"`
	From            []string `json:"from,omitempty" jsonschema:"condition: addresses"`
	SubjectContains []string `json:"subject_contains,omitempty"`
	BodyContains    []string `json:"body_contains,omitempty"`
	SentTo          []string `json:"sent_to,omitempty" jsonschema:"condition: addresses"`
	HasAttachments  *bool    `json:"has_attachments,omitempty"`
	MoveTo          string   `json:"move_to,omitempty" jsonschema:"action: folder"`
	ForwardTo       []string `json:"forward_to,omitempty" jsonschema:"action: addresses"`
	RedirectTo      []string `json:"redirect_to,omitempty" jsonschema:"action: addresses"`
	MarkRead        *bool    `json:"mark_read,omitempty"`
	Delete          *bool    `json:"delete,omitempty" jsonschema:"action: delete the mail"`
	Stop            *bool    `json:"stop,omitempty" jsonschema:"action: run no later rules"`
}

// EditedRule is a rule after a change.
type EditedRule struct {
	Done    string   `json:"done" jsonschema:"created, updated or deleted"`
	Rule    RuleRow  `json:"rule"`
	Ignored []string `json:"ignored,omitempty" jsonschema:"what the server did not set"`
}

// EditMailRule creates, changes or deletes an inbox rule.
// https://learn.microsoft.com/graph/api/mailfolder-post-messagerules
func (c *Client) EditMailRule(ctx context.Context, in EditMailRuleInput) (*EditedRule, error) {
	path, err := c.path(ctx, in.Mailbox, "/mailFolders/inbox/messageRules")
	if err != nil {
		return nil, err
	}
	given, err := c.givenRule(ctx, in)
	if err != nil {
		return nil, err
	}
	if in.Action == "create" {
		if in.Name == "" || len(given.Actions) == 0 {
			return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "a rule needs a name and at least one action").
				WithHint("give name and one of move_to, forward_to, redirect_to, mark_read, delete or stop")
		}
		return c.saveRule(ctx, in, http.MethodPost, path, given, messageRule{Name: in.Name, Enabled: true})
	}
	old, err := c.findRule(ctx, in.Mailbox, in.Rule)
	if err != nil {
		return nil, err
	}
	if path, err = c.path(ctx, in.Mailbox, "/mailFolders/inbox/messageRules/{}", old.ID); err != nil {
		return nil, err
	}
	switch in.Action {
	case "delete":
		if !strings.EqualFold(strings.TrimSpace(in.Rule), old.Name) && in.Rule != old.ID {
			return nil, mcptools.Errorf(mcptools.CodeAmbiguous, "rule: do you mean %q?", markup.Preview(old.Name, 80)).WithHint("a rule that is deleted must be named in full")
		}
		if err := c.send(ctx, http.MethodDelete, path, nil, nil); err != nil {
			return nil, err
		}
		return &EditedRule{Done: "deleted", Rule: c.rowOf(ctx, in.Mailbox, old)}, nil
	case "update":
		return c.saveRule(ctx, in, http.MethodPatch, path, given, old)
	}
	return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "action: must be create, update or delete")
}

// findRule finds a rule by id or name.
func (c *Client) findRule(ctx context.Context, mailbox, wanted string) (messageRule, error) {
	rules, err := c.messageRules(ctx, mailbox)
	if err != nil {
		return messageRule{}, err
	}
	candidates := make([]match.Candidate, 0, len(rules))
	for _, r := range rules {
		candidates = append(candidates, match.Candidate{ID: r.ID, Name: r.Name})
	}
	one, err := match.One("rule", wanted, candidates)
	if err != nil {
		return messageRule{}, err
	}
	return rules[slices.IndexFunc(rules, func(r messageRule) bool { return r.ID == one.ID })], nil
}

// givenRule is what the arguments say, in Graph's words.
func (c *Client) givenRule(ctx context.Context, in EditMailRuleInput) (messageRule, error) {
	r := messageRule{Conditions: ruleValues{}, Actions: ruleValues{}}
	var faults []error
	for _, addresses := range []struct {
		values         ruleValues
		name, argument string
		list           []string
	}{
		{r.Conditions, "fromAddresses", "from", in.From}, {r.Conditions, "sentToAddresses", "sent_to", in.SentTo},
		{r.Actions, "forwardTo", "forward_to", in.ForwardTo}, {r.Actions, "redirectTo", "redirect_to", in.RedirectTo},
	} {
		list, err := recipients(addresses.argument, addresses.list)
		if faults = append(faults, err); len(list) > 0 {
			addresses.values[addresses.name] = list
		}
	}
	if err := argument.Faults(faults...); err != nil {
		return r, err
	}
	for name, list := range map[string][]string{"subjectContains": in.SubjectContains, "bodyContains": in.BodyContains} {
		if len(list) > 0 {
			r.Conditions[name] = list
		}
	}
	if in.HasAttachments != nil {
		r.Conditions["hasAttachments"] = *in.HasAttachments
	}
	for name, value := range map[string]*bool{"markAsRead": in.MarkRead, "delete": in.Delete, "stopProcessingRules": in.Stop} {
		if value != nil {
			r.Actions[name] = *value
		}
	}
	if in.MoveTo != "" {
		id, err := c.folderID(alsoNeeds(ctx, "Mail.ReadBasic"), in.Mailbox, in.MoveTo)
		if err != nil {
			return r, err
		}
		r.Actions["moveToFolder"] = id
	}
	return r, nil
}

// folderID returns the id of a folder; rules take no well-known names.
func (c *Client) folderID(ctx context.Context, mailbox, name string) (string, error) {
	f, err := c.folder(ctx, mailbox, name)
	if err != nil {
		return "", err
	}
	if _, ok := wellKnownFolder(f.ID); !ok {
		return f.ID, nil
	}
	path, err := c.path(ctx, mailbox, "/mailFolders/{}", f.ID)
	if err != nil {
		return "", err
	}
	err = c.get(ctx, path, url.Values{"$select": {"id"}}, nil, &f)
	return f.ID, err
}

// saveRule writes a rule: what is given over what was there. Graph replaces
// conditions and actions as a whole, so the rest of them is sent along.
func (c *Client) saveRule(ctx context.Context, in EditMailRuleInput, method, path string, given, old messageRule) (*EditedRule, error) {
	change := map[string]any{}
	if in.Name != "" {
		change["displayName"] = in.Name
	}
	if in.Enabled != nil || method == http.MethodPost {
		change["isEnabled"] = in.Enabled == nil || *in.Enabled
	}
	for name, values := range map[string][2]ruleValues{"conditions": {old.Conditions, given.Conditions}, "actions": {old.Actions, given.Actions}} {
		if len(values[1]) > 0 {
			merged := ruleValues{}
			maps.Copy(merged, values[0])
			maps.Copy(merged, values[1])
			change[name] = merged
		}
	}
	if method == http.MethodPost {
		change["sequence"] = 1
	}
	if len(change) == 0 {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "say what to change of the rule")
	}
	var saved messageRule
	if err := c.send(ctx, method, path, change, &saved); err != nil {
		return nil, err
	}
	done := "updated"
	if method == http.MethodPost {
		done = "created"
	}
	return &EditedRule{Done: done, Rule: c.rowOf(ctx, in.Mailbox, saved), Ignored: ignoredInRule(in, given, saved)}, nil
}

func (c *Client) rowOf(ctx context.Context, mailbox string, r messageRule) RuleRow {
	return r.row(c.ruleFolders(ctx, mailbox, []messageRule{r}), c.ownDomain(ctx, mailbox))
}

// ignoredInRule names what was given but is not part of the saved rule.
func ignoredInRule(in EditMailRuleInput, given, saved messageRule) []string {
	var fields []string
	if in.Name != "" && saved.Name != in.Name {
		fields = append(fields, "name")
	}
	if in.Enabled != nil && saved.Enabled != *in.Enabled {
		fields = append(fields, "enabled")
	}
	for _, pair := range [][2]ruleValues{{given.Conditions, saved.Conditions}, {given.Actions, saved.Actions}} {
		for _, name := range slices.Sorted(maps.Keys(pair[0])) {
			if !slices.Equal(texts(plainJSON(pair[0][name])), texts(pair[1][name])) || pair[0][name] == true && pair[1][name] != true {
				fields = append(fields, ruleWord(name))
			}
		}
	}
	return fields
}

// plainJSON returns a value as it looks after a journey through JSON.
func plainJSON(value any) any {
	data, err := json.Marshal(value)
	if err != nil {
		return nil
	}
	var plain any
	if err := json.Unmarshal(data, &plain); err != nil {
		return nil
	}
	return plain
}
