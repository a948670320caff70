package graphtest

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// tenant is the state of a server.
type tenant struct {
	started  time.Time
	users    []*user
	boxes    []*mailbox
	groups   []*group
	rooms    []object
	skus     []object
	roles    []*role
	sent     []SentMail
	uploads  map[string]*uploadSession
	nextItem int
}

func newTenant(started time.Time) tenant {
	return tenant{started: started, uploads: map[string]*uploadSession{}}
}

type user struct {
	props    object
	box      *mailbox // nil: no mailbox
	manager  *user
	methods  []object // authentication methods
	devices  []object
	licences []object // licenseDetails
}

func (u *user) id() string   { s, _ := u.props["id"].(string); return s }
func (u *user) mail() string { s, _ := u.props["mail"].(string); return s }
func (u *user) name() string { s, _ := u.props["displayName"].(string); return s }

// user finds a user by object id, user principal name or, as Exchange does, by
// primary mail address.
func (t *tenant) user(key string) *user {
	for _, u := range t.users {
		if u.id() == key || strings.EqualFold(textAt(u.props, "userPrincipalName"), key) {
			return u
		}
	}
	for _, u := range t.users {
		if key != "" && strings.EqualFold(u.mail(), key) {
			return u
		}
	}
	return nil
}

type mailbox struct {
	guid           string
	owner          *user
	folders        []*folder
	messages       []*message // in the order they were made
	events         []*event
	calendars      []*calendar
	rules          []object
	settings       object
	delegates      map[string]bool // object ids with full access
	calendarShared bool            // all colleagues may read the calendar
	byID           map[string]*message
}

type folder struct {
	id        string
	wellKnown string // name in paths, such as "inbox"
	name      string
	parent    *folder // nil: the root
	hidden    bool
}

type message struct {
	box      *mailbox
	folder   *folder
	n        int // number of the item, kept by moves
	revision int // grows with each move
	version  int // grows with each change
	props    object
	files    []*attachment
}

func (t *tenant) item() int { t.nextItem++; return t.nextItem }

// message finds a message by its immutable or current regular id.
func (b *mailbox) message(id string) *message { return b.byID[id] }

func (b *mailbox) index(m *message) {
	b.byID[b.immutableID(m.n)] = m
	b.byID[b.regularID(m.n, m.revision)] = m
}

func (b *mailbox) unindex(m *message) {
	delete(b.byID, b.immutableID(m.n))
	delete(b.byID, b.regularID(m.n, m.revision))
}

// add files a new message.
func (t *tenant) add(b *mailbox, f *folder, props object, files ...*attachment) *message {
	m := &message{box: b, folder: f, n: t.item(), props: props, files: files}
	b.messages = append(b.messages, m)
	b.index(m)
	return m
}

// move puts m into another folder, which gives it a new regular id.
func (m *message) move(f *folder) {
	m.box.unindex(m)
	m.folder, m.revision = f, m.revision+1
	m.box.index(m)
}

func (b *mailbox) remove(m *message) {
	b.unindex(m)
	b.messages = slices.DeleteFunc(b.messages, func(other *message) bool { return other == m })
}

func (b *mailbox) newestFirst() []*message {
	return slices.SortedStableFunc(slices.Values(b.messages), func(x, y *message) int {
		return -cmp.Compare(textAt(x.props, "receivedDateTime"), textAt(y.props, "receivedDateTime"))
	})
}

// folder finds a folder by well-known name or id.
func (b *mailbox) folder(key string) *folder {
	for _, f := range b.folders {
		if f.id == key || f.wellKnown != "" && strings.EqualFold(f.wellKnown, key) {
			return f
		}
	}
	return nil
}

func (m *message) id(p prefs) string {
	if p.immutable {
		return m.box.immutableID(m.n)
	}
	return m.box.regularID(m.n, m.revision)
}

// view shows the message as Graph does.
func (m *message) view(p prefs) object {
	view := maps.Clone(m.props)
	delete(view, attachmentNames)
	id, key := m.id(p), changeKey(m.n, m.version)
	view["id"], view["changeKey"], view["@odata.etag"] = id, key, `W/"`+key+`"`
	view["parentFolderId"] = m.folder.id
	view["webLink"] = "https://outlook.office365.com/owa/?ItemID=" + id + "&exvsurl=1&viewmodel=ReadMessageItem"
	view["hasAttachments"] = m.hasAttachments()
	if body, isObject := m.props["body"].(object); isObject {
		view["body"] = showBody(body, p.bodyType)
	}
	if body, isObject := m.props["body"].(object); isObject && p.uniqueBody {
		view["uniqueBody"] = showBody(object{"contentType": body["contentType"], "content": withoutHistory(textAt(body, "content"))}, p.bodyType)
	}
	return view
}

// filterable are the properties that $filter and $orderby see.
func (m *message) filterable() object {
	m.props["parentFolderId"], m.props["hasAttachments"] = m.folder.id, m.hasAttachments()
	var names []string
	for _, a := range m.files {
		names = append(names, textAt(a.props, "name"))
	}
	m.props[attachmentNames] = strings.Join(names, " ")
	return m.props
}

// hasAttachments leaves out inline pictures, as Graph does.
func (m *message) hasAttachments() bool {
	return slices.ContainsFunc(m.files, func(a *attachment) bool { return a.props["isInline"] != true })
}

func (m *message) draft() bool { return m.props["isDraft"] == true }

func showBody(body object, want string) object {
	contentType, content := textAt(body, "contentType"), textAt(body, "content")
	switch {
	case want == "text" && strings.EqualFold(contentType, "html"):
		return object{"contentType": "text", "content": plainText(content)}
	case want == "html" && strings.EqualFold(contentType, "text"):
		return object{"contentType": "html", "content": "<html><body><div>" + strings.ReplaceAll(escapeHTML(content), "\n", "<br>\n") + "</div></body></html>"}
	}
	return object{"contentType": strings.ToLower(contentType), "content": content}
}

var (
	htmlSkipped = regexp.MustCompile(`(?is)<(style|script|head)\b.*?</(style|script|head)>`)
	htmlBreaks  = regexp.MustCompile(`(?i)<br\s*/?>|</(p|div|tr|h[1-6]|li)>`)
	htmlTags    = regexp.MustCompile(`(?s)<[^>]*>`)
	blankLines  = regexp.MustCompile(`\n[ \t]*(\n[ \t]*)+`)
	history     = regexp.MustCompile(`(?is)<div id="(appendonsend|divRplyFwdMsg)".*|<hr.*|\n-----Original Message-----.*`)
)

func plainText(html string) string {
	html = htmlSkipped.ReplaceAllString(html, "")
	html = htmlBreaks.ReplaceAllString(strings.ReplaceAll(html, "\n", " "), "\n")
	text := unescapeHTML.Replace(htmlTags.ReplaceAllString(html, ""))
	return strings.TrimSpace(blankLines.ReplaceAllString(text, "\n\n"))
}

func withoutHistory(body string) string { return history.ReplaceAllString(body, "") }

var (
	htmlEscapes  = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	unescapeHTML = strings.NewReplacer("&nbsp;", " ", "&lt;", "<", "&gt;", ">", "&quot;", `"`, "&#39;", "'", "&amp;", "&")
)

func escapeHTML(text string) string { return htmlEscapes.Replace(text) }

// preview is the first 255 characters of the text of a body.
func preview(body object) string {
	text := textAt(body, "content")
	if strings.EqualFold(textAt(body, "contentType"), "html") {
		text = plainText(text)
	}
	text = strings.Join(strings.Fields(text), " ")
	n := 0
	for i := range text {
		if n++; n > 255 {
			return text[:i]
		}
	}
	return text
}

func recipient(name, address string) object {
	return object{"emailAddress": object{"name": name, "address": address}}
}

// addresses lists the addresses of recipients.
func addresses(recipients any) []string {
	var out []string
	for _, r := range elements(recipients) {
		if a := textAt(r, "emailAddress", "address"); a != "" {
			out = append(out, a)
		}
	}
	return out
}
