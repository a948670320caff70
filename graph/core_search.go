package graph

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/internal/paging"
	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// SearchInput says what to search for, and where.
type SearchInput struct {
	Query  string   `json:"query" jsonschema:"words or KQL"`
	Types  []string `json:"types,omitempty" enum:"mail,event,file,site,list_item,chat,person" jsonschema:"default: mail, event, file"`
	Region string   `json:"region,omitempty" jsonschema:"application sign-in only: the tenant's, such as EUR"`
	Limit  int      `json:"limit,omitempty" minimum:"1" maximum:"25" default:"10"`
	Cursor string   `json:"cursor,omitempty"`
}

// SearchRow is something that was found.
type SearchRow struct {
	Type    string `json:"type"`
	ID      string `json:"id"`
	Title   string `json:"title"`
	Snippet string `json:"snippet,omitempty"`
	Who     string `json:"who,omitempty"`
	Time    string `json:"time,omitempty"`
	Link    string `json:"link,omitempty"`
}

// searchGroups are the kinds of things that one request may search together.
// Mail, events, chats and people each stand alone.
// https://learn.microsoft.com/graph/search-concept-interleaving and
// https://learn.microsoft.com/graph/api/resources/search-api-overview#known-limitations
var searchGroups = [][]string{{"mail"}, {"event"}, {"file", "site", "list_item"}, {"chat"}, {"person"}}

// entityType is Graph's name of a type.
func entityType(name string) string {
	switch name {
	case "mail":
		return "message"
	case "file":
		return "driveItem"
	case "list_item":
		return "listItem"
	case "chat":
		return "chatMessage"
	}
	return name
}

// searchHit is something found, as Graph sends it.
// https://learn.microsoft.com/graph/api/resources/searchhit
type searchHit struct {
	ID       string          `json:"hitId"`
	Rank     int             `json:"rank"`
	Summary  string          `json:"summary"`
	Resource json.RawMessage `json:"resource"`
}

type searchAnswer struct {
	Value []struct {
		Containers []struct {
			Hits []searchHit `json:"hits"`
			More bool        `json:"moreResultsAvailable"`
		} `json:"hitsContainers"`
	} `json:"value"`
}

// Search finds mail, events, files, sites, list items, chat messages and people
// at once, the best first.
// https://learn.microsoft.com/graph/api/search-query
func (c *Client) Search(ctx context.Context, in SearchInput) (*mcptools.Page[SearchRow], error) {
	claims, err := c.account(ctx)
	if err != nil {
		return nil, err
	}
	types, err := in.types(claims)
	if err != nil {
		return nil, err
	}
	zone := time.UTC
	if !claims.AppOnly {
		if zone, err = c.zone(ctx, "", ""); err != nil {
			return nil, err
		}
	}
	identity, err := c.owner(ctx)
	if err != nil {
		return nil, err
	}
	scope, err := paging.Scope("m365_search", identity, in)
	if err != nil {
		return nil, err
	}
	size := cmp.Or(in.Limit, 10)
	missed := ""
	page, err := paging.Collect(ctx, c.codec, paging.Query{Scope: scope, Cursor: in.Cursor, Limit: size},
		func(ctx context.Context, token string, _ int) ([]SearchRow, string, *int, error) {
			from, size, err := searchPosition(token, size)
			if err != nil {
				return nil, "", nil, err
			}
			rows, more, problem, err := c.searchAll(ctx, in, types, from, size, zone)
			missed = cmp.Or(problem, missed)
			next := ""
			if more {
				next = strconv.Itoa(from+size) + "," + strconv.Itoa(size)
			}
			return rows, next, nil, err
		})
	if err != nil {
		return nil, err
	}
	page.Problem = cmp.Or(page.Problem, missed)
	return page, nil
}

// searchPosition reads where a search goes on: from which hit, and by how many.
func searchPosition(token string, size int) (from, step int, err error) {
	if token == "" {
		return 0, size, nil
	}
	first, second, _ := strings.Cut(token, ",")
	from, errFrom := strconv.Atoi(first)
	step, errStep := strconv.Atoi(second)
	if errFrom != nil || errStep != nil {
		return 0, 0, mcptools.Errorf(mcptools.CodeInternal, "a cursor cannot be read")
	}
	return from, step, nil
}

// types returns what to search. An application finds only what SharePoint has.
func (in SearchInput) types(claims auth.Claims) ([]string, error) {
	if !claims.AppOnly {
		if len(in.Types) > 0 {
			return in.Types, nil
		}
		return []string{"mail", "event", "file"}, nil
	}
	if in.Region == "" {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "region: an application must name the region of the tenant's data").
			WithHint("such as EUR, NAM or GBR; the SharePoint admin centre shows it")
	}
	types := in.Types
	if len(types) == 0 {
		types = []string{"file", "site"}
	}
	for _, name := range types {
		if !slices.Contains(searchGroups[2], name) {
			return nil, mcptools.Errorf(mcptools.CodeNotSupported, "an application cannot search %s; only a signed-in user can", name).
				WithHint("search file, site or list_item, or use m365_mail_search and m365_cal_view with a mailbox")
		}
	}
	return types, nil
}

// searchAll makes one request for each group of types and merges the hits by
// rank. A group that fails is a problem, not an error, while another succeeds.
func (c *Client) searchAll(ctx context.Context, in SearchInput, types []string, from, size int, zone *time.Location) (rows []SearchRow, more bool, missed string, err error) {
	type found struct {
		types []string
		hits  []searchHit
		more  bool
		err   error
	}
	var groups []*found
	var wait sync.WaitGroup
	for _, group := range searchGroups {
		wanted := slices.DeleteFunc(slices.Clone(group), func(name string) bool { return !slices.Contains(types, name) })
		if len(wanted) == 0 {
			continue
		}
		g := &found{types: wanted}
		groups = append(groups, g)
		wait.Go(func() { g.hits, g.more, g.err = c.searchGroup(ctx, in, g.types, from, size) })
	}
	wait.Wait()
	failed := 0
	for _, g := range groups {
		if g.err != nil {
			failed++
			err = cmp.Or(err, g.err)
			missed = strings.TrimPrefix(missed+"; not searched: "+strings.Join(g.types, ", ")+": "+problem(g.err), "; ")
		}
		more = more || g.more
	}
	if failed == len(groups) || errors.Is(err, mcptools.CodeCancelled) {
		return nil, false, "", err
	}
	for rank := range size {
		for _, g := range groups {
			if rank < len(g.hits) {
				rows = append(rows, searchRow(g.hits[rank], zone))
			}
		}
	}
	return rows, more, missed, nil
}

// searchGroup makes one request.
func (c *Client) searchGroup(ctx context.Context, in SearchInput, types []string, from, size int) ([]searchHit, bool, error) {
	var entities []string
	for _, name := range types {
		entities = append(entities, entityType(name))
	}
	request := map[string]any{"entityTypes": entities, "query": map[string]string{"queryString": in.Query}, "from": from, "size": size}
	if in.Region != "" {
		request["region"] = in.Region
	}
	var answer searchAnswer
	_, err := c.service.Do(ctx, rest.Request{
		Method: http.MethodPost, Path: "/search/query", Body: map[string]any{"requests": []any{request}}, Safe: true,
	}, &answer)
	if err != nil {
		return nil, false, err
	}
	var hits []searchHit
	more := false
	for _, one := range answer.Value {
		for _, container := range one.Containers {
			hits, more = append(hits, container.Hits...), more || container.More
		}
	}
	return hits, more, nil
}

// searchResource has what any kind of hit may have. The search writes some
// names otherwise than the rest of Graph does.
type searchResource struct {
	Type      string        `json:"@odata.type"`
	ID        string        `json:"id"`
	Subject   string        `json:"subject"`
	Name      string        `json:"name"`
	Display   string        `json:"displayName"`
	WebURL    string        `json:"webUrl"`
	WebLink   string        `json:"webLink"`
	From      *recipient    `json:"from"`
	Sender    *recipient    `json:"sender"`
	Received  time.Time     `json:"receivedDateTime"`
	Modified  time.Time     `json:"lastModifiedDateTime"`
	Created   time.Time     `json:"createdDateTime"`
	Organizer *recipient    `json:"organizer"`
	Start     *dateTimeZone `json:"start"`
	AllDay    bool          `json:"isAllDay"`
	Editor    struct {
		User struct {
			Name string `json:"displayName"`
		} `json:"user"`
	} `json:"lastModifiedBy"`
	Addresses []struct {
		Address string `json:"address"`
	} `json:"scoredEmailAddresses"`
	Title string `json:"jobTitle"`
}

// highlight matches the marks around found words, and leftOut the one for text
// that is left out.
var (
	highlight = regexp.MustCompile(`</?c\d+>`)
	leftOut   = regexp.MustCompile(`<ddd\s*/>`)
)

func searchRow(hit searchHit, zone *time.Location) SearchRow {
	var r searchResource
	row := SearchRow{ID: hit.ID, Snippet: markup.Preview(leftOut.ReplaceAllString(highlight.ReplaceAllString(hit.Summary, ""), " … "), 120)}
	if err := json.Unmarshal(hit.Resource, &r); err != nil {
		// Something that this version does not know: its id and snippet remain.
		row.Type, row.Title = "other", "(unreadable)"
		return row
	}
	row.ID = cmp.Or(row.ID, r.ID)
	row.Title = cmp.Or(r.Subject, r.Name, r.Display)
	row.Link = cmp.Or(r.WebLink, r.WebURL)
	row.Time = stamp(r.Modified, zone)
	row.Who = r.Editor.User.Name
	switch strings.TrimPrefix(r.Type, "#microsoft.graph.") {
	case "message":
		row.Link = "" // 300 bytes, and the id leads to all there is
		row.Type, row.Who, row.Time = "mail", cmp.Or(r.From, r.Sender).String(), stamp(r.Received, zone)
	case "event":
		row.Link = ""
		row.Type, row.Who, row.Time = "event", r.Organizer.String(), ""
		if r.Start != nil {
			row.Time = r.startTime(zone)
		}
	case "driveItem":
		row.Type = "file"
	case "site":
		row.Type = "site"
	case "listItem":
		row.Type, row.Title = "list_item", cmp.Or(row.Title, lastSegment(r.WebURL))
	case "chatMessage":
		row.Type, row.Who, row.Time = "chat", r.From.String(), stamp(r.Created, zone)
		row.Title = cmp.Or(row.Title, "message")
	case "person":
		row.Type = "person"
		if len(r.Addresses) > 0 {
			row.Who = r.Addresses[0].Address
		}
		row.Snippet = cmp.Or(row.Snippet, r.Title)
	default:
		row.Type = "other"
	}
	return row
}

// startTime is when an event starts: of one that takes all day, its date.
func (r *searchResource) startTime(zone *time.Location) string {
	start := r.Start.in(zone)
	switch {
	case !r.AllDay:
		return stamp(start, zone)
	case r.Start.in(time.UTC).Hour() == 0:
		return r.Start.date().Format(dateOnly)
	}
	return start.Format(dateOnly) // the midnight of another zone
}

func lastSegment(link string) string { return link[strings.LastIndex(link, "/")+1:] }
