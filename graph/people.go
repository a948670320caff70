package graph

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

// FindPeopleInput says whom to find.
type FindPeopleInput struct {
	Query string `json:"query" jsonschema:"name or address, or its beginning"`
	Limit int    `json:"limit,omitempty" minimum:"1" maximum:"25" default:"8"`
}

// PersonRow is somebody who can be written to.
type PersonRow struct {
	Name       string `json:"name"`
	Address    string `json:"address"`
	Title      string `json:"title,omitempty"`
	Department string `json:"department,omitempty"`
	Company    string `json:"company,omitempty"`
	Why        string `json:"why" jsonschema:"where it was found"`
}

// The reasons why somebody is found.
const (
	whyContact   = "relevant to you"
	whyDirectory = "directory"
	whyBoth      = "directory, relevant to you"
)

// FindPeople finds addresses by name: first among the people whom the signed-in
// user works with, then in the directory.
// https://learn.microsoft.com/graph/api/user-list-people
func (c *Client) FindPeople(ctx context.Context, in FindPeopleInput) (*mcptools.Page[PersonRow], error) {
	if strings.TrimSpace(in.Query) == "" {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "query: must not be empty")
	}
	limit := cmp.Or(in.Limit, 8)
	claims, err := c.account(ctx)
	if err != nil {
		return nil, err
	}
	var known []PersonRow
	var unknown error
	if !claims.AppOnly {
		known, unknown = c.relevantPeople(ctx, in.Query, limit)
	}
	listed, unlisted := c.directoryPeople(ctx, in.Query, limit)
	if unlisted != nil && (unknown != nil || claims.AppOnly) {
		return nil, unlisted
	}
	page := &mcptools.Page[PersonRow]{Items: joinPeople(known, listed, limit)}
	if err := cmp.Or(unknown, unlisted); err != nil {
		if errors.Is(err, mcptools.CodeCancelled) {
			return nil, err
		}
		page.Problem = "not everybody was searched; " + err.Error()
	}
	return page, nil
}

// joinPeople puts those first who are found twice, then those whom the user
// works with.
func joinPeople(known, listed []PersonRow, limit int) []PersonRow {
	rows, at := []PersonRow{}, map[string]int{}
	for _, row := range append(known, listed...) {
		key := strings.ToLower(row.Address)
		i, twice := at[key]
		if !twice {
			at[key] = len(rows)
			rows = append(rows, row)
			continue
		}
		if row.Why != rows[i].Why {
			rows[i].Why = whyBoth
			rows[i].Title, rows[i].Department = cmp.Or(row.Title, rows[i].Title), cmp.Or(row.Department, rows[i].Department)
		}
	}
	var both, rest []PersonRow
	for _, row := range rows {
		if row.Why == whyBoth {
			both = append(both, row)
		} else {
			rest = append(rest, row)
		}
	}
	rows = append(append([]PersonRow{}, both...), rest...)
	return rows[:min(len(rows), limit)]
}

// relevantPeople finds those whom the signed-in user works with.
func (c *Client) relevantPeople(ctx context.Context, query string, limit int) ([]PersonRow, error) {
	var found struct {
		Value []struct {
			Name       string `json:"displayName"`
			Title      string `json:"jobTitle"`
			Department string `json:"department"`
			Company    string `json:"companyName"`
			Addresses  []struct {
				Address string `json:"address"`
			} `json:"scoredEmailAddresses"`
		} `json:"value"`
	}
	err := c.get(ctx, "/me/people", url.Values{
		"$search": {`"` + searchText(query) + `"`}, "$top": {strconv.Itoa(limit)},
		"$select": {"displayName,jobTitle,department,companyName,scoredEmailAddresses"},
	}, nil, &found)
	if err != nil {
		return nil, err
	}
	var rows []PersonRow
	for _, p := range found.Value {
		if len(p.Addresses) > 0 && p.Addresses[0].Address != "" {
			rows = append(rows, PersonRow{
				Name: p.Name, Address: p.Addresses[0].Address, Title: p.Title, Department: p.Department, Company: p.Company, Why: whyContact,
			})
		}
	}
	return rows, nil
}

// directoryPeople finds users of the directory who have an address.
func (c *Client) directoryPeople(ctx context.Context, query string, limit int) ([]PersonRow, error) {
	options := searchUsers(query)
	options.Set("$select", "displayName,mail,userPrincipalName")
	options.Set("$top", strconv.Itoa(limit))
	var found struct {
		Value []directoryUser `json:"value"`
	}
	if err := c.get(ctx, "/users", options, advanced(), &found); err != nil {
		return nil, err
	}
	var rows []PersonRow
	for _, u := range found.Value {
		if u.Mail != "" {
			rows = append(rows, PersonRow{Name: u.Name, Address: u.Mail, Why: whyDirectory})
		}
	}
	return rows, nil
}

// advanced is the header that the directory's search and its richer filters
// need, together with $count.
// https://learn.microsoft.com/graph/aad-advanced-queries
func advanced() http.Header { return http.Header{"Consistencylevel": {"eventual"}} }

// searchUsers returns the query options that find users by the words of a name,
// or by the beginning of an address.
func searchUsers(query string) url.Values {
	query = strings.TrimPrefix(strings.TrimSpace(query), "mailto:")
	if strings.Contains(query, "@") {
		return url.Values{
			"$filter": {"startswith(mail," + quote(query) + ") or startswith(userPrincipalName," + quote(query) + ")"}, "$count": {"true"},
		}
	}
	return url.Values{"$search": {searchWords(query, "displayName", "mail")}, "$count": {"true"}}
}

// searchWords returns a $search of the directory: all words in one of the
// properties.
// https://learn.microsoft.com/graph/search-query-parameter#using-search-on-directory-object-collections
func searchWords(query string, properties ...string) string {
	var either []string
	for _, property := range properties {
		var all []string
		for word := range strings.FieldsSeq(searchText(query)) {
			all = append(all, `"`+property+":"+word+`"`)
		}
		either = append(either, "("+strings.Join(all, " AND ")+")")
	}
	return strings.Join(either, " OR ")
}

// searchText returns text that cannot leave the quotation it is put in.
func searchText(text string) string {
	return strings.Join(strings.Fields(strings.NewReplacer(`"`, " ", `\`, " ").Replace(text)), " ")
}
