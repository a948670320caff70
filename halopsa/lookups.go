package halopsa

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/internal/match"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// Entry is one row of a reference table.
type Entry struct {
	ID     int    `json:"id"`
	Name   string `json:"name"`
	Detail string `json:"detail,omitempty"`

	scope   int      // what the id is unique in: the SLA of a priority; 0 for all
	also    []string // other names
	retired bool     // kept for the names on old records, never chosen
	initial int      // the status that tickets of a type begin with
}

// within narrows a reference table. The zero value takes all of it.
type within struct {
	ticketType int // statuses, categories and outcomes that the type allows
	sla        int // priorities
	tree       int // categories; 0 is the first of the four trees
	list       int // lookups; 0 is the list of lists
	client     int // ticket types, categories and charge rates

	open bool // statuses that do not close a ticket
}

// unassigned is the agent of tickets that nobody has. It is the one id that is
// the same everywhere: it is built in, and no person.
const unassigned = 1

// table says where a reference table is and how its rows read.
type table struct {
	path, key string
	query     url.Values
	entry     func(row) Entry
}

// row is a row of any reference table; tables name their fields differently.
type row struct {
	ID            whole   `json:"id"`
	Name          string  `json:"name"`
	Value         string  `json:"value"`
	TypeID        whole   `json:"type_id"`
	PriorityID    whole   `json:"priorityid"`
	SLAID         whole   `json:"slaid"`
	ResponseTime  float64 `json:"responsetime"`
	ResponseUnits string  `json:"responseunits"`
	FixTime       float64 `json:"fixtime"`
	FixUnits      string  `json:"fixunits"`
	Outcome       string  `json:"outcome"`
	Button        string  `json:"buttonname"`
	Text          string  `json:"text"`
	Label         string  `json:"label"`
	Email         string  `json:"email"`
	Initial       whole   `json:"initial_status"`
	Inactive      truth   `json:"inactive"`
	Disabled      truth   `json:"isdisabled"`
	Hidden        truth   `json:"hidden"`
	IsHidden      truth   `json:"ishidden"`
}

func (r row) retired() bool { return bool(r.Inactive || r.Disabled || r.Hidden || r.IsHidden) }

func plain(r row) Entry { return Entry{ID: int(r.ID), Name: r.Name, retired: r.retired()} }

// tableOf returns the reference table of a kind.
func tableOf(kind string, in within) (table, bool) {
	switch kind {
	case "status":
		// Orders and items have statuses too, in the same table.
		return table{"/Status", "statuses", params("type", "ticket", "tickettype_id", number(in.ticketType), "excludeclosed", flag(in.open)), plain}, true
	case "priority":
		return table{"/Priority", "priorities", params("slaid", number(in.sla)), priorityEntry}, true
	case "category":
		return table{"/Category", "categories", params("type_id", number(max(in.tree, 1)), "tickettype_id", number(in.ticketType), "client_id", number(in.client)), categoryEntry}, true
	case "outcome":
		return table{"/Outcome", "outcomes", params("tickettype_id", number(in.ticketType)), func(r row) Entry {
			return Entry{ID: int(r.ID), Name: r.Outcome, Detail: different(r.Button, r.Outcome), also: []string{r.Button}, retired: r.retired()}
		}}, true
	case "agent":
		return table{"/Agent", "agents", params("includedisabled", "true", "includeunassigned", "true"), func(r row) Entry {
			return Entry{ID: int(r.ID), Name: r.Name, Detail: r.Email, retired: r.retired() || r.ID == unassigned}
		}}, true
	case "ticket_type":
		return table{"/TicketType", "tickettypes", params("client_id", number(in.client)), func(r row) Entry {
			return Entry{ID: int(r.ID), Name: r.Name, retired: r.retired(), initial: int(r.Initial)}
		}}, true
	case "canned_text":
		return table{"/CannedText", "cannedtexts", nil, func(r row) Entry {
			return Entry{ID: int(r.ID), Name: r.Name, Detail: markup.Preview(r.Text, 120)}
		}}, true
	case "tag":
		return table{"/Tags", "tags", nil, func(r row) Entry { return Entry{ID: int(r.ID), Name: r.Text} }}, true
	case "custom_field":
		return table{"/FieldInfo", "fields", nil, func(r row) Entry {
			return Entry{ID: int(r.ID), Name: r.Label, Detail: r.Name, also: []string{r.Name, strings.TrimPrefix(r.Name, "CF")}}
		}}, true
	case "lookup":
		if in.list == 0 {
			in.list = lookupOfLookups
		}
		return table{"/Lookup", "lookups", params("lookupid", number(in.list)), plain}, true
	case "charge_rate":
		return table{"/Lookup", "lookups", params("lookupid", number(lookupOfChargeRates), "client_id", number(in.client)), plain}, true
	}
	path, ok := map[string]string{
		"sla": "/SLA", "team": "/Team", "ticket_area": "/TicketArea",
		"top_level": "/TopLevel", "asset_type": "/AssetType", "faq_list": "/FAQLists",
	}[kind]
	return table{path, kind + "s", nil, plain}, ok
}

// The numbers of two lists behind /Lookup, which are built in.
const (
	lookupOfLookups     = 11
	lookupOfChargeRates = 17
)

// A priority has a GUID as id; what a ticket takes is priorityid, which repeats
// from SLA to SLA.
func priorityEntry(r row) Entry {
	detail := fmt.Sprintf("SLA %d, fix in %g %s", r.SLAID, r.FixTime, r.FixUnits)
	return Entry{ID: int(r.PriorityID), Name: r.Name, Detail: detail, scope: int(r.SLAID), retired: r.retired()}
}

// A ticket takes the value of a category, which is a path.
func categoryEntry(r row) Entry {
	return Entry{ID: int(r.ID), Name: r.Value, also: []string{r.Value[strings.LastIndex(r.Value, ">")+1:]}, retired: r.retired()}
}

// params makes a query of pairs, without those that have no value.
func params(pairs ...string) url.Values {
	query := url.Values{}
	for pair := range slices.Chunk(pairs, 2) {
		if pair[1] != "" {
			query.Set(pair[0], pair[1])
		}
	}
	return query
}

// number writes an id for a query; 0 is none.
func number(id int) string {
	if id == 0 {
		return ""
	}
	return strconv.Itoa(id)
}

// flag writes a truth value for a query; false is none.
func flag(on bool) string {
	if on {
		return "true"
	}
	return ""
}

func different(text, from string) string {
	if strings.EqualFold(text, from) {
		return ""
	}
	return text
}

// rows returns a reference table, remembered for a while, with what is retired.
func (c *Client) rows(ctx context.Context, kind string, in within) ([]Entry, error) {
	t, ok := tableOf(kind, in)
	if !ok {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "there is no table %q", kind)
	}
	key := fmt.Sprintf("%s\x00%s %v", c.holder(ctx), kind, in)
	return c.tables.Get(ctx, key, func(ctx context.Context) ([]Entry, error) {
		rows, err := all[row](ctx, c, t.path, t.key, t.query)
		if err != nil {
			return nil, err
		}
		entries := make([]Entry, 0, len(rows))
		for _, r := range rows {
			entries = append(entries, t.entry(r))
		}
		return entries, nil
	})
}

// entries returns what can be chosen from a reference table.
func (c *Client) entries(ctx context.Context, kind string, in within) ([]Entry, error) {
	rows, err := c.rows(ctx, kind, in)
	if err != nil {
		return nil, err
	}
	return current(rows), nil
}

// current are the rows of a reference table that can be chosen.
func current(rows []Entry) []Entry {
	return slices.DeleteFunc(slices.Clone(rows), func(e Entry) bool { return e.retired })
}

// resolve returns the entry of a reference table that text names, by id or
// name. An agent is also "me" or "unassigned".
func (c *Client) resolve(ctx context.Context, kind, text string) (Entry, error) {
	return c.resolveIn(ctx, kind, within{}, text)
}

// resolveIn is resolve in a part of the table.
func (c *Client) resolveIn(ctx context.Context, kind string, in within, text string) (Entry, error) {
	switch word := strings.ToLower(strings.TrimSpace(text)); {
	case kind == "agent" && word == "me":
		me, err := c.me(ctx)
		return Entry{ID: me.ID, Name: me.Name, Detail: me.Email}, err
	case kind == "agent" && (word == "unassigned" || word == "none" || word == "nobody" || word == strconv.Itoa(unassigned)):
		return Entry{ID: unassigned, Name: "Unassigned"}, nil
	case kind == "category":
		parts := strings.Split(text, ">")
		for i := range parts {
			parts[i] = strings.TrimSpace(parts[i])
		}
		text = strings.Join(parts, ">")
	}
	rows, err := c.rows(ctx, kind, in)
	if err != nil {
		return Entry{}, err
	}
	return pick(kind, text, rows)
}

// pick chooses an entry by id or name. The whole name of one that is retired
// does not mean another whose name begins like it.
func pick(kind, text string, rows []Entry) (Entry, error) {
	entries := current(rows)
	isCalled := func(e Entry) bool { return e.isCalled(text) }
	if i := slices.IndexFunc(rows, isCalled); i >= 0 && !slices.ContainsFunc(entries, isCalled) {
		state := "retired"
		if kind == "agent" {
			state = "disabled"
		}
		return Entry{}, mcptools.Errorf(mcptools.CodeNotFound, "the %s %q is %s", strings.ReplaceAll(kind, "_", " "), markup.Preview(rows[i].Name, 80), state).
			WithHint("if another is meant, give its whole name or its id")
	}
	candidates := make([]match.Candidate, 0, len(entries))
	for _, e := range entries {
		candidates = append(candidates, match.Candidate{ID: strconv.Itoa(e.ID), Name: e.Name, Also: append([]string{e.Detail}, e.also...), Note: e.Detail})
	}
	one, err := match.One(strings.ReplaceAll(kind, "_", " "), text, candidates)
	if err != nil {
		return Entry{}, err
	}
	at := slices.IndexFunc(entries, func(e Entry) bool { return strconv.Itoa(e.ID) == one.ID && e.Name == one.Name })
	return entries[at], nil
}

// isCalled reports whether text is the id or a whole name of an entry.
func (e Entry) isCalled(text string) bool {
	names := append([]string{strconv.Itoa(e.ID), e.Name, e.Detail}, e.also...)
	return slices.ContainsFunc(names, func(name string) bool { return sameName(name, text) })
}

// sameName compares whole names as [match.One] does; no name is like no other.
func sameName(a, b string) bool {
	first, second := strings.Join(strings.Fields(a), " "), strings.Join(strings.Fields(b), " ")
	return first != "" && strings.EqualFold(first, second)
}

// labels are the names of reference tables by id, for rows that have ids only.
type labels map[label]string

type label struct {
	kind      string
	scope, id int
}

// labels loads the names of tables. A table that cannot be read costs its names
// only: rows show ids then.
func (c *Client) labels(ctx context.Context, kinds ...string) (labels, error) {
	names := labels{}
	for _, kind := range kinds {
		rows, err := c.rows(ctx, kind, within{})
		if err != nil {
			if errors.Is(err, mcptools.CodeCancelled) || ctx.Err() != nil {
				return nil, err
			}
			continue
		}
		for _, e := range rows {
			names[label{kind, e.scope, e.ID}] = e.Name
		}
	}
	return names, nil
}

// of returns the name of an entry, "#7" where it is not known, and "" for 0.
func (l labels) of(kind string, id whole) string { return l.in(kind, 0, id) }

// in is of, for ids that are unique in a scope only.
func (l labels) in(kind string, scope, id whole) string {
	if name, ok := l[label{kind, int(scope), int(id)}]; ok || id == 0 {
		return name
	}
	return "#" + strconv.Itoa(int(id))
}
