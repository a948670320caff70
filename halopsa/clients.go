package halopsa

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// maxNotes bounds the notes of a record, in characters.
const maxNotes = 2000

// client is a customer as Halo sends it.
type client struct {
	ID           whole         `json:"id"`
	Name         string        `json:"name"`
	TopLevel     string        `json:"toplevel_name"`
	MainSite     string        `json:"main_site_name"`
	Website      string        `json:"website"`
	Inactive     truth         `json:"inactive"`
	Notes        string        `json:"notes"`
	Manager      string        `json:"accountmanagertech_name"`
	Created      moment        `json:"datecreated"`
	OpenTickets  *int          `json:"open_ticket_count"`
	PrepayTotal  *float64      `json:"prepaytotal"`
	PrepayUsed   *float64      `json:"prepayused"`
	PrepayLeft   *float64      `json:"prepaybalance"`
	CustomFields []customField `json:"customfields"`
}

// plainNotes are the notes of a record, which may be HTML, as short Markdown.
func plainNotes(notes string) string {
	if strings.Contains(notes, "<") {
		if markdown, err := markup.FromHTML(notes); err == nil {
			notes = markdown
		}
	}
	part, _ := markup.Window(notes, 0, maxNotes)
	return part
}

func joinNonEmpty(separator string, texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(text string) bool { return text == "" }), separator)
}

// getNamed reads the record of a kind that text names: by id, or by what find
// returns.
func (c *Client) getNamed(ctx context.Context, kind, path, text string, find func(ctx context.Context, text string) (party, error), query url.Values, out any) error {
	id, ok := wholeNumber(text)
	if !ok {
		named, err := find(ctx, text)
		if err != nil {
			return err
		}
		id = named.ID
	}
	if query == nil {
		query = url.Values{}
	}
	query.Set("includedetails", "true")
	err := c.record(ctx, path+"/"+strconv.Itoa(id), id, query, out)
	if errors.Is(err, mcptools.CodeNotFound) {
		return mcptools.Errorf(mcptools.CodeNotFound, "there is no %s %d", kind, id)
	}
	return err
}

// ClientRow is a client in a list.
type ClientRow struct {
	ID       int    `json:"id"`
	Name     string `json:"name"`
	TopLevel string `json:"top_level,omitempty"`
	MainSite string `json:"main_site,omitempty"`
	Website  string `json:"website,omitempty"`
	Inactive bool   `json:"inactive,omitempty"`
}

func clientRow(r client) ClientRow {
	return ClientRow{ID: int(r.ID), Name: r.Name, TopLevel: r.TopLevel, MainSite: r.MainSite, Website: r.Website, Inactive: bool(r.Inactive)}
}

// SearchClientsInput narrows the clients down.
type SearchClientsInput struct {
	Query           string `json:"query,omitempty"`
	TopLevel        string `json:"top_level,omitempty" jsonschema:"name or id"`
	IncludeInactive bool   `json:"include_inactive,omitempty"`
	Limit           int    `json:"limit,omitempty" minimum:"1" maximum:"100" default:"20"`
	Cursor          string `json:"cursor,omitempty"`
}

// SearchClients lists clients. GET /Client
func (c *Client) SearchClients(ctx context.Context, in SearchClientsInput) (*mcptools.Page[ClientRow], error) {
	l := collection{tool: "clients_search", args: in, cursor: in.Cursor, limit: cmp.Or(in.Limit, 20), path: "/Client", key: "clients",
		query: params("includeinactive", flag(in.IncludeInactive))}
	if in.TopLevel != "" {
		level, err := c.resolve(ctx, "top_level", in.TopLevel)
		if err != nil {
			return nil, err
		}
		l.query.Set("toplevel_id", strconv.Itoa(level.ID))
	}
	if in.Query == "" {
		return list(ctx, c, l, clientRow)
	}
	searches, err := c.searchesClients(ctx)
	if err != nil {
		return nil, err
	}
	if searches {
		l.query.Set("search", in.Query)
	} else {
		maps.Copy(l.query, advancedSearch("name", isLike, "%"+in.Query+"%"))
	}
	page, err := list(ctx, c, l, clientRow)
	if errors.Is(err, mcptools.CodeInvalidArguments) && !searches {
		return nil, mcptools.Errorf(mcptools.CodeNotSupported, "this instance cannot search clients by name").
			WithHint("list the clients without query, or use halo_global_search")
	}
	return page, err
}

// nobody is a name that no client has.
const nobody = "zq-toolbelt-0xq-no-such-client"

// searchesClients reports whether the instance looks at search on /Client. Some
// builds ignore it and answer with all clients: then looking for a name that
// nobody has finds somebody.
func (c *Client) searchesClients(ctx context.Context) (bool, error) {
	return c.searchable.Get(ctx, c.holder(ctx), func(ctx context.Context) (bool, error) {
		rows, _, err := fetchPage[client](ctx, c, collection{path: "/Client", key: "clients", query: url.Values{"search": {nobody}}}, 1, 1)
		return len(rows) == 0, err
	})
}

// GetClientInput names a client.
type GetClientInput struct {
	ID      string   `json:"id" jsonschema:"or name"`
	Include []string `json:"include,omitempty" enum:"prepay,activity"`
}

// ClientRecord is one client in full.
type ClientRecord struct {
	ClientRow
	AccountManager string            `json:"account_manager,omitempty"`
	Created        string            `json:"created,omitempty"`
	OpenTickets    *int              `json:"open_tickets,omitempty"`
	Notes          string            `json:"notes,omitempty"`
	Prepay         *Prepay           `json:"prepay,omitempty"`
	CustomFields   map[string]string `json:"custom_fields,omitempty"`
	Activity       *Section          `json:"activity,omitempty"`
	Problem        string            `json:"problem,omitempty"`
}

// Prepay is the hours that a client has paid in advance.
type Prepay struct {
	Total   float64 `json:"total"`
	Used    float64 `json:"used"`
	Balance float64 `json:"balance"`
}

// GetClient reads one client. GET /Client/{id}
func (c *Client) GetClient(ctx context.Context, in GetClientInput) (*ClientRecord, error) {
	query := params("includeprepay", flag(slices.Contains(in.Include, "prepay")))
	var r client
	if err := c.getNamed(ctx, "client", "/Client", in.ID, c.client, query, &r); err != nil {
		return nil, err
	}
	out := c.clientRecord(r)
	if !slices.Contains(in.Include, "activity") {
		return out, nil
	}
	part, problems, err := sections{"activity": c.activityOf}.read(ctx, []string{"activity"}, url.Values{"client_id": {strconv.Itoa(out.ID)}})
	if err != nil {
		return nil, err
	}
	if found, ok := part["activity"]; ok {
		out.Activity = &found
	}
	out.Problem = joinNonEmpty("; ", problems...)
	return out, nil
}

func (c *Client) clientRecord(r client) *ClientRecord {
	record := &ClientRecord{
		ClientRow: clientRow(r), AccountManager: r.Manager, Created: c.stamp(r.Created), OpenTickets: r.OpenTickets,
		Notes: plainNotes(r.Notes), CustomFields: shownFields(r.CustomFields),
	}
	if r.PrepayTotal != nil && r.PrepayUsed != nil && r.PrepayLeft != nil {
		record.Prepay = &Prepay{Total: *r.PrepayTotal, Used: *r.PrepayUsed, Balance: *r.PrepayLeft}
	}
	return record
}
