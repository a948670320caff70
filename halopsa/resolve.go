package halopsa

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/internal/match"
	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// party is a client, a site or a user.
type party struct {
	ID       int
	Name     string
	ClientID int
	Client   string
	SiteID   int
	Site     string
	Email    string
	also     []string // exact other names: addresses, logins, the Entra object id
}

// partyRow is how Halo writes any of the three.
type partyRow struct {
	ID         whole  `json:"id"`
	Name       string `json:"name"`
	Inactive   truth  `json:"inactive"`
	ClientID   whole  `json:"client_id"`
	ClientName string `json:"client_name"`
	SiteID     whole  `json:"site_id"`
	SiteName   string `json:"site_name"`
	MainSiteID whole  `json:"main_site_id"`
	MainSite   string `json:"main_site_name"`
	Email      string `json:"emailaddress"`
	Email2     string `json:"email2"`
	Email3     string `json:"email3"`
	Login      string `json:"login"`
	Network    string `json:"networklogin"`
	EntraID    string `json:"azureoid"`
}

// directory is one of the three lists that parties are found in.
type directory struct {
	kind, path, key string
	party           func(partyRow) party
}

var (
	clientDirectory = directory{"client", "/Client", "clients", func(r partyRow) party {
		return party{ID: int(r.ID), Name: r.Name, ClientID: int(r.ID), Client: r.Name, SiteID: int(r.MainSiteID), Site: r.MainSite}
	}}
	siteDirectory = directory{"site", "/Site", "sites", func(r partyRow) party {
		return party{ID: int(r.ID), Name: r.Name, ClientID: int(r.ClientID), Client: r.ClientName, SiteID: int(r.ID), Site: r.Name}
	}}
	userDirectory = directory{"user", "/Users", "users", func(r partyRow) party {
		return party{ID: int(r.ID), Name: r.Name, ClientID: int(r.ClientID), Client: r.ClientName, SiteID: int(r.SiteID), Site: r.SiteName,
			Email: r.Email, also: []string{r.Email, r.Email2, r.Email3, r.Login, r.Network, r.EntraID}}
	}}
)

// client returns the client that text names, by id or name. Its site is the
// main one.
func (c *Client) client(ctx context.Context, text string) (party, error) {
	return c.find(ctx, clientDirectory, 0, text)
}

// site returns the site that text names, by id or name; client narrows the
// search unless it is 0.
func (c *Client) site(ctx context.Context, client int, text string) (party, error) {
	return c.find(ctx, siteDirectory, client, text)
}

// user returns the end user that text names, by id, name, e-mail address or
// Entra object id; client narrows the search unless it is 0.
func (c *Client) user(ctx context.Context, client int, text string) (party, error) {
	return c.find(ctx, userDirectory, client, text)
}

// guid is the form of an Entra object id.
var guid = regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// find returns the one party that text names. What the server finds is
// verified here: some builds ignore the search.
func (c *Client) find(ctx context.Context, d directory, client int, text string) (party, error) {
	text = strings.TrimSpace(text)
	if id, ok := wholeNumber(text); ok {
		return c.byID(ctx, d, client, id)
	}
	if text == "" {
		return party{}, mcptools.Errorf(mcptools.CodeInvalidArguments, "%s: must not be empty", d.kind)
	}
	var missing error
	conclusive := false // a whole answer was read, so there is no need to read the whole list
	for _, search := range d.searches(text) {
		if conclusive && search.pages > 1 {
			break
		}
		found, complete, err := c.search(ctx, d, client, search)
		if errors.Is(err, mcptools.CodeInvalidArguments) && search.advanced {
			continue // this instance does not search by that field
		}
		if err != nil {
			return party{}, err
		}
		one, err := choose(d, text, found, complete)
		if err == nil || complete && errors.Is(err, mcptools.CodeAmbiguous) {
			return one, err
		}
		if missing == nil || errors.Is(err, mcptools.CodeAmbiguous) || complete && !errors.Is(missing, mcptools.CodeAmbiguous) {
			missing = err
		}
		conclusive = conclusive || complete
	}
	if missing == nil {
		missing = mcptools.Errorf(mcptools.CodeNotSupported, "this instance cannot look up a %s by that", d.kind).
			WithHint("use the name, the e-mail address or the id")
	}
	return party{}, missing
}

// lookup is one way of asking for candidates.
type lookup struct {
	query    url.Values
	advanced bool
	pages    int
}

// searches returns the ways to look for text, the best first.
func (d directory) searches(text string) []lookup {
	if guid.MatchString(text) {
		return []lookup{{advancedSearch("azureoid", isEqual, text), true, 1}, {params("search", text), false, 1}}
	}
	field := "name"
	if strings.Contains(text, "@") && d.kind == "user" {
		field = "emailaddress"
	}
	return []lookup{{params("search", text), false, 1}, {advancedSearch(field, isLike, "%"+text+"%"), true, 1}, {url.Values{}, false, 10}}
}

// The comparisons of advanced_search.
const (
	isEqual = 2
	isLike  = 4
)

// advancedSearch is the query that compares one field.
func advancedSearch(field string, comparison int, value string) url.Values {
	condition, _ := json.Marshal([]map[string]any{{"filter_name": field, "filter_type": comparison, "filter_value": value}}) // strings always marshal
	return url.Values{"advanced_search": {string(condition)}}
}

// search returns the candidates, and whether these are all there are.
func (c *Client) search(ctx context.Context, d directory, client int, by lookup) (found []party, complete bool, err error) {
	if client != 0 && d.kind != "client" {
		by.query.Set("client_id", strconv.Itoa(client))
	}
	seen := map[int]bool{} // a list that changes meanwhile moves rows to the next page
	read, err := walk(ctx, c, collection{path: d.path, key: d.key, query: by.query}, by.pages, func(r partyRow) {
		if p := d.party(r); !bool(r.Inactive) && (client == 0 || p.ClientID == client) && !seen[p.ID] {
			seen[p.ID] = true
			found = append(found, p)
		}
	})
	return found, read.whole, err
}

// choose picks the party that text names. Of an incomplete list only an address
// or an object id counts, which are one person's: there may be namesakes on the
// pages that were not read. These two are never matched by their beginning.
func choose(d directory, text string, found []party, complete bool) (party, error) {
	key := strings.Contains(text, "@") || guid.MatchString(text)
	var candidates []match.Candidate
	for _, p := range found {
		if (key || !complete) && !p.isCalled(text) {
			continue
		}
		note := p.Client
		if d.kind == "client" {
			note = ""
		}
		if p.Email != "" {
			note = p.Email + ", " + note
		}
		candidates = append(candidates, match.Candidate{ID: strconv.Itoa(p.ID), Name: p.Name, Also: p.also, Note: note})
	}
	one, err := match.One(d.kind, text, candidates)
	if !complete && (err != nil || !key || d.kind != "user") {
		return party{}, unsure(d, text, one, err)
	}
	if err != nil {
		if e, ok := errors.AsType[*mcptools.Error](err); ok && e.Code == mcptools.CodeNotFound {
			e.Hint = "look it up with " + d.tool()
		}
		return party{}, err
	}
	return found[slices.IndexFunc(found, func(p party) bool { return strconv.Itoa(p.ID) == one.ID })], nil
}

// unsure is the error for a name that was looked for in a part of a list, where
// it is that of one, or where err says that it is none's or several ones'.
func unsure(d directory, text string, one match.Candidate, err error) error {
	e, ok := errors.AsType[*mcptools.Error](err)
	if !ok {
		note := joinNonEmpty(", ", "id "+one.ID, markup.Preview(one.Note, 80))
		e = mcptools.Errorf(mcptools.CodeAmbiguous, "%s %q could be: %s (%s)", d.kind, markup.Preview(text, 80), markup.Preview(one.Name, 80), note)
	}
	e.Message += ", among those that could be read"
	give := map[string]string{"client": "the id", "site": "the client or the id", "user": "the e-mail address or the client"}[d.kind]
	return e.WithHint("there may be others; give %s, see %s", give, d.tool())
}

// tool is the tool that lists a directory.
func (d directory) tool() string { return "halo_" + d.key + "_search" }

// isCalled reports whether text is a whole name, an address or another key of a
// party.
func (p party) isCalled(text string) bool {
	return slices.ContainsFunc(append([]string{p.Name}, p.also...), func(name string) bool { return sameName(name, text) })
}

// byID reads a party, so that its name can be shown and its client is known.
func (c *Client) byID(ctx context.Context, d directory, client, id int) (party, error) {
	path, err := rest.Path(d.path+"/{}", strconv.Itoa(id))
	if err != nil {
		return party{}, err
	}
	var r partyRow
	if err := c.record(ctx, path, id, nil, &r); err != nil {
		if errors.Is(err, mcptools.CodeNotFound) {
			return party{}, mcptools.Errorf(mcptools.CodeNotFound, "there is no %s %d", d.kind, id)
		}
		return party{}, err
	}
	p := d.party(r)
	if client != 0 && p.ClientID != client {
		return party{}, mcptools.Errorf(mcptools.CodeInvalidArguments, "the %s %s belongs to the client %s", d.kind, p.Name, p.Client)
	}
	return p, nil
}
