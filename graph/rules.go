package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/markup"
)

// messageRule is an inbox rule as Graph sends it. Conditions and actions stay
// open, so that a change keeps what this package does not know.
// https://learn.microsoft.com/graph/api/resources/messagerule
type messageRule struct {
	ID         string     `json:"id"`
	Name       string     `json:"displayName"`
	Order      int        `json:"sequence"`
	Enabled    bool       `json:"isEnabled"`
	Broken     bool       `json:"hasError"`
	ReadOnly   bool       `json:"isReadOnly"`
	Conditions ruleValues `json:"conditions"`
	Exceptions ruleValues `json:"exceptions"`
	Actions    ruleValues `json:"actions"`
}

type ruleValues map[string]any

const maxRulesBytes = 18_000 // of a list of rules as JSON

// ListMailRulesInput says whose rules to list.
type ListMailRulesInput struct {
	Mailbox string `json:"mailbox,omitempty"`
}

// MailRules are the inbox rules of a mailbox, in the order in which they run.
type MailRules struct {
	Rules   []RuleRow `json:"rules"`
	LeftOut int       `json:"left_out,omitempty" jsonschema:"later rules that do not fit"`
}

// RuleRow is one inbox rule in words.
type RuleRow struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Enabled bool     `json:"enabled"`
	When    string   `json:"when" jsonschema:"all of these"`
	Unless  string   `json:"unless,omitempty"`
	Then    string   `json:"then"`
	Outside []string `json:"outside,omitempty" jsonschema:"gets mail but is of another domain"`
	Broken  bool     `json:"broken,omitempty"`
}

// ListMailRules lists the inbox rules of a mailbox: a first look at one that
// may be hacked.
// https://learn.microsoft.com/graph/api/mailfolder-list-messagerules
func (c *Client) ListMailRules(ctx context.Context, in ListMailRulesInput) (*MailRules, error) {
	rules, err := c.messageRules(ctx, in.Mailbox)
	if err != nil {
		return nil, err
	}
	domain := c.ownDomain(ctx, in.Mailbox)
	names := c.ruleFolders(ctx, in.Mailbox, rules)
	result := &MailRules{Rules: []RuleRow{}}
	size := 0
	for i, r := range rules {
		row := r.row(names, domain)
		text, err := json.Marshal(row)
		if err != nil {
			return nil, fmt.Errorf("graph: rule: %w", err)
		}
		if size += len(text); size > maxRulesBytes {
			result.LeftOut = len(rules) - i
			break
		}
		result.Rules = append(result.Rules, row)
	}
	return result, nil
}

func (c *Client) messageRules(ctx context.Context, mailbox string) ([]messageRule, error) {
	path, err := c.path(ctx, mailbox, "/mailFolders/inbox/messageRules")
	if err != nil {
		return nil, err
	}
	var list struct {
		Value []messageRule `json:"value"`
	}
	if err := c.get(ctx, path, url.Values{}, nil, &list); err != nil {
		return nil, err
	}
	slices.SortStableFunc(list.Value, func(a, b messageRule) int { return a.Order - b.Order })
	return list.Value, nil
}

// ownDomain is the domain of a mailbox's address, or "" when nobody says.
func (c *Client) ownDomain(ctx context.Context, mailbox string) string {
	address := mailbox
	if !strings.Contains(address, "@") {
		claims, err := c.account(ctx)
		if err != nil || mailbox != "" && !strings.EqualFold(mailbox, "me") {
			return ""
		}
		address = claims.Username
	}
	return domainOf(address)
}

func domainOf(address string) string {
	_, domain, _ := strings.Cut(strings.ToLower(address), "@")
	return domain
}

// ruleFolders returns the paths of the folders that rules move mail to, by id.
// They only make rules easier to read: where folders cannot be read, rules can.
func (c *Client) ruleFolders(ctx context.Context, mailbox string, rules []messageRule) map[string]string {
	if !slices.ContainsFunc(rules, func(r messageRule) bool { return r.Actions["moveToFolder"] != nil || r.Actions["copyToFolder"] != nil }) {
		return nil
	}
	tree, _, err := c.tree(ctx, mailbox)
	if err != nil {
		return nil
	}
	paths := make(map[string]string, len(tree))
	for _, f := range tree {
		paths[f.ID] = f.Path
	}
	return paths
}

func (r messageRule) row(folders map[string]string, domain string) RuleRow {
	row := RuleRow{
		ID: r.ID, Name: markup.Preview(r.Name, 120), Enabled: r.Enabled, Broken: r.Broken,
		When: r.Conditions.words(nil), Unless: r.Exceptions.words(nil), Then: r.Actions.words(folders),
	}
	if row.When == "" {
		row.When = "every message"
	}
	for _, to := range r.Actions.receivers() {
		if domain != "" && domainOf(to) != domain {
			row.Outside = append(row.Outside, to)
		}
	}
	return row
}

// receivers are the addresses to which a rule sends mail on.
func (v ruleValues) receivers() []string {
	var all []string
	for _, action := range []string{"forwardTo", "forwardAsAttachmentTo", "redirectTo"} {
		all = append(all, texts(v[action])...)
	}
	return all
}

// ruleWords names the conditions and actions whose own name would mislead.
func ruleWord(name string) string {
	switch name {
	case "fromAddresses":
		return "from"
	case "sentToAddresses":
		return "sent to"
	case "moveToFolder":
		return "move to"
	case "copyToFolder":
		return "copy to"
	case "forwardTo":
		return "forward to"
	case "redirectTo":
		return "redirect to"
	case "delete":
		return "move to Deleted Items"
	case "stopProcessingRules":
		return "stop here"
	}
	var b strings.Builder
	for _, r := range name {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte(' ')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// words writes conditions or actions for a reader.
func (v ruleValues) words(folders map[string]string) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(v)) {
		value := strings.Join(texts(v[name]), ", ")
		switch v[name] {
		case nil, false:
			continue
		case true:
			list = append(list, ruleWord(name))
			continue
		}
		if strings.HasSuffix(name, "ToFolder") {
			if value = folders[value]; value == "" {
				value = "a folder that cannot be read"
			}
		}
		if value != "" {
			list = append(list, ruleWord(name)+" "+value)
		}
	}
	return markup.Preview(strings.Join(list, "; "), 400)
}

// texts returns what a value of a rule says: texts, or the addresses of
// recipients.
func texts(value any) []string {
	switch value := value.(type) {
	case string:
		return []string{value}
	case []any:
		var all []string
		for _, element := range value {
			all = append(all, texts(element)...)
		}
		return all
	case map[string]any:
		if inner, ok := value["emailAddress"].(map[string]any); ok {
			address, _ := inner["address"].(string)
			return []string{address}
		}
		text, err := json.Marshal(value)
		if err != nil {
			return nil
		}
		return []string{string(text)}
	}
	return nil
}
