package graph

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"strings"

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

// findUser looks a name up in the directory.
func (c *Client) findUser(ctx context.Context, name string) (string, error) {
	var found struct {
		Value []struct {
			ID   string `json:"id"`
			Name string `json:"displayName"`
			UPN  string `json:"userPrincipalName"`
			Mail string `json:"mail"`
		} `json:"value"`
	}
	query := url.Values{
		"$filter": {"startswith(displayName," + quote(name) + ") or startswith(surname," + quote(name) + ")"},
		"$select": {"id,displayName,userPrincipalName,mail"}, "$top": {"20"},
	}
	if err := c.get(ctx, "/users", query, nil, &found); err != nil {
		return "", err
	}
	candidates := make([]match.Candidate, 0, len(found.Value))
	for _, u := range found.Value {
		candidates = append(candidates, match.Candidate{ID: u.ID, Name: u.Name, Also: []string{u.UPN, u.Mail}, Note: u.UPN})
	}
	one, err := match.One("user", name, candidates)
	return one.ID, orFind(err, "m365_users_find")
}

// orFind names the tool that finds what was not found, where the error names no
// candidates.
func orFind(err error, tool string) error {
	if e, ok := errors.AsType[*mcptools.Error](err); ok && e.Code == mcptools.CodeNotFound && e.Hint == "" {
		return e.WithHint("names are compared from their beginning; look for it with %s", tool)
	}
	return err
}

// wellKnownFolders are the names that Graph takes in place of a folder's id.
// https://learn.microsoft.com/graph/api/resources/mailfolder
func wellKnownFolder(name string) (string, bool) {
	switch key := strings.ToLower(strings.NewReplacer(" ", "", "_", "", "-", "").Replace(name)); key {
	case "inbox", "drafts", "outbox", "archive", "deleteditems", "sentitems", "junkemail":
		return key, true
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
