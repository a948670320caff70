package graph

import (
	"cmp"
	"context"
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/argument"
	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/internal/when"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// SearchMailInput says which messages to find. Conditions are combined.
type SearchMailInput struct {
	Mailbox        string `json:"mailbox,omitempty" jsonschema:"address; default: own"`
	Query          string `json:"query,omitempty" jsonschema:"words anywhere in the message"`
	Folder         string `json:"folder,omitempty" jsonschema:"name, path or id; default: all"`
	From           string `json:"from,omitempty" jsonschema:"address or name"`
	Subject        string `json:"subject,omitempty"`
	Unread         bool   `json:"unread,omitempty"`
	Flagged        bool   `json:"flagged,omitempty"`
	HasAttachments bool   `json:"has_attachments,omitempty"`
	After          string `json:"after,omitempty" jsonschema:"date or time, or -7d"`
	Before         string `json:"before,omitempty"`
	Limit          int    `json:"limit,omitempty" minimum:"1" maximum:"50" default:"10"`
	Cursor         string `json:"cursor,omitempty"`
}

// MessageRow is one found message.
type MessageRow struct {
	ID          string `json:"id"`
	Time        string `json:"time"`
	From        string `json:"from,omitempty"`
	To          string `json:"to,omitempty" jsonschema:"of own mail, in place of from"`
	Subject     string `json:"subject"`
	Preview     string `json:"preview,omitempty"`
	Unread      bool   `json:"unread,omitempty"`
	Flagged     bool   `json:"flagged,omitempty"`
	Attachments bool   `json:"attachments,omitempty"`
	Importance  string `json:"importance,omitempty"`
	Draft       bool   `json:"draft,omitempty"`
}

// textLength is how many bytes of a row go to sender, subject and preview, so
// that ten rows stay below 3,000 bytes.
const textLength = 112

// rowFields is what Graph must send for a row, and no more.
const rowFields = "id,receivedDateTime,from,toRecipients,subject,bodyPreview,isRead,flag,hasAttachments,importance,isDraft"

// SearchMail finds messages, the newest first.
//
// Graph cannot combine its two ways to search, so free text and parts of names
// go into $search, and everything else into $filter. $search knows days but no
// times, and neither flags nor whether a message was read; these conditions are
// checked here.
// https://learn.microsoft.com/graph/api/user-list-messages
func (c *Client) SearchMail(ctx context.Context, in SearchMailInput) (*mcptools.Page[MessageRow], error) {
	address := false
	in.From, address = sender(in.From)
	zone, err := c.zone(ctx, in.Mailbox, "")
	if err != nil {
		return nil, err
	}
	after, before, err := when.Range(argument.Text{Name: "after", Value: in.After}, argument.Text{Name: "before", Value: in.Before}, zone, time.Now(), time.Time{}, time.Time{})
	if err != nil {
		return nil, err
	}
	path, err := c.messagesPath(ctx, in.Mailbox, in.Folder)
	if err != nil {
		return nil, err
	}
	own := in.Mailbox
	if own == "" {
		claims, err := c.account(ctx)
		if err != nil {
			return nil, err
		}
		own = claims.Username
	}
	l := collection{
		tool: "m365_mail_search", args: in, cursor: in.Cursor, limit: cmp.Or(in.Limit, 10), path: path,
		query: url.Values{"$select": {rowFields}},
	}
	if in.Query == "" && in.Subject == "" && (in.From == "" || address) {
		l.query.Set("$filter", in.filter(after, before))
		l.query.Set("$orderby", "receivedDateTime desc")
		return list(ctx, c, l, func(m message) MessageRow { return messageRow(m, own, zone) })
	}
	l.query.Set("$search", `"`+in.keywords(after, before)+`"`)
	if in.Unread || in.Flagged || !after.IsZero() || !before.IsZero() {
		l.sparse = true
	}
	return choose(ctx, c, l, func(m message) (MessageRow, bool) {
		return messageRow(m, own, zone), in.accepts(m, after, before)
	})
}

// inBrackets matches an address behind a name, whatever that has in it.
var inBrackets = regexp.MustCompile(`<([^<>\s]+@[^<>\s]+)>$`)

// sender returns the address of a sender who is named as rows show them, or the
// words to look for: of a row that was cut, those before the address; of
// "@example.com", the domain.
func sender(text string) (from string, address bool) {
	text = strings.TrimPrefix(strings.TrimSpace(text), "mailto:")
	if m := inBrackets.FindStringSubmatch(text); m != nil {
		text = m[1]
	}
	if parsed, err := mail.ParseAddress(text); err == nil {
		return parsed.Address, true
	}
	name, _, _ := strings.Cut(text, "<")
	return strings.TrimPrefix(cmp.Or(strings.TrimSpace(name), text), "@"), false
}

// accepts checks the conditions that $search does not know.
func (in SearchMailInput) accepts(m message, after, before time.Time) bool {
	switch {
	case in.Unread && m.Read,
		in.Flagged && m.Flag.Status != "flagged",
		!after.IsZero() && m.Received.Before(after),
		!before.IsZero() && !m.Received.Before(before):
		return false
	}
	return true
}

// filter writes the conditions as OData. The property that is sorted by must
// come first: https://learn.microsoft.com/graph/api/user-list-messages#using-filter-and-orderby-in-the-same-query
func (in SearchMailInput) filter(after, before time.Time) string {
	if after.IsZero() {
		after = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	conditions := []string{"receivedDateTime ge " + after.UTC().Format(time.RFC3339)}
	if !before.IsZero() {
		conditions = append(conditions, "receivedDateTime lt "+before.UTC().Format(time.RFC3339))
	}
	if in.From != "" {
		conditions = append(conditions, "from/emailAddress/address eq "+quote(in.From))
	}
	for _, flag := range []struct {
		wanted    bool
		condition string
	}{{in.Unread, "isRead eq false"}, {in.Flagged, "flag/flagStatus eq 'flagged'"}, {in.HasAttachments, "hasAttachments eq true"}} {
		if flag.wanted {
			conditions = append(conditions, flag.condition)
		}
	}
	return strings.Join(conditions, " and ")
}

// keywords writes the conditions as KQL.
// https://learn.microsoft.com/graph/search-query-parameter#using-search-on-message-collections
func (in SearchMailInput) keywords(after, before time.Time) string {
	var terms []string
	for word := range strings.FieldsSeq(in.Query) {
		terms = append(terms, keyword(word))
	}
	if in.From != "" {
		terms = append(terms, "from:"+keyword(in.From))
	}
	if in.Subject != "" {
		terms = append(terms, "subject:"+keyword(in.Subject))
	}
	if in.HasAttachments {
		terms = append(terms, "hasattachments:true")
	}
	// Nobody says in which zone a day of KQL begins: a day more on either side.
	if !after.IsZero() {
		terms = append(terms, "received>="+after.UTC().AddDate(0, 0, -1).Format(time.DateOnly))
	}
	if !before.IsZero() {
		terms = append(terms, "received<="+before.UTC().AddDate(0, 0, 1).Format(time.DateOnly))
	}
	return strings.Join(terms, " AND ")
}

// messageRow writes a message in short. Of what own sent or is writing, the
// receivers tell more than the sender.
func messageRow(m message, own string, zone *time.Location) MessageRow {
	who, subject := markup.Preview(m.From.String(), 80), markup.Preview(m.Subject, 90)
	row := MessageRow{
		ID: m.ID, Time: stamp(m.when(), zone), From: who, Subject: subject, Unread: !m.Read && !m.Draft, Flagged: m.Flag.Status == "flagged",
		Attachments: m.Attached, Importance: unusual(m.Importance, "normal"), Draft: m.Draft,
	}
	sent := m.Draft || m.From != nil && strings.EqualFold(m.From.EmailAddress.Address, own)
	if sent && len(m.To) > 0 {
		who = markup.Preview(m.To[0].String(), 80)
		if more := len(m.To) - 1; more > 0 {
			who += fmt.Sprintf(" and %d more", more)
		}
		row.From, row.To = "", who
	}
	if room := textLength - len(who) - len(subject); room >= 10 && m.Preview != "" {
		row.Preview = markup.Preview(m.Preview, room)
	}
	return row
}
