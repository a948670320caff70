package halopsa

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

// LookupsInput selects reference tables.
type LookupsInput struct {
	Kinds      []string `json:"kinds" minItems:"1" enum:"status,priority,ticket_type,category,category_2,category_3,category_4,sla,outcome,team,agent,ticket_area,top_level,asset_type,charge_rate,canned_text,faq_list,tag,custom_field,lookup"`
	TicketType string   `json:"ticket_type,omitempty" jsonschema:"only what this type allows"`
	Client     string   `json:"client,omitempty" jsonschema:"ticket types, categories and charge rates for it"`
	Query      string   `json:"query,omitempty" jsonschema:"part of the name"`
	LookupID   int      `json:"lookup_id,omitempty" jsonschema:"which list, for kind lookup"`
	Refresh    bool     `json:"refresh,omitempty"`
}

// LookupsOutput holds the tables asked for.
type LookupsOutput struct {
	Tables []LookupTable `json:"tables"`
}

// LookupTable is one reference table.
type LookupTable struct {
	Kind    string  `json:"kind"`
	Entries []Entry `json:"entries"`
	More    int     `json:"more,omitempty" jsonschema:"left out; narrow with query"`
	Problem string  `json:"problem,omitempty"`
}

// maxEntries bounds the rows of one table in a result.
const maxEntries = 100

// Lookups returns reference tables such as statuses and categories. A table
// that cannot be read does not hide the others.
func (c *Client) Lookups(ctx context.Context, in LookupsInput) (*LookupsOutput, error) {
	if in.Refresh {
		c.tables.Drop()
		c.types.Drop()
		c.workflows.Drop()
		c.outcomes.Drop()
	}
	scope := within{list: in.LookupID}
	if in.TicketType != "" {
		kind, err := c.resolve(ctx, "ticket_type", in.TicketType)
		if err != nil {
			return nil, err
		}
		scope.ticketType = kind.ID
	}
	if in.Client != "" {
		owner, err := c.client(ctx, in.Client)
		if err != nil {
			return nil, err
		}
		scope.client = owner.ID
	}
	out := &LookupsOutput{Tables: []LookupTable{}}
	for _, kind := range in.Kinds {
		table := LookupTable{Kind: kind, Entries: []Entry{}}
		rows, err := c.scoped(ctx, kind, scope)
		if err != nil {
			if errors.Is(err, mcptools.CodeCancelled) || len(in.Kinds) == 1 {
				return nil, err
			}
			table.Problem = reason(err)
		}
		for _, e := range current(rows) {
			switch {
			case !strings.Contains(strings.ToLower(e.Name+" "+e.Detail), strings.ToLower(in.Query)):
			case len(table.Entries) == maxEntries:
				table.More++
			default:
				table.Entries = append(table.Entries, e)
			}
		}
		out.Tables = append(out.Tables, table)
	}
	return out, nil
}

// scoped returns the part of a table that a ticket type allows, with what is
// retired.
func (c *Client) scoped(ctx context.Context, kind string, in within) ([]Entry, error) {
	if name, tree, ok := strings.Cut(kind, "_"); ok && name == "category" {
		kind = name
		in.tree, _ = strconv.Atoi(tree) // the schema allows 2 to 4
	}
	if kind == "priority" && in.ticketType != 0 {
		t, err := c.ticketType(ctx, in.ticketType)
		if err != nil {
			return nil, err
		}
		in.sla = t.sla()
	}
	// Each table takes what concerns it, so that the cache holds it once.
	switch kind {
	case "priority":
		in = within{sla: in.sla}
	case "status", "outcome":
		in = within{ticketType: in.ticketType}
	case "category":
		in = within{ticketType: in.ticketType, tree: in.tree, client: in.client}
	case "ticket_type", "charge_rate":
		in = within{client: in.client}
	case "lookup":
		in = within{list: in.list}
	default:
		in = within{}
	}
	return c.rows(ctx, kind, in)
}

// ResolveInput is a name to look up.
type ResolveInput struct {
	Kind   string `json:"kind" enum:"client,site,user,agent,team,status,priority,ticket_type,category,sla,outcome,ticket_area,top_level,asset_type,charge_rate,custom_field"`
	Name   string `json:"name" jsonschema:"name, id, e-mail address or Entra object id"`
	Client string `json:"client,omitempty" jsonschema:"narrows sites and users"`
	Type   string `json:"ticket_type,omitempty" jsonschema:"narrows statuses, priorities, categories, outcomes"`
}

// ResolveOutput is the one thing that the name means.
type ResolveOutput struct {
	Kind     string `json:"kind"`
	ID       int    `json:"id"`
	Name     string `json:"name"`
	Detail   string `json:"detail,omitempty"`
	ClientID int    `json:"client_id,omitempty"`
	Client   string `json:"client,omitempty"`
	SiteID   int    `json:"site_id,omitempty"`
	Site     string `json:"site,omitempty"`
	Email    string `json:"email,omitempty"`
}

// Resolve finds the one thing that a name means. A name that fits several is an
// error that lists them.
func (c *Client) Resolve(ctx context.Context, in ResolveInput) (*ResolveOutput, error) {
	if slices.Contains([]string{"client", "site", "user"}, in.Kind) {
		found, err := c.party(ctx, in.Kind, in.Client, in.Name)
		if err != nil {
			return nil, err
		}
		return &ResolveOutput{Kind: in.Kind, ID: found.ID, Name: found.Name, ClientID: found.ClientID, Client: found.Client,
			SiteID: found.SiteID, Site: found.Site, Email: found.Email}, nil
	}
	entry, err := c.resolveFor(ctx, in.Kind, in.Type, in.Name)
	if err != nil {
		return nil, err
	}
	return &ResolveOutput{Kind: in.Kind, ID: entry.ID, Name: entry.Name, Detail: entry.Detail}, nil
}

// resolveFor is resolve in the part of a table that a ticket type allows.
func (c *Client) resolveFor(ctx context.Context, kind, ticketType, text string) (Entry, error) {
	if ticketType == "" {
		return c.resolve(ctx, kind, text)
	}
	of, err := c.resolve(ctx, "ticket_type", ticketType)
	if err != nil {
		return Entry{}, err
	}
	rows, err := c.scoped(ctx, kind, within{ticketType: of.ID})
	if err != nil {
		return Entry{}, err
	}
	return pick(kind, text, rows)
}

// party finds a client, site or user by what callers wrote; client may be "".
func (c *Client) party(ctx context.Context, kind, client, text string) (party, error) {
	id := 0
	if client != "" && kind != "client" {
		owner, err := c.client(ctx, client)
		if err != nil {
			return party{}, err
		}
		id = owner.ID
	}
	switch cmp.Or(kind, "client") {
	case "site":
		return c.site(ctx, id, text)
	case "user":
		return c.user(ctx, id, text)
	}
	return c.client(ctx, text)
}
