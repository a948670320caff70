package graphtest

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
)

// sendRoutes answers for what sends mail or prepares to.
// https://learn.microsoft.com/graph/outlook-send-mail-from-other-user
func sendRoutes() map[string]handler {
	const m = "POST /users/{id}/messages/{id}/"
	return map[string]handler{
		"POST /users/{id}/sendMail": sendMail,
		m + "send":                  sendDraft,
		m + "reply":                 func(c *call) (reply, error) { return respond(c, "reply", true) },
		m + "replyAll":              func(c *call) (reply, error) { return respond(c, "replyAll", true) },
		m + "forward":               func(c *call) (reply, error) { return respond(c, "forward", true) },
		m + "createReply":           func(c *call) (reply, error) { return respond(c, "reply", false) },
		m + "createReplyAll":        func(c *call) (reply, error) { return respond(c, "replyAll", false) },
		m + "createForward":         func(c *call) (reply, error) { return respond(c, "forward", false) },
	}
}

// SentMail is a mail that left through the server.
type SentMail struct {
	From    string // address
	To      []string
	Cc      []string
	Bcc     []string
	Subject string
	// Body is the whole body as stored, a quoted history included.
	Body        string
	BodyType    string   // "text" or "html"
	Attachments []string // names
	// ID is the regular id of the copy in Sent Items, empty without one.
	ID string
}

func sendMail(c *call) (reply, error) {
	params, err := c.parameters()
	if err != nil {
		return reply{}, err
	}
	body, _ := params["message"].(object)
	if body == nil {
		c.violate(fakehttp.WrongKind, "message is needed")
		return reply{}, failf(http.StatusBadRequest, "ErrorInvalidParameter", "The value of parameter message is invalid.")
	}
	m, err := c.newDraft(body)
	if err != nil {
		return reply{}, err
	}
	if err := c.send(m); err != nil {
		c.owner.box.remove(m)
		return reply{}, err
	}
	if params["saveToSentItems"] == false {
		c.owner.box.remove(m)
		c.sent[len(c.sent)-1].ID = ""
	}
	return accepted(), nil
}

func createDraft(c *call) (reply, error) {
	body, err := c.decode("message")
	if err != nil {
		return reply{}, err
	}
	in := c.owner.box.folder("drafts")
	if strings.Contains(c.route, "/mailFolders/") {
		if in, err = c.folder(); err != nil {
			return reply{}, err
		}
	}
	m, err := c.newDraft(body)
	if err != nil {
		return reply{}, err
	}
	m.folder = in
	return created(c.entity(m.view(c.prefs))), nil
}

// newDraft files a new draft from its JSON form.
func (c *call) newDraft(body object) (*message, error) {
	c.ignored(body, readOnly...)
	for _, h := range elements(body["internetMessageHeaders"]) {
		if !strings.HasPrefix(strings.ToLower(textAt(h, "name")), "x-") {
			c.violate(fakehttp.WrongKind, "internetMessageHeaders: %s", textAt(h, "name"))
			return nil, failf(http.StatusBadRequest, "InvalidInternetMessageHeader", "The internet message header name '%s' should start with 'x-' or 'X-'.", textAt(h, "name"))
		}
	}
	for _, field := range []string{"toRecipients", "ccRecipients", "bccRecipients"} {
		for _, r := range elements(body[field]) {
			if address := textAt(r, "emailAddress", "address"); !strings.Contains(address, "@") {
				return nil, failf(http.StatusBadRequest, "ErrorInvalidRecipients", "At least one recipient is not valid., Recipient '%s' is not resolved. All recipients must be resolved before a message can be submitted.", address)
			}
		}
	}
	var files []*attachment
	for _, given := range elements(body["attachments"]) {
		file, _ := given.(object)
		a, err := c.newAttachment(file)
		if err != nil {
			return nil, err
		}
		files = append(files, a)
	}
	b := c.owner.box
	props := emptyMessage(c.nextItem)
	for name, value := range body {
		if name != "attachments" && !strings.Contains(name, "@") {
			props[name] = value
		}
	}
	if given, isObject := body["body"].(object); isObject {
		props["body"] = storedBody(given)
	}
	now := timestamp(c.opts.Now())
	for _, name := range []string{"createdDateTime", "lastModifiedDateTime", "receivedDateTime", "sentDateTime"} {
		props[name] = now
	}
	props["bodyPreview"] = preview(props["body"].(object))
	props["isDraft"], props["isRead"] = true, true
	props["conversationId"] = b.conversationID(c.nextItem + 1)
	me := recipient(c.owner.name(), c.owner.mail())
	if props["from"] == nil {
		props["from"] = me
	}
	props["sender"] = me
	return c.add(b, b.folder("drafts"), props, files...), nil
}

// emptyMessage has every property that Graph shows of a message.
func emptyMessage(n int) object {
	return object{
		"subject": "", "body": object{"contentType": "text", "content": ""}, "bodyPreview": "", "importance": "normal",
		"categories": []any{}, "toRecipients": []any{}, "ccRecipients": []any{}, "bccRecipients": []any{}, "replyTo": []any{},
		"flag": object{"flagStatus": "notFlagged"}, "inferenceClassification": "focused", "isRead": false, "isDraft": false,
		"isDeliveryReceiptRequested": nil, "isReadReceiptRequested": false, "from": nil, "sender": nil,
		"internetMessageId": fmt.Sprintf("<%s@mail.nordlicht.example>", guid("message"+fmt.Sprint(n))), "conversationId": nil,
		"conversationIndex": "AQHc" + changeKey(n, 7)[:24], "internetMessageHeaders": []any{},
	}
}

func sendDraft(c *call) (reply, error) {
	m, err := c.message()
	if err != nil {
		return reply{}, err
	}
	if !m.draft() {
		return reply{}, failf(http.StatusBadRequest, "ErrorInvalidOperation", "Only drafts can be sent.")
	}
	return accepted(), c.send(m)
}

// send moves a draft to Sent Items and delivers it within the tenant.
func (c *call) send(m *message) error {
	to, cc, bcc := addresses(m.props["toRecipients"]), addresses(m.props["ccRecipients"]), addresses(m.props["bccRecipients"])
	if len(to)+len(cc)+len(bcc) == 0 {
		return failf(http.StatusBadRequest, "ErrorInvalidRecipients", "At least one recipient must be specified.")
	}
	from := textAt(m.props, "from", "emailAddress", "address")
	if owner := c.user(from); owner == nil || owner != c.owner && (owner.box == nil || !owner.box.delegates[c.owner.id()]) {
		return failf(http.StatusForbidden, "ErrorSendAsDenied", "The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account.")
	}
	now := timestamp(c.opts.Now())
	m.props["isDraft"], m.props["sentDateTime"], m.props["receivedDateTime"] = false, now, now
	m.move(m.box.folder("sentitems"))
	mail := SentMail{
		From: from, To: to, Cc: cc, Bcc: bcc, Subject: textAt(m.props, "subject"),
		Body: textAt(m.props, "body", "content"), BodyType: textAt(m.props, "body", "contentType"), ID: m.id(prefs{}),
	}
	for _, a := range m.files {
		mail.Attachments = append(mail.Attachments, textAt(a.props, "name"))
	}
	c.sent = append(c.sent, mail)
	for _, address := range slices.Concat(to, cc, bcc) {
		if receiver := c.user(address); receiver != nil && receiver.box != nil {
			copied := maps.Clone(m.props)
			copied["isRead"], copied["bccRecipients"] = false, []any{}
			c.add(receiver.box, receiver.box.folder("inbox"), copied, m.files...)
		}
	}
	return nil
}

// respond makes the draft of a reply or a forward, and sends it if asked to.
func respond(c *call, how string, sendNow bool) (reply, error) {
	original, err := c.message()
	if err != nil {
		return reply{}, err
	}
	params, err := c.parameters()
	if err != nil {
		return reply{}, err
	}
	given, _ := params["message"].(object)
	comment := textAt(params, "comment")
	if comment != "" && given["body"] != nil {
		c.violate(fakehttp.WrongKind, "comment and message.body together")
		return reply{}, failf(http.StatusBadRequest, "ErrorInvalidRequest", "Specify either a comment or the body property of the message parameter.")
	}
	if how == "forward" && params["toRecipients"] != nil && given["toRecipients"] != nil {
		c.violate(fakehttp.WrongKind, "toRecipients twice")
		return reply{}, failf(http.StatusBadRequest, "ErrorInvalidRequest", "Specify toRecipients either as a parameter or in the message.")
	}
	body := object{}
	maps.Copy(body, given)
	c.addressResponse(body, original, how, elements(params["toRecipients"]))
	m, err := c.newDraft(body)
	if err != nil {
		return reply{}, err
	}
	m.props["conversationId"] = original.props["conversationId"]
	m.props["body"] = quoted(original.props, textAt(given, "body", "content"), comment)
	m.props["bodyPreview"] = preview(m.props["body"].(object))
	if how == "forward" {
		m.files = append(slices.Clone(original.files), m.files...)
	}
	if !sendNow {
		return created(c.entity(m.view(c.prefs))), nil
	}
	if err := c.send(m); err != nil {
		c.owner.box.remove(m)
		return reply{}, err
	}
	return accepted(), nil
}

// subjectPrefix is what Exchange leaves out of the normalized subject.
var subjectPrefix = regexp.MustCompile(`(?i)^((re|fw|fwd):\s*)+`)

// addressResponse fills in the subject and the recipients that Exchange picks.
func (c *call) addressResponse(body object, original *message, how string, forwardTo []any) {
	prefix := "RE: "
	if how == "forward" {
		prefix = "FW: "
	}
	subject := textAt(original.props, "subject")
	if body["subject"] == nil {
		body["subject"] = prefix + subjectPrefix.ReplaceAllString(subject, "")
	}
	switch {
	case how == "forward":
		if len(forwardTo) > 0 {
			body["toRecipients"] = forwardTo
		}
		return
	case body["toRecipients"] == nil:
		answerTo := elements(original.props["replyTo"])
		if len(answerTo) == 0 {
			answerTo = []any{original.props["from"]}
		}
		if how == "replyAll" {
			answerTo = append(slices.Clone(answerTo), c.others(elements(original.props["toRecipients"]), answerTo)...)
		}
		body["toRecipients"] = answerTo
	}
	if how == "replyAll" && body["ccRecipients"] == nil {
		body["ccRecipients"] = c.others(elements(original.props["ccRecipients"]), nil)
	}
}

// others leaves out the owner of the mailbox and those in known.
func (c *call) others(recipients, known []any) []any {
	out := []any{}
	for _, r := range recipients {
		address := textAt(r, "emailAddress", "address")
		if !strings.EqualFold(address, c.owner.mail()) && !slices.Contains(addresses(known), address) {
			out = append(out, r)
		}
	}
	return out
}

// quoted puts new text above the history of the original, as HTML.
func quoted(original object, content, comment string) object {
	above := content
	if comment != "" {
		above = "<div>" + strings.ReplaceAll(escapeHTML(comment), "\n", "<br>\n") + "</div>"
	}
	history := textAt(original, "body", "content")
	if textAt(original, "body", "contentType") != "html" {
		history = strings.ReplaceAll(escapeHTML(history), "\n", "<br>\n")
	}
	return object{"contentType": "html", "content": fmt.Sprintf(
		"<html><body>%s<hr tabindex=\"-1\" style=\"display:inline-block; width:98%%\"><div id=\"divRplyFwdMsg\" dir=\"ltr\"><b>From:</b> %s<br><b>Sent:</b> %s<br><b>To:</b> %s<br><b>Subject:</b> %s</div>%s</body></html>",
		above, escapeHTML(mimePeople([]any{original["from"]})), textAt(original, "sentDateTime"),
		escapeHTML(mimePeople(elements(original["toRecipients"]))), escapeHTML(textAt(original, "subject")), history)}
}
