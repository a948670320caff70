package graph

import (
	"cmp"
	"context"
	"net/url"
	"strings"
	"time"

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
	From        string `json:"from"`
	Subject     string `json:"subject"`
	Preview     string `json:"preview,omitempty"`
	Unread      bool   `json:"unread,omitempty"`
	Flagged     bool   `json:"flagged,omitempty"`
	Attachments bool   `json:"attachments,omitempty"`
	Importance  string `json:"importance,omitempty"`
	Draft       bool   `json:"draft,omitempty"`
}

// previewLength is how much of a body a row shows, in characters.
const previewLength = 70

// rowFields is what Graph must send for a row, and no more.
const rowFields = "id,receivedDateTime,from,subject,bodyPreview,isRead,flag,hasAttachments,importance,isDraft"

// message is a message as Graph sends it.
// https://learn.microsoft.com/graph/api/resources/message
type message struct {
	ID         string      `json:"id"`
	Received   time.Time   `json:"receivedDateTime"`
	From       *recipient  `json:"from"`
	To         []recipient `json:"toRecipients"`
	CC         []recipient `json:"ccRecipients"`
	Subject    string      `json:"subject"`
	Preview    string      `json:"bodyPreview"`
	Body       *itemBody   `json:"body"`
	Read       bool        `json:"isRead"`
	Draft      bool        `json:"isDraft"`
	Attached   bool        `json:"hasAttachments"`
	Importance string      `json:"importance"`
	Flag       struct {
		Status string `json:"flagStatus"`
	} `json:"flag"`
}

type recipient struct {
	EmailAddress struct {
		Name    string `json:"name,omitempty"`
		Address string `json:"address,omitempty"`
	} `json:"emailAddress"`
}

type itemBody struct {
	ContentType string `json:"contentType"`
	Content     string `json:"content"`
}

// String writes a recipient as "Name <address>".
func (r *recipient) String() string {
	if r == nil {
		return ""
	}
	name, address := r.EmailAddress.Name, r.EmailAddress.Address
	if name == "" || strings.EqualFold(name, address) {
		return address
	}
	return name + " <" + address + ">"
}

// SearchMail finds messages, the newest first.
//
// Graph cannot combine its two ways to search, so free text and parts of names
// go into $search, and everything else into $filter.
// https://learn.microsoft.com/graph/api/user-list-messages
func (c *Client) SearchMail(ctx context.Context, in SearchMailInput) (*mcptools.Page[MessageRow], error) {
	zone, err := c.zone(ctx, in.Mailbox, "")
	if err != nil {
		return nil, err
	}
	after, before, err := when.Range(in.After, in.Before, zone, time.Now(), time.Time{}, time.Time{})
	if err != nil {
		return nil, err
	}
	path, err := c.messagesPath(ctx, in.Mailbox, in.Folder)
	if err != nil {
		return nil, err
	}
	query := url.Values{"$select": {rowFields}}
	if in.Query != "" || in.From != "" && !strings.Contains(in.From, "@") || in.Subject != "" {
		query.Set("$search", `"`+in.keywords(after, before)+`"`)
	} else {
		query.Set("$filter", in.filter(after, before))
		query.Set("$orderby", "receivedDateTime desc")
	}
	args := in
	args.Cursor, args.Limit = "", 0
	return list(ctx, c, collection{
		tool: "m365_mail_search", args: args, cursor: in.Cursor, limit: cmp.Or(in.Limit, 10), path: path, query: query,
	}, func(m message) MessageRow { return messageRow(m, zone) })
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
	for _, word := range strings.Fields(in.Query) {
		terms = append(terms, keyword(word))
	}
	if in.From != "" {
		terms = append(terms, "from:"+keyword(in.From))
	}
	if in.Subject != "" {
		terms = append(terms, "subject:"+keyword(in.Subject))
	}
	if in.Unread {
		terms = append(terms, "isread:false")
	}
	if in.Flagged {
		terms = append(terms, "isflagged:true")
	}
	if in.HasAttachments {
		terms = append(terms, "hasattachments:true")
	}
	if !after.IsZero() {
		terms = append(terms, "received>="+after.UTC().Format("2006-01-02"))
	}
	if !before.IsZero() {
		terms = append(terms, "received<="+before.UTC().Format("2006-01-02"))
	}
	return strings.Join(terms, " AND ")
}

func messageRow(m message, zone *time.Location) MessageRow {
	return MessageRow{
		ID: m.ID, Time: stamp(m.Received, zone), From: m.From.String(), Subject: m.Subject,
		Preview: markup.Preview(m.Preview, previewLength), Unread: !m.Read && !m.Draft, Flagged: m.Flag.Status == "flagged",
		Attachments: m.Attached, Importance: unusual(m.Importance, "normal"), Draft: m.Draft,
	}
}

// unusual returns a value unless it is the one that goes without saying.
func unusual(value, usual string) string {
	if strings.EqualFold(value, usual) {
		return ""
	}
	return value
}

// stamp writes a time to the minute, with the offset of its zone. No time is "".
func stamp(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone).Format("2006-01-02T15:04Z07:00")
}
