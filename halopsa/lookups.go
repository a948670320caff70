package halopsa

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/match"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// Entry is one row of a reference table.
type Entry struct {
	ID     int    `json:"id"`
	Name   string `json:"name"`
	Detail string `json:"detail,omitempty"`

	scope int // what the id is unique in, such as the SLA of a priority; 0 for all
}

// table says where a reference table is.
type table struct {
	path, key string
	query     url.Values
	entry     func(row) Entry
}

// row is a row of any reference table; tables name their fields differently.
type row struct {
	ID         int    `json:"id"`
	Name       string `json:"name"`
	Value      string `json:"value"`
	Type       int    `json:"type"`
	TypeID     int    `json:"type_id"`
	PriorityID int    `json:"priorityid"`
	SLAID      int    `json:"slaid"`
	Inactive   bool   `json:"inactive"`
	Email      string `json:"email"`
}

func plain(r row) Entry { return Entry{ID: r.ID, Name: r.Name} }

// tableOf returns the reference table of a kind.
func tableOf(kind string) (table, bool) {
	switch kind {
	case "status":
		// type 0 is tickets; other classes share the table.
		return table{path: "/Status", key: "statuses", query: url.Values{"type": {"ticket"}}, entry: plain}, true
	case "ticket_type":
		return table{path: "/TicketType", key: "tickettypes", entry: plain}, true
	case "team":
		return table{path: "/Team", key: "teams", entry: plain}, true
	case "agent":
		return table{path: "/Agent", key: "agents", entry: func(r row) Entry { return Entry{ID: r.ID, Name: r.Name, Detail: r.Email} }}, true
	}
	return table{}, false
}

// entries returns a reference table, remembered for a while.
func (c *Client) entries(ctx context.Context, kind string) ([]Entry, error) {
	t, ok := tableOf(kind)
	if !ok {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "there is no table %q", kind)
	}
	return c.tables.Get(ctx, c.identity(ctx)+"\x00"+kind, func(ctx context.Context) ([]Entry, error) {
		rows, err := all[row](ctx, c, t.path, t.key, t.query)
		if err != nil {
			return nil, err
		}
		entries := make([]Entry, 0, len(rows))
		for _, r := range rows {
			if !r.Inactive {
				entries = append(entries, t.entry(r))
			}
		}
		return entries, nil
	})
}

// resolve returns the entry of a table that text names, by id or name.
func (c *Client) resolve(ctx context.Context, kind, text string) (Entry, error) {
	entries, err := c.entries(ctx, kind)
	if err != nil {
		return Entry{}, err
	}
	return pick(kind, text, entries)
}

func pick(kind, text string, entries []Entry) (Entry, error) {
	candidates := make([]match.Candidate, 0, len(entries))
	for _, e := range entries {
		candidates = append(candidates, match.Candidate{ID: strconv.Itoa(e.ID), Name: e.Name, Also: []string{e.Detail}, Note: e.Detail})
	}
	one, err := match.One(strings.ReplaceAll(kind, "_", " "), text, candidates)
	if err != nil {
		return Entry{}, err
	}
	id, err := strconv.Atoi(one.ID)
	return Entry{ID: id, Name: one.Name, Detail: one.Note}, err
}
