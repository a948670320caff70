package halopsa

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/mail"
	"slices"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/argument"
	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// ReplyInput is an answer to the end user of a ticket.
type ReplyInput struct {
	TicketID    int      `json:"ticket_id" minimum:"1"`
	Message     string   `json:"message"`
	Format      string   `json:"format,omitempty" enum:"markdown,html,text" default:"markdown"`
	To          []string `json:"to,omitempty" jsonschema:"addresses; default: the ticket's user"`
	CC          []string `json:"cc,omitempty"`
	Subject     string   `json:"subject,omitempty"`
	Outcome     string   `json:"outcome,omitempty" jsonschema:"name or id; default: one that mails"`
	NewStatus   string   `json:"new_status,omitempty"`
	Attachments []Upload `json:"attachments,omitempty" maxItems:"10"`
}

// Upload is a file to attach. Its content is either of the two.
type Upload struct {
	Filename      string `json:"filename"`
	ContentBase64 string `json:"content_base64,omitempty" maxLength:"14000000"`
	Text          string `json:"text,omitempty" maxLength:"1000000"`
}

// ReplyResult says what was sent to whom.
type ReplyResult struct {
	ActionResult

	To []string `json:"to"`
	CC []string `json:"cc,omitempty"`
}

// ReplyToUser mails the end user of a ticket and shows the message on the
// ticket. POST /Actions
func (c *Client) ReplyToUser(ctx context.Context, in ReplyInput) (*ReplyResult, error) {
	html, err := noteHTML(in.Message, in.Format)
	if err != nil {
		return nil, err
	}
	if html == "" {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "message: must not be empty")
	}
	files, err := attachmentsOf(in.Attachments)
	if err != nil {
		return nil, err
	}
	t, o, err := c.ticketAndOutcome(ctx, in.TicketID, in.Outcome, forMail)
	if err != nil {
		return nil, err
	}
	to, cc, err := receivers(t, in.To, in.CC)
	if err != nil {
		return nil, err
	}
	more := fields{"note_html": html, "emailbody_html": html, "sendemail": true, "emailto": strings.Join(to, ";")}
	if len(cc) > 0 {
		more["emailcc"] = strings.Join(cc, ";")
	}
	if in.Subject != "" {
		more["emailsubject"] = in.Subject
	}
	if in.NewStatus != "" {
		status, err := c.resolveIn(ctx, "status", within{ticketType: int(t.TypeID)}, in.NewStatus)
		if err != nil {
			return nil, err
		}
		more["new_status"] = status.ID
	}
	if len(files) > 0 {
		more["attachments"] = files
	}
	done, reply, err := c.act(ctx, t, o, false, more)
	if err != nil {
		return nil, err
	}
	reply = c.delivered(ctx, done, reply, len(files))
	return receipt(done, reply, to, cc, len(files)), nil
}

// delivered reads an action back unless the reply says that it was mailed, with
// all files: what Halo has counts more than what it answers in a hurry.
func (c *Client) delivered(ctx context.Context, done *ActionResult, reply saved, files int) saved {
	out, _ := reply.mailed()
	if have, _ := reply.files(); out && have >= files || done.ActionID == 0 {
		return reply
	}
	whole, err := c.readAction(ctx, done.TicketID, done.ActionID, "includeemail", "true")
	if err != nil {
		return reply // it is saved all the same, and what the reply lacks stays unknown
	}
	reply = maps.Clone(reply)
	maps.Copy(reply, whole)
	return reply
}

// receipt says what was mailed to whom. That is known better by Halo than by
// what was asked for; what Halo does not tell is taken to be as asked.
func receipt(done *ActionResult, reply saved, to, cc []string, files int) *ReplyResult {
	result := &ReplyResult{ActionResult: *done, To: to, CC: cc}
	problem := func(text string) { result.Problem = joinNonEmpty(". ", result.Problem, text) }
	if have, told := reply.files(); told && have < files {
		problem(fmt.Sprintf("HaloPSA shows %d of the %d attachments on it: look with halo_attachments_list", have, files))
	}
	if out, told := reply.mailed(); told && !out {
		problem("HaloPSA saved it but did not mail it")
		result.To, result.CC = []string{}, nil
		return result
	}
	if saved := splitAddresses(reply.text("emailto")); len(saved) > 0 {
		result.To = saved
		if !sameAddresses(saved, to) {
			problem("HaloPSA sent it to other addresses than were asked for")
		}
	}
	if _, told := reply["emailcc"]; told {
		result.CC = splitAddresses(reply.text("emailcc"))
	}
	if !sameAddresses(result.CC, cc) {
		problem("HaloPSA copied it to other addresses than were asked for")
	}
	return result
}

// mailed tells whether an action went out by mail, and whether Halo says
// anything about that: builds that leave all of these fields out do not.
func (s saved) mailed() (out, told bool) {
	direction, to, send := field[string](s, "emaildirection"), field[string](s, "emailto"), field[truth](s, "sendemail")
	switch {
	case direction != nil:
		return *direction == "O", true
	case send != nil && !bool(*send), to != nil && len(splitAddresses(*to)) == 0:
		return false, true
	}
	return false, false
}

// field returns what a field says: nil if it is absent, null or of another kind.
func field[T any](s saved, name string) *T {
	var value *T
	if json.Unmarshal(s[name], &value) != nil {
		return nil
	}
	return value
}

// files returns how many files an action has, and whether Halo says so.
func (s saved) files() (n int, told bool) {
	count := field[whole](s, "attachment_count")
	if count == nil {
		return 0, false
	}
	return int(*count), true
}

// receivers are the addresses that an answer goes to: those that are named, else
// the ticket's user. Names are not looked up: guessing could mail the wrong
// person.
func receivers(t *ticket, to, cc []string) (toOut, ccOut []string, err error) {
	if len(to) == 0 {
		if t.UserEmail == "" {
			return nil, nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "the user of the ticket, %s, has no e-mail address", quoteOr(t.User, "unknown")).
				WithHint("name the receivers in to")
		}
		to = []string{t.UserEmail}
	}
	var faults []error
	for _, list := range []struct {
		name string
		from []string
		into *[]string
	}{{"to", to, &toOut}, {"cc", cc, &ccOut}} {
		for i, text := range list.from {
			address, err := mailable(text)
			if err != nil {
				faults = append(faults, argument.Of(fmt.Sprintf("%s[%d]", list.name, i), err))
			}
			*list.into = append(*list.into, address)
		}
	}
	return toOut, ccOut, argument.Faults(faults...)
}

// mailable returns the address in text.
func mailable(text string) (string, error) {
	parsed, err := mail.ParseAddress(strings.TrimSpace(text))
	if err != nil {
		return "", mcptools.Errorf(mcptools.CodeInvalidArguments, "%q is no mail address", markup.Preview(text, 80)).WithHint("find it with halo_users_search")
	}
	// Halo takes the addresses as one text: a quoted "a;b@c"@d would be two.
	if strings.ContainsAny(parsed.Address, `;,<>" `) || strings.Count(parsed.Address, "@") != 1 {
		return "", mcptools.Errorf(mcptools.CodeInvalidArguments, "%q cannot be mailed through HaloPSA", markup.Preview(text, 80))
	}
	return parsed.Address, nil
}

func quoteOr(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// splitAddresses finds the addresses in what Halo keeps of receivers, with or
// without names.
func splitAddresses(list string) []string {
	return slices.DeleteFunc(strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(`;, <>"`, r) }), func(text string) bool {
		return !strings.Contains(text, "@")
	})
}

// sameAddresses compares lists without regard to order and case.
func sameAddresses(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for _, address := range a {
		if !slices.ContainsFunc(b, func(other string) bool { return strings.EqualFold(address, other) }) {
			return false
		}
	}
	return true
}
