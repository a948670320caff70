package graphtest

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
)

// mailRoutes answers for messages.
// https://learn.microsoft.com/graph/api/resources/message
func mailRoutes() map[string]handler {
	return map[string]handler{
		"GET /users/{id}/messages":                         listMessages,
		"GET /users/{id}/messages/$count":                  countMessages,
		"POST /users/{id}/messages":                        createDraft,
		"GET /users/{id}/messages/{id}":                    getMessage,
		"GET /users/{id}/messages/{id}/$value":             getMessageMIME,
		"PATCH /users/{id}/messages/{id}":                  updateMessage,
		"DELETE /users/{id}/messages/{id}":                 deleteMessage,
		"POST /users/{id}/messages/{id}/permanentDelete":   purgeMessage,
		"POST /users/{id}/messages/{id}/move":              moveMessage,
		"POST /users/{id}/messages/{id}/copy":              copyMessage,
		"GET /users/{id}/mailFolders/{id}/messages":        listMessages,
		"GET /users/{id}/mailFolders/{id}/messages/$count": countMessages,
		"POST /users/{id}/mailFolders/{id}/messages":       createDraft,
	}
}

func (c *call) message() (*message, error) {
	m := c.owner.box.message(c.ids[1])
	if m == nil {
		if len(c.ids[1]) < 20 {
			return nil, failf(http.StatusBadRequest, "ErrorInvalidIdMalformed", "Id is malformed.")
		}
		return nil, errNotFound()
	}
	return m, nil
}

func messageListing(rows []item) listing {
	return listing{
		kinds: []string{"message"}, items: rows, top: 10, maxTop: 1000,
		hidden: []string{"internetMessageHeaders", "uniqueBody"}, check: checkMailQuery, search: mailSearch,
	}
}

func messageItem(m *message) item {
	return item{m.filterable(), m.view, func(name string, p prefs) any {
		if name != "attachments" {
			return nil
		}
		views := []object{}
		for _, a := range m.files {
			views = append(views, a.view(m.holder(), p))
		}
		return views
	}}
}

// messageRows are the messages that the path asks for, newest first.
func (c *call) messageRows() ([]item, error) {
	var in *folder
	if strings.Contains(c.route, "/mailFolders/") {
		var err error
		if in, err = c.folder(); err != nil {
			return nil, err
		}
	}
	var rows []item
	for _, m := range c.owner.box.newestFirst() {
		if m.folder == in || in == nil && m.folder.wellKnown != "recoverableitemsdeletions" {
			rows = append(rows, messageItem(m))
		}
	}
	return rows, nil
}

func listMessages(c *call) (reply, error) {
	rows, err := c.messageRows()
	if err != nil {
		return reply{}, err
	}
	out, err := c.list(messageListing(rows))
	c.basicOnly(out.body)
	return out, err
}

func countMessages(c *call) (reply, error) {
	rows, err := c.messageRows()
	if err != nil {
		return reply{}, err
	}
	return c.countRows(messageListing(rows))
}

// countRows answers a GET of …/$count: a bare number as text.
func (c *call) countRows(l listing) (reply, error) {
	q, err := c.query(l.kinds...)
	if err == nil && l.check != nil {
		err = l.check(c, q)
	}
	if err != nil {
		return reply{}, err
	}
	rows, err := l.rows(c, q)
	return raw("text/plain", fmtInt(len(rows))), err
}

// basicOnly hides what Mail.ReadBasic does not let an app see.
func (c *call) basicOnly(body any) {
	full := slices.ContainsFunc(c.caller.scopes, func(scope string) bool {
		return strings.HasPrefix(scope, "Mail.Read") && !strings.HasPrefix(scope, "Mail.ReadBasic")
	})
	if full {
		return
	}
	for _, o := range append(elements(at(body, "value")), body) {
		if message, isObject := o.(object); isObject {
			for _, name := range []string{"body", "bodyPreview", "uniqueBody", "attachments"} {
				delete(message, name)
			}
		}
	}
}

// checkMailQuery holds Exchange's rules on combining options.
func checkMailQuery(c *call, q query) error {
	if q.search != "" {
		for option, name := range map[string]string{"$filter": "Filter", "$orderby": "OrderBy", "$skip": "Skip", "$count": "Count"} {
			if v := c.option(option); v != "" && v != "false" {
				c.violate(fakehttp.UnknownQuery, "$search with %s", option)
				return failf(http.StatusBadRequest, "SearchWith"+name, "The query parameter '%s' is not supported with '$search'.", option)
			}
		}
		return nil
	}
	if q.filter == nil {
		return nil
	}
	for _, p := range q.filter.properties {
		if slices.Contains([]string{"toRecipients", "ccRecipients", "bccRecipients", "replyTo", "internetMessageHeaders"}, p) {
			c.violate(fakehttp.UnknownQuery, "$filter on %s", p)
			return failf(http.StatusBadRequest, "ErrorInvalidUrlQueryFilter", "The query filter contains one or more invalid nodes.")
		}
	}
	// Properties of $orderby must be in $filter, in the same order, before
	// all others.
	for i, by := range q.orderBy {
		if i >= len(q.filter.properties) || q.filter.properties[i] != by.path {
			c.violate(fakehttp.UnknownQuery, "$orderby=%s does not lead $filter", by.path)
			return failf(http.StatusBadRequest, "InefficientFilter", "The restriction or sort order is too complex for this operation.")
		}
	}
	return nil
}

func getMessage(c *call) (reply, error) {
	m, err := c.message()
	if err != nil {
		return reply{}, err
	}
	out, err := c.one(messageListing(nil), messageItem(m))
	c.basicOnly(out.body)
	return out, err
}

// draftOnly may be changed while a message is a draft; readOnly never.
var (
	draftOnly = []string{"subject", "body", "toRecipients", "ccRecipients", "bccRecipients", "from", "sender", "replyTo", "internetMessageId", "isDeliveryReceiptRequested", "isReadReceiptRequested"}
	readOnly  = []string{"id", "bodyPreview", "uniqueBody", "changeKey", "conversationId", "conversationIndex", "createdDateTime", "lastModifiedDateTime", "receivedDateTime", "sentDateTime", "hasAttachments", "isDraft", "parentFolderId", "webLink"}
)

func updateMessage(c *call) (reply, error) {
	m, err := c.message()
	if err != nil {
		return reply{}, err
	}
	change, err := c.decode("message")
	if err != nil {
		return reply{}, err
	}
	if err := c.checkMatch(changeKey(m.n, m.version)); err != nil {
		return reply{}, err
	}
	c.ignored(change, readOnly...)
	if _, given := change["attachments"]; given {
		c.violate(fakehttp.SilentlyIgnored, "attachments in a PATCH")
		delete(change, "attachments")
	}
	if !m.draft() {
		for _, name := range draftOnly {
			if _, given := change[name]; given {
				c.violate(fakehttp.UnknownField, "%s of a message that is no draft", name)
				return reply{}, failf(http.StatusBadRequest, "ErrorInvalidPropertySet", "Set action is invalid for property.")
			}
		}
	}
	c.change(m, change)
	return c.one(messageListing(nil), messageItem(m))
}

// change merges new values into a message.
func (c *call) change(m *message, change object) {
	for name, value := range change {
		old, _ := m.props[name].(object)
		if update, isObject := value.(object); isObject && old != nil && name != "body" {
			merged := maps.Clone(old)
			maps.Copy(merged, update)
			value = merged
		}
		m.props[name] = value
	}
	if body, isObject := change["body"].(object); isObject {
		m.props["body"] = storedBody(body)
		m.props["bodyPreview"] = preview(body)
	}
	m.version++
	m.props["lastModifiedDateTime"] = timestamp(c.opts.Now())
}

// storedBody fills in the content type that Graph assumes.
func storedBody(body object) object {
	contentType := strings.ToLower(firstOf(textAt(body, "contentType"), "text"))
	return object{"contentType": contentType, "content": textAt(body, "content")}
}

// checkMatch refuses a change of something that changed since it was read.
func (c *call) checkMatch(key string) error {
	match := c.r.Header.Get("If-Match")
	if match == "" || match == "*" || strings.Trim(strings.TrimPrefix(match, "W/"), `"`) == key {
		return nil
	}
	return failf(http.StatusPreconditionFailed, "ErrorIrresolvableConflict", "The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item.")
}

// deleteMessage moves to Deleted Items; from there it removes for good.
func deleteMessage(c *call) (reply, error) {
	m, err := c.message()
	if err != nil {
		return reply{}, err
	}
	if m.folder.wellKnown == "deleteditems" || m.folder.wellKnown == "recoverableitemsdeletions" {
		m.move(c.owner.box.folder("recoverableitemsdeletions"))
	} else {
		m.move(c.owner.box.folder("deleteditems"))
	}
	return noContent(), nil
}

// purgeMessage removes a message beyond the user's reach.
func purgeMessage(c *call) (reply, error) {
	m, err := c.message()
	if err != nil {
		return reply{}, err
	}
	c.owner.box.remove(m)
	return noContent(), nil
}

func moveMessage(c *call) (reply, error) {
	m, f, err := c.messageAndDestination()
	if err != nil {
		return reply{}, err
	}
	m.move(f)
	return created(c.entity(m.view(c.prefs))), nil
}

func copyMessage(c *call) (reply, error) {
	m, f, err := c.messageAndDestination()
	if err != nil {
		return reply{}, err
	}
	duplicate := c.add(c.owner.box, f, maps.Clone(m.props), m.files...)
	return created(c.entity(duplicate.view(c.prefs))), nil
}

func (c *call) messageAndDestination() (*message, *folder, error) {
	m, err := c.message()
	if err != nil {
		return nil, nil, err
	}
	params, err := c.parameters()
	if err != nil {
		return nil, nil, err
	}
	f := c.owner.box.folder(textAt(params, "destinationId"))
	if f == nil {
		return nil, nil, failf(http.StatusNotFound, "ErrorFolderNotFound", "The specified folder could not be found in the store.")
	}
	return m, f, nil
}

// entity adds the context annotation of a single entity.
func (c *call) entity(view object) object {
	delete(view, "uniqueBody")
	delete(view, "internetMessageHeaders")
	view["@odata.context"] = c.context(query{}) + "/$entity"
	return view
}
