package graphtest

import (
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
)

// attachmentRoutes answers for the attachments of messages and events.
// https://learn.microsoft.com/graph/api/resources/attachment
func attachmentRoutes() map[string]handler {
	routes := map[string]handler{}
	for _, of := range []string{"messages", "events"} {
		base := "/users/{id}/" + of + "/{id}/attachments"
		routes["GET "+base] = listAttachments
		routes["POST "+base] = addAttachment
		routes["GET "+base+"/{id}"] = getAttachment
		routes["DELETE "+base+"/{id}"] = deleteAttachment
		routes["GET "+base+"/{id}/$value"] = attachmentValue
		routes["POST "+base+"/createUploadSession"] = createUploadSession
	}
	return routes
}

// attachment is a file or an item; its bytes are a file's content or an
// item's MIME form.
type attachment struct {
	n       int
	props   object // of microsoft.graph.attachment
	kind    string // fileAttachment, itemAttachment or referenceAttachment
	content []byte
	item    object // of an itemAttachment, shown with $expand
}

const maxInlineAttachment = 3 << 20 // larger ones need an upload session

func newFile(name, contentType string, content []byte) *attachment {
	return &attachment{kind: "fileAttachment", content: content, props: object{
		"name": name, "contentType": contentType, "isInline": false, "contentId": nil, "contentLocation": nil,
	}}
}

// holder is what has attachments: a message or an event.
type holder struct {
	box      *mailbox
	n        int
	revision int
	files    *[]*attachment
	touch    func()
	draft    bool
}

func (c *call) holder() (holder, error) {
	if strings.Contains(c.route, "/events/") {
		e, err := c.event()
		if err != nil {
			return holder{}, err
		}
		return holder{c.owner.box, e.n, 0, &e.files, func() { e.version++ }, true}, nil
	}
	m, err := c.message()
	if err != nil {
		return holder{}, err
	}
	return m.holder(), nil
}

func (m *message) holder() holder {
	return holder{m.box, m.n, m.revision, &m.files, func() { m.version++ }, m.draft()}
}

func (a *attachment) view(h holder, p prefs) object {
	view := maps.Clone(a.props)
	view["@odata.type"] = "#microsoft.graph." + a.kind
	view["id"] = h.box.attachmentID(h.n, h.revision, a.n, p.immutable)
	view["size"] = len(a.content) + 400
	if a.kind == "fileAttachment" {
		view["contentBytes"] = base64.StdEncoding.EncodeToString(a.content)
		view["@odata.mediaContentType"] = a.props["contentType"]
	}
	return view
}

func attachmentListing(rows []item) listing {
	return listing{kinds: []string{"attachment"}, items: rows, top: 100, maxTop: 1000}
}

func (h holder) item(a *attachment) item {
	return item{a.props, func(p prefs) object { return a.view(h, p) }, func(name string, _ prefs) any {
		if strings.HasSuffix(name, "item") && a.item != nil {
			return maps.Clone(a.item)
		}
		return nil
	}}
}

func listAttachments(c *call) (reply, error) {
	h, err := c.holder()
	if err != nil {
		return reply{}, err
	}
	var rows []item
	for _, a := range *h.files {
		rows = append(rows, h.item(a))
	}
	return c.list(attachmentListing(rows))
}

func (c *call) attachment() (holder, *attachment, error) {
	h, err := c.holder()
	if err != nil {
		return h, nil, err
	}
	for _, a := range *h.files {
		id := c.ids[2]
		if id == h.box.attachmentID(h.n, h.revision, a.n, false) || id == h.box.attachmentID(h.n, h.revision, a.n, true) {
			return h, a, nil
		}
	}
	return h, nil, errNotFound()
}

func getAttachment(c *call) (reply, error) {
	h, a, err := c.attachment()
	if err != nil {
		return reply{}, err
	}
	l := attachmentListing(nil)
	if a.kind == "itemAttachment" {
		l.kinds = []string{"itemAttachment"}
		if expand := c.option("$expand"); strings.HasPrefix(expand, "microsoft.graph.itemAttachment/item") {
			view := a.view(h, c.prefs)
			view["item"] = maps.Clone(a.item)
			view["@odata.context"] = c.context(query{}) + "/$entity"
			return ok(view), nil
		}
	}
	return c.one(l, h.item(a))
}

// attachmentValue answers with the bytes of a file, or the MIME form of an
// attached mail.
func attachmentValue(c *call) (reply, error) {
	_, a, err := c.attachment()
	if err != nil {
		return reply{}, err
	}
	switch a.kind {
	case "referenceAttachment":
		return reply{}, failf(http.StatusMethodNotAllowed, "ErrorInvalidOperation", "A reference attachment has no content of its own.")
	case "itemAttachment":
		return raw("text/plain", a.content), nil
	}
	return raw(firstOf(textAt(a.props, "contentType"), "application/octet-stream"), a.content), nil
}

func deleteAttachment(c *call) (reply, error) {
	h, a, err := c.attachment()
	if err != nil {
		return reply{}, err
	}
	*h.files = slices.DeleteFunc(*h.files, func(other *attachment) bool { return other == a })
	h.touch()
	return noContent(), nil
}

func addAttachment(c *call) (reply, error) {
	h, err := c.holder()
	if err != nil {
		return reply{}, err
	}
	body, err := c.decode("attachment")
	if err != nil {
		return reply{}, err
	}
	a, err := c.newAttachment(body)
	if err != nil {
		return reply{}, err
	}
	*h.files = append(*h.files, a)
	h.touch()
	return created(c.entity(a.view(h, c.prefs))), nil
}

// newAttachment makes an attachment from its JSON form.
func (c *call) newAttachment(body object) (*attachment, error) {
	kind := strings.TrimPrefix(strings.TrimPrefix(textAt(body, "@odata.type"), "#"), "microsoft.graph.")
	if kind == "" {
		c.violate(fakehttp.UnknownField, "an attachment without @odata.type")
		return nil, failf(http.StatusBadRequest, "RequestBodyRead", "An attachment needs the annotation @odata.type.")
	}
	if textAt(body, "name") == "" {
		c.violate(fakehttp.WrongKind, "an attachment without a name")
		return nil, failf(http.StatusBadRequest, "ErrorRequiredPropertyMissing", "Required property is missing: attachment name.")
	}
	content, err := base64.StdEncoding.DecodeString(textAt(body, "contentBytes"))
	if err != nil {
		return nil, failf(http.StatusBadRequest, "RequestBodyRead", "Cannot convert the literal of 'contentBytes' to the expected type 'Edm.Binary'.")
	}
	if len(content) > maxInlineAttachment {
		return nil, failf(http.StatusRequestEntityTooLarge, "ErrorMessageSizeExceeded", "The attachment is too large for this request; create an upload session.")
	}
	c.ignored(body, "id", "size", "lastModifiedDateTime")
	item, _ := body["item"].(object)
	a := newFile(textAt(body, "name"), firstOf(textAt(body, "contentType"), "application/octet-stream"), content)
	a.n, a.kind, a.item = c.item(), kind, item
	a.props["isInline"] = body["isInline"] == true
	a.props["lastModifiedDateTime"] = timestamp(c.opts.Now())
	if id := textAt(body, "contentId"); id != "" {
		a.props["contentId"] = id
	}
	return a, nil
}

func fmtInt(n int) []byte { return strconv.AppendInt(nil, int64(n), 10) }
