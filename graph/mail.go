package graph

import (
	"fmt"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/markup"
)

// message is a message as Graph sends it.
// https://learn.microsoft.com/graph/api/resources/message
type message struct {
	ID         string      `json:"id"`
	Received   time.Time   `json:"receivedDateTime"`
	From       *recipient  `json:"from"`
	To         []recipient `json:"toRecipients"`
	CC         []recipient `json:"ccRecipients"`
	BCC        []recipient `json:"bccRecipients"`
	ReplyTo    []recipient `json:"replyTo"`
	Subject    string      `json:"subject"`
	Preview    string      `json:"bodyPreview"`
	Body       *itemBody   `json:"body"`
	Read       bool        `json:"isRead"`
	Draft      bool        `json:"isDraft"`
	ChangeKey  string      `json:"changeKey"`
	Attached   bool        `json:"hasAttachments"`
	Importance string      `json:"importance"`
	Categories []string    `json:"categories"`
	Sent       time.Time   `json:"sentDateTime"`

	ConversationID string       `json:"conversationId"`
	FolderID       string       `json:"parentFolderId"`
	Headers        []headerLine `json:"internetMessageHeaders"`
	Attachments    []attachment `json:"attachments"`
	Flag           struct {
		Status string `json:"flagStatus"`
	} `json:"flag"`
}

type recipient struct {
	EmailAddress struct {
		Name    string `json:"name,omitempty"`
		Address string `json:"address,omitempty"`
	} `json:"emailAddress"`
}

// headerLine is one header of a message as it travelled.
type headerLine struct {
	Name  string `json:"name"`
	Value string `json:"value"`
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
	name, address := markup.Preview(r.EmailAddress.Name, 60), r.EmailAddress.Address
	if name == "" || strings.EqualFold(name, address) {
		return address
	}
	return name + " <" + address + ">"
}

// when is the time that a reader sees: of arrival, or of a draft's last change.
func (m *message) when() time.Time {
	if m.Received.IsZero() {
		return m.Sent
	}
	return m.Received
}

// otherReplyTo lists where answers go, unless that is the sender, as usual.
func (m *message) otherReplyTo() []string {
	if len(m.ReplyTo) == 1 && m.From != nil && strings.EqualFold(m.ReplyTo[0].EmailAddress.Address, m.From.EmailAddress.Address) {
		return nil
	}
	return names(m.ReplyTo)
}

// maxListed bounds how many recipients a result lists.
const maxListed = 20

// names writes recipients, the first ones of very many.
func names(list []recipient) []string {
	var texts []string
	for i := range list[:min(len(list), maxListed)] {
		texts = append(texts, list[i].String())
	}
	if more := len(list) - maxListed; more > 0 {
		texts = append(texts, fmt.Sprintf("… and %d more", more))
	}
	return texts
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
