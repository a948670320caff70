package halopsa

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/argument"
	"github.com/msptoolbelt/toolbelt/internal/when"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// TicketFields are the fields of a ticket that can be set. Empty ones are left
// alone.
type TicketFields struct {
	Details      string         `json:"details,omitempty"`
	Format       string         `json:"format,omitempty" enum:"markdown,html,text" default:"markdown"`
	User         string         `json:"user,omitempty" jsonschema:"name, e-mail or id"`
	Client       string         `json:"client,omitempty"`
	Site         string         `json:"site,omitempty"`
	Priority     string         `json:"priority,omitempty"`
	Impact       int            `json:"impact,omitempty"`
	Urgency      int            `json:"urgency,omitempty"`
	Category     string         `json:"category_1,omitempty" jsonschema:"path such as Hardware>Printer"`
	Category2    string         `json:"category_2,omitempty"`
	Category3    string         `json:"category_3,omitempty"`
	Category4    string         `json:"category_4,omitempty"`
	Agent        string         `json:"agent,omitempty" jsonschema:"name, me or unassigned"`
	Team         string         `json:"team,omitempty"`
	ParentID     int            `json:"parent_id,omitempty"`
	AssetIDs     []int          `json:"asset_ids,omitempty"`
	Source       int            `json:"source,omitempty"`
	ReportedAt   string         `json:"reported_at,omitempty"`
	CustomFields map[string]any `json:"custom_fields,omitempty" jsonschema:"values by label"`
	SkipTemplate bool           `json:"skip_template,omitempty" jsonschema:"do not apply the type's template"`
}

// body turns the fields into what Halo takes. Everything named is looked up
// first: Halo would fall back to something else without a word. have is the
// ticket as it is, nil for a new one.
func (c *Client) body(ctx context.Context, in TicketFields, kind Entry, have *ticket) (fields, error) {
	body := fields{}
	if in.Details != "" {
		html, err := noteHTML(in.Details, in.Format)
		if err != nil {
			return nil, err
		}
		body["details_html"] = html
	}
	for name, n := range map[string]int{"impact": in.Impact, "urgency": in.Urgency, "parent_id": in.ParentID, "source": in.Source} {
		if n != 0 {
			body[name] = n
		}
	}
	for _, add := range []func(context.Context, TicketFields, Entry, *ticket, fields) error{c.addRequester, c.addPriority, c.addCategories, c.addOwner, c.addReported, c.addAssets} {
		if err := add(ctx, in, kind, have, body); err != nil {
			return nil, err
		}
	}
	if in.SkipTemplate {
		body["donotapplytemplateintheapi"] = true
	}
	if len(in.CustomFields) == 0 {
		return body, nil
	}
	var custom []customField
	if have != nil {
		if have.CustomFields == nil {
			return nil, mcptools.Errorf(mcptools.CodeNotSupported, "custom_fields: HaloPSA does not show which ones the ticket has, and would lose them").
				WithHint("change custom fields of this ticket in HaloPSA")
		}
		custom = have.CustomFields
	}
	merged, err := c.mergedFields(ctx, custom, in.CustomFields)
	body["customfields"] = merged
	return body, err
}

// addRequester adds whose ticket it is. Halo takes a user only with the user's
// site.
func (c *Client) addRequester(ctx context.Context, in TicketFields, _ Entry, have *ticket, body fields) error {
	client := 0
	if in.Client != "" {
		owner, err := c.client(ctx, in.Client)
		if err != nil {
			return err
		}
		client = owner.ID
		body["client_id"] = owner.ID
		if have != nil && int(have.ClientID) != owner.ID && owner.SiteID != 0 { // the site that the ticket has is another client's
			body["site_id"] = owner.SiteID
		}
	}
	if in.Site != "" {
		site, err := c.site(ctx, c.among(client, have, in.Site), in.Site)
		if err != nil {
			return err
		}
		client = site.ClientID
		body["client_id"], body["site_id"] = site.ClientID, site.ID
	}
	if in.User == "" {
		if client != 0 && (have == nil || int(have.ClientID) != client) {
			body["userlookup"] = fields{"id": -1} // the client's General User: nobody of the client that had it
		}
		return nil
	}
	user, err := c.user(ctx, c.among(client, have, in.User), in.User)
	if err != nil {
		return err
	}
	if in.Site != "" && body["site_id"] != user.SiteID {
		return mcptools.Errorf(mcptools.CodeInvalidArguments, "site: %s is at the site %s of %s", user.Name, user.Site, user.Client).
			WithHint("leave the site out: it is the user's")
	}
	body["client_id"], body["site_id"], body["user_id"] = user.ClientID, user.SiteID, user.ID
	return nil
}

// among returns the client whose sites and users a text is looked up among.
// Without a client, the name of a site or of a person is meant among those of
// the client that the ticket has: the one of that name at another client would
// take the ticket along. An id or an address means itself.
func (c *Client) among(client int, have *ticket, text string) int {
	text = strings.TrimSpace(text)
	if _, id := wholeNumber(text); client != 0 || have == nil || id || strings.Contains(text, "@") || guid.MatchString(text) {
		return client
	}
	return int(have.ClientID)
}

// addPriority adds a priority of the ticket's own SLA: of another, Halo would
// take the type's default instead.
func (c *Client) addPriority(ctx context.Context, in TicketFields, kind Entry, have *ticket, body fields) error {
	if in.Priority == "" {
		return nil
	}
	sla := 0
	if have != nil && int(have.TypeID) == kind.ID {
		sla = int(have.SLAID)
	}
	if sla == 0 {
		t, err := c.ticketType(ctx, kind.ID)
		if err != nil {
			return err
		}
		sla = t.sla()
	}
	priority, err := c.resolveIn(ctx, "priority", within{sla: sla}, in.Priority)
	if err != nil {
		if e, ok := errors.AsType[*mcptools.Error](err); ok && e.Code == mcptools.CodeNotFound {
			e.Message = fmt.Sprintf("the SLA of the ticket has no priority %q", in.Priority)
		}
		return err
	}
	body["priority_id"] = priority.ID
	return nil
}

// addCategories adds the categories, each a path in a tree of its own.
func (c *Client) addCategories(ctx context.Context, in TicketFields, _ Entry, _ *ticket, body fields) error {
	for i, text := range []string{in.Category, in.Category2, in.Category3, in.Category4} {
		if text == "" {
			continue
		}
		category, err := c.resolveIn(ctx, "category", within{tree: i + 1}, text)
		if err != nil {
			return err
		}
		body[fmt.Sprintf("category_%d", i+1)] = category.Name
	}
	return nil
}

// addOwner adds the agent and the team. Recent builds take a team's id, older
// ones its name only; a ticket shows which build it is.
func (c *Client) addOwner(ctx context.Context, in TicketFields, _ Entry, have *ticket, body fields) error {
	if in.Agent != "" {
		agent, err := c.resolve(ctx, "agent", in.Agent)
		if err != nil {
			return err
		}
		body["agent_id"] = agent.ID
	}
	if in.Team == "" {
		return nil
	}
	team, err := c.resolve(ctx, "team", in.Team)
	if err != nil {
		return err
	}
	if have != nil && have.TeamID != nil {
		body["team_id"] = team.ID
	} else {
		body["team"] = team.Name
	}
	return nil
}

// addReported adds when the ticket was reported.
func (c *Client) addReported(_ context.Context, in TicketFields, _ Entry, _ *ticket, body fields) error {
	if in.ReportedAt == "" {
		return nil
	}
	now := time.Now()
	at, err := when.Instant(in.ReportedAt, c.zone, now)
	if err != nil {
		return argument.Of("reported_at", err)
	}
	if at.After(now) {
		return mcptools.Errorf(mcptools.CodeInvalidArguments, "reported_at: %s is in the future", at.In(c.zone).Format(time.RFC3339))
	}
	body["dateoccurred"] = halo(at)
	return nil
}

// addAssets adds assets to those that the ticket has: Halo replaces the whole
// list.
func (c *Client) addAssets(_ context.Context, in TicketFields, _ Entry, have *ticket, body fields) error {
	if len(in.AssetIDs) == 0 {
		return nil
	}
	ids := slices.Clone(in.AssetIDs)
	if have != nil {
		if have.Assets == nil {
			return mcptools.Errorf(mcptools.CodeNotSupported, "asset_ids: HaloPSA does not show which assets the ticket has, and would lose them").
				WithHint("add the asset in HaloPSA")
		}
		for _, asset := range have.Assets {
			ids = append(ids, int(asset.ID))
		}
	}
	slices.Sort(ids)
	var assets []fields
	for _, id := range slices.Compact(ids) {
		assets = append(assets, fields{"id": id})
	}
	body["assets"] = assets
	return nil
}

// missing is the error for a new ticket without what its type needs, or nil.
func (t ticketType) missing(body fields) error {
	custom, _ := body["customfields"].([]fields)
	var labels []string
	for _, f := range t.Fields {
		field := f.Info.Field
		_, has := body[field]
		_, hasHTML := body[field+"_html"]
		for _, given := range custom {
			has = has || field == "" && given["id"] == int(f.Info.ID)
		}
		if !bool(f.Info.Mandatory) || has || hasHTML {
			continue
		}
		argument := field
		if known, ok := argumentNames[field]; ok {
			argument = known
		}
		if field == "" {
			argument = fmt.Sprintf("custom_fields: %s", f.Info.Name)
		}
		labels = append(labels, fmt.Sprintf("%s (%s)", f.Label, argument))
	}
	if labels == nil {
		return nil
	}
	return mcptools.Errorf(mcptools.CodeInvalidArguments, "a ticket of the type %s needs: %s", t.Name, strings.Join(labels, ", ")).
		WithHint("halo_lookups_get lists categories; halo_ticket_type_get shows all fields of the type")
}
