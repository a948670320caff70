package graph

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/internal/match"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// userID returns what stands for a user in a path: an id or an address as it
// is, a name resolved in the directory.
func (c *Client) userID(ctx context.Context, user string) (string, error) {
	user = strings.TrimPrefix(strings.TrimSpace(user), "mailto:")
	if guid.MatchString(user) || strings.Contains(user, "@") {
		return user, checkID(user)
	}
	identity, err := c.holder(ctx)
	if err != nil {
		return "", err
	}
	return c.resolved.Get(ctx, "user\x00"+identity+"\x00"+strings.ToLower(user), func(ctx context.Context) (string, error) {
		return c.findUser(ctx, user)
	})
}

// maxUsers bounds the people among whom a name is looked for.
const maxUsers = 20

// findUser looks a name up in the directory. Where more people fit than one
// page has, only the whole name of one of them will do.
func (c *Client) findUser(ctx context.Context, name string) (string, error) {
	candidates, more, err := c.usersWhere(ctx, "startswith(displayName,"+quote(name)+") or startswith(surname,"+quote(name)+")")
	if err != nil {
		return "", err
	}
	if more {
		if candidates, more, err = c.usersWhere(ctx, "displayName eq "+quote(name)); err != nil {
			return "", err
		}
		if more || len(candidates) == 0 {
			return "", mcptools.Errorf(mcptools.CodeAmbiguous, "user %q could be any of more than %d people", markup.Preview(name, 80), maxUsers-1).
				WithHint("give the address or the whole name; m365_users_find lists them")
		}
	}
	one, err := match.One("user", name, candidates)
	return one.ID, orFind(err, "m365_users_find")
}

// usersWhere lists users, and whether there may be more of them.
func (c *Client) usersWhere(ctx context.Context, filter string) (list []match.Candidate, more bool, err error) {
	var found struct {
		Value []struct {
			ID   string `json:"id"`
			Name string `json:"displayName"`
			UPN  string `json:"userPrincipalName"`
			Mail string `json:"mail"`
		} `json:"value"`
		Next string `json:"@odata.nextLink"`
	}
	query := url.Values{"$filter": {filter}, "$select": {"id,displayName,userPrincipalName,mail"}, "$top": {strconv.Itoa(maxUsers)}}
	if err := c.get(ctx, "/users", query, nil, &found); err != nil {
		return nil, false, err
	}
	for _, u := range found.Value {
		list = append(list, match.Candidate{ID: u.ID, Name: u.Name, Also: []string{u.UPN, u.Mail}, Note: u.UPN})
	}
	return list, found.Next != "" || len(list) >= maxUsers, nil
}

// orFind names the tool that finds what was not found, where the error names no
// candidates.
func orFind(err error, tool string) error {
	if e, ok := errors.AsType[*mcptools.Error](err); ok && e.Code == mcptools.CodeNotFound && e.Hint == "" {
		return e.WithHint("names are compared from their beginning; look for it with %s", tool)
	}
	return err
}

// wellKnownFolder returns the name that Graph takes in place of a folder's id.
// https://learn.microsoft.com/graph/api/resources/mailfolder
func wellKnownFolder(name string) (string, bool) {
	switch key := strings.ToLower(strings.NewReplacer(" ", "", "_", "", "-", "").Replace(name)); key {
	case "inbox", "drafts", "outbox", "archive", "deleteditems", "sentitems", "junkemail":
		return key, true
	}
	return "", false
}

// usualFolder returns the well-known name of a folder by what people call it,
// which may be the name of a folder of their own as well.
func usualFolder(name string) (string, bool) {
	switch strings.ToLower(name) {
	case "sent":
		return "sentitems", true
	case "deleted", "trash", "bin":
		return "deleteditems", true
	case "junk", "spam":
		return "junkemail", true
	}
	return "", false
}

// quote returns text as an OData string.
// https://docs.oasis-open.org/odata/odata/v4.01/odata-v4.01-part2-url-conventions.html#sec_PrimitiveLiterals
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// keyword returns text as one phrase of KQL, the query language of $search. It
// can end neither the phrase nor the quotation that $search is wrapped in.
func keyword(text string) string {
	return `\"` + strings.Join(strings.Fields(strings.NewReplacer(`"`, " ", `\`, " ").Replace(text)), " ") + `\"`
}
