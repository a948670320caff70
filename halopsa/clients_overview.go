package halopsa

import (
	"cmp"
	"context"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/markup"
)

// overviewRows is how many rows of a section are shown.
const overviewRows = 5

// Line is a record in a few words.
type Line struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
	Note string `json:"note,omitempty"`
}

// OverviewInput names a client and what to show of it.
type OverviewInput struct {
	Client   string   `json:"client" jsonschema:"name or id"`
	Sections []string `json:"sections,omitempty" enum:"sites,tickets,contracts,invoices,assets" jsonschema:"default: all"`
}

// OverviewOutput is a client on one screen. Sections hold a few rows and how
// many there are.
type OverviewOutput struct {
	Client   ClientRecord       `json:"client"`
	Sections map[string]Section `json:"sections"`
	Problems []string           `json:"problems,omitempty"`
}

// Section is one part of an overview.
type Section struct {
	Total int    `json:"total"`
	Items []Line `json:"items"`
	Note  string `json:"note,omitempty"`
}

// ClientOverview shows a client with its sites, open tickets, contracts,
// invoices and assets. Sections that cannot be read, such as for want of a
// scope, are named in Problems. GET /Client/{id}, /Site, /Tickets,
// /ClientContract, /Invoice, /Asset
func (c *Client) ClientOverview(ctx context.Context, in OverviewInput) (*OverviewOutput, error) {
	var r client
	if err := c.getNamed(ctx, "client", "/Client", in.Client, c.client, url.Values{"includeprepay": {"true"}}, &r); err != nil {
		return nil, err
	}
	owner := url.Values{"client_id": {strconv.Itoa(int(r.ID))}}
	parts := sections{"sites": c.sitesOf, "tickets": c.openTicketsOf, "contracts": c.contractsOf, "invoices": c.invoicesOf, "assets": c.assetsOf}
	wanted := in.Sections
	if len(wanted) == 0 {
		wanted = slices.Sorted(maps.Keys(parts))
	}
	out := &OverviewOutput{Client: *c.clientRecord(r)}
	var err error
	out.Sections, out.Problems, err = parts.read(ctx, wanted, owner)
	return out, err
}

// sections are the parts of an overview, by name. Each reads what belongs to an
// owner, a client or a user.
type sections map[string]func(ctx context.Context, owner url.Values) (*Section, error)

// read reads the wanted sections. One that cannot be read becomes a problem;
// only the end of the call is an error.
func (s sections) read(ctx context.Context, wanted []string, owner url.Values) (found map[string]Section, problems []string, err error) {
	found = map[string]Section{}
	for _, name := range wanted {
		read, ok := s[name]
		if !ok {
			continue
		}
		section, err := read(ctx, owner)
		switch {
		case err == nil:
			found[name] = *section
		case ctx.Err() != nil:
			return nil, nil, err
		default:
			problems = append(problems, name+": "+reason(err))
		}
	}
	return found, problems, nil
}

// sectionOf reads the first page of a list that belongs to owner, a client or a
// user, and shows its first rows.
func sectionOf[W any](ctx context.Context, c *Client, path, key string, owner, more url.Values, line func(W) Line) (*Section, error) {
	query := maps.Clone(owner)
	maps.Copy(query, more)
	rows, total, err := fetchPage[W](ctx, c, collection{path: path, key: key, query: query}, 1, maxPageSize)
	if err != nil {
		return nil, err
	}
	section := &Section{Total: len(rows), Items: []Line{}}
	if total != nil {
		section.Total = max(*total, len(rows))
	}
	for _, row := range rows[:min(len(rows), overviewRows)] {
		section.Items = append(section.Items, line(row))
	}
	return section, nil
}

func (c *Client) sitesOf(ctx context.Context, owner url.Values) (*Section, error) {
	return sectionOf(ctx, c, "/Site", "sites", owner, nil, func(s site) Line { return Line{ID: int(s.ID), Name: s.Name, Note: s.Phone} })
}

// openTicketsOf shows the newest open tickets, with what tells urgent from not.
func (c *Client) openTicketsOf(ctx context.Context, owner url.Values) (*Section, error) {
	names, err := c.labels(ctx, ticketLabels...)
	if err != nil {
		return nil, err
	}
	newest := params("open_only", "true", "order", "id", "orderdesc", "true")
	return sectionOf(ctx, c, "/Tickets", "tickets", owner, newest, func(t ticket) Line {
		row := c.ticketRow(names, t)
		note := joinNonEmpty(", ", row.Status, row.Priority, row.Agent)
		if day, _, ok := strings.Cut(row.Reported, "T"); ok {
			note = joinNonEmpty(", ", note, "since "+day)
		}
		return Line{ID: row.ID, Name: markup.Preview(row.Summary, 100), Note: note}
	})
}

// activityOf shows the tickets that were last worked on, closed ones too.
func (c *Client) activityOf(ctx context.Context, owner url.Values) (*Section, error) {
	names, err := c.labels(ctx, ticketLabels...)
	if err != nil {
		return nil, err
	}
	latest := params("order", "lastactiondate", "orderdesc", "true")
	return sectionOf(ctx, c, "/Tickets", "tickets", owner, latest, func(t ticket) Line {
		row := c.ticketRow(names, t)
		return Line{ID: row.ID, Name: markup.Preview(row.Summary, 100), Note: joinNonEmpty(", ", cmp.Or(row.Updated, row.Reported), row.Status)}
	})
}

func (c *Client) contractsOf(ctx context.Context, owner url.Values) (*Section, error) {
	type contractLine struct {
		ID     whole  `json:"id"`
		Ref    string `json:"ref"`
		Status string `json:"contract_status"`
		End    moment `json:"end_date"`
	}
	return sectionOf(ctx, c, "/ClientContract", "contracts", owner, nil, func(k contractLine) Line {
		note := k.Status
		if !k.End.IsZero() {
			note = joinNonEmpty(", ", note, "ends "+k.End.Format("2006-01-02"))
		}
		return Line{ID: int(k.ID), Name: k.Ref, Note: note}
	})
}

func (c *Client) assetsOf(ctx context.Context, owner url.Values) (*Section, error) {
	type assetLine struct {
		ID     whole  `json:"id"`
		Number string `json:"inventory_number"`
		Key    string `json:"key_field"`
		Type   string `json:"assettype_name"`
		User   string `json:"username"`
	}
	return sectionOf(ctx, c, "/Asset", "assets", owner, nil, func(a assetLine) Line {
		return Line{ID: int(a.ID), Name: cmp.Or(a.Number, a.Key), Note: joinNonEmpty(", ", a.Type, a.User)}
	})
}

// invoicesOf shows the newest invoices; the note says what is still to be paid.
func (c *Client) invoicesOf(ctx context.Context, owner url.Values) (*Section, error) {
	type invoice struct {
		ID     whole    `json:"id"`
		Number any      `json:"invoicenumber"`
		Ref    string   `json:"reference"`
		Date   moment   `json:"invoice_date"`
		Total  float64  `json:"total"`
		Due    *float64 `json:"amountdue"`
		Money  string   `json:"currency_code_name"`
	}
	rows, total, err := fetchPage[invoice](ctx, c, collection{path: "/Invoice", key: "invoices", query: owner}, 1, maxPageSize)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(rows, func(a, b invoice) int { return b.Date.Compare(a.Date.Time) })
	section := &Section{Total: len(rows), Items: []Line{}}
	if total != nil {
		section.Total = max(*total, len(rows))
	}
	due := map[string]float64{}
	for i, r := range rows {
		note := joinNonEmpty(" ", r.Date.Format("2006-01-02"), amount(r.Total, r.Money))
		if r.Due != nil && *r.Due > 0 {
			due[r.Money] += *r.Due
			note += ", due " + amount(*r.Due, r.Money)
		}
		if i < overviewRows {
			section.Items = append(section.Items, Line{ID: int(r.ID), Name: cmp.Or(r.Ref, text(r.Number)), Note: note})
		}
	}
	var open []string
	for _, money := range slices.Sorted(maps.Keys(due)) {
		open = append(open, amount(due[money], money))
	}
	if len(open) > 0 {
		section.Note = "still to be paid: " + joinNonEmpty(", ", open...)
	}
	return section, nil
}

// amount writes a sum of money.
func amount(sum float64, currency string) string {
	return joinNonEmpty(" ", strconv.FormatFloat(sum, 'f', 2, 64), currency)
}

// text writes a value that builds send as a number or as text.
func text(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64)
	}
	return ""
}
