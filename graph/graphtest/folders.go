package graphtest

import (
	"net/http"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
)

// folderRoutes answers for mail folders.
// https://learn.microsoft.com/graph/api/resources/mailfolder
func folderRoutes() map[string]handler {
	return map[string]handler{
		"GET /users/{id}/mailFolders":                    listFolders,
		"POST /users/{id}/mailFolders":                   createFolder,
		"GET /users/{id}/mailFolders/{id}":               getFolder,
		"PATCH /users/{id}/mailFolders/{id}":             updateFolder,
		"DELETE /users/{id}/mailFolders/{id}":            deleteFolder,
		"GET /users/{id}/mailFolders/{id}/childFolders":  listFolders,
		"POST /users/{id}/mailFolders/{id}/childFolders": createFolder,
		"POST /users/{id}/mailFolders/{id}/move":         moveFolder,
	}
}

// wellKnownFolders are in every mailbox, in the order they are listed.
var wellKnownFolders = []struct{ wellKnown, name string }{
	{"archive", "Archive"}, {"conversationhistory", "Conversation History"}, {"deleteditems", "Deleted Items"},
	{"drafts", "Drafts"}, {"inbox", "Inbox"}, {"junkemail", "Junk Email"}, {"outbox", "Outbox"}, {"sentitems", "Sent Items"},
}

// newMailbox gives a user a mailbox with the well-known folders.
func (t *tenant) newMailbox(u *user, zone string) *mailbox {
	b := &mailbox{
		guid: guid("mailbox" + u.mail()), owner: u, byID: map[string]*message{},
		delegates: map[string]bool{}, calendarShared: true, settings: defaultSettings(zone),
	}
	root := &folder{id: b.folderID(t.item()), wellKnown: "msgfolderroot", name: "Top of Information Store"}
	b.folders = append(b.folders, root)
	for _, known := range wellKnownFolders {
		t.addFolder(b, root, known.name).wellKnown = known.wellKnown
	}
	t.addFolder(b, root, "Sync Issues").hidden = true
	b.folders = append(b.folders, &folder{id: b.folderID(t.item()), wellKnown: "recoverableitemsdeletions", name: "Deletions"})
	t.addCalendars(b)
	u.box = b
	t.boxes = append(t.boxes, b)
	return b
}

func (t *tenant) addFolder(b *mailbox, parent *folder, name string) *folder {
	f := &folder{id: b.folderID(t.item()), name: name, parent: parent}
	b.folders = append(b.folders, f)
	return f
}

// folder returns the folder whose key the path has.
func (c *call) folder() (*folder, error) {
	if f := c.owner.box.folder(c.ids[1]); f != nil {
		return f, nil
	}
	if len(c.ids[1]) < 40 {
		return nil, failf(http.StatusBadRequest, "ErrorInvalidIdMalformed", "Id is malformed.")
	}
	return nil, failf(http.StatusNotFound, "ErrorItemNotFound", "The specified object was not found in the store., The process failed to get the correct properties.")
}

func (b *mailbox) folderView(f *folder) object {
	total, unread, children := 0, 0, 0
	for _, m := range b.messages {
		if m.folder == f {
			total++
			unread += 1 - btoi(m.props["isRead"] == true)
		}
	}
	for _, other := range b.folders {
		if other.parent == f && !other.hidden {
			children++
		}
	}
	view := object{
		"id": f.id, "displayName": f.name, "parentFolderId": nil, "childFolderCount": children,
		"unreadItemCount": unread, "totalItemCount": total, "sizeInBytes": total * 48_211, "isHidden": f.hidden,
	}
	if f.parent != nil {
		view["parentFolderId"] = f.parent.id
	}
	return view
}

func (b *mailbox) folderItem(f *folder) item {
	view := b.folderView(f)
	return item{view, func(prefs) object { return b.folderView(f) }, func(name string, _ prefs) any {
		if name != "childFolders" {
			return nil
		}
		children := []object{}
		for _, other := range b.folders {
			if other.parent == f && !other.hidden {
				children = append(children, b.folderView(other))
			}
		}
		return children
	}}
}

func folderListing(rows []item) listing {
	return listing{kinds: []string{"mailFolder"}, items: rows, top: 10, maxTop: 1000}
}

func listFolders(c *call) (reply, error) {
	box := c.owner.box
	parent := box.folder("msgfolderroot")
	if strings.HasSuffix(c.route, "/childFolders") {
		var err error
		if parent, err = c.folder(); err != nil {
			return reply{}, err
		}
	}
	var rows []item
	for _, f := range box.folders {
		if f.parent == parent && (!f.hidden || c.option("includeHiddenFolders") == "true") {
			rows = append(rows, box.folderItem(f))
		}
	}
	return c.list(folderListing(rows))
}

func getFolder(c *call) (reply, error) {
	f, err := c.folder()
	if err != nil {
		return reply{}, err
	}
	return c.one(folderListing(nil), c.owner.box.folderItem(f))
}

func createFolder(c *call) (reply, error) {
	box := c.owner.box
	parent := box.folder("msgfolderroot")
	if strings.HasSuffix(c.route, "/childFolders") {
		var err error
		if parent, err = c.folder(); err != nil {
			return reply{}, err
		}
	}
	body, err := c.folderBody()
	if err != nil {
		return reply{}, err
	}
	name := textAt(body, "displayName")
	if err := c.freeName(parent, name); err != nil {
		return reply{}, err
	}
	f := c.addFolder(box, parent, name)
	f.hidden = body["isHidden"] == true
	return created(c.entity(box.folderView(f))), nil
}

func (c *call) folderBody() (object, error) {
	body, err := c.decode("mailFolder")
	if err != nil {
		return nil, err
	}
	c.ignored(body, "id", "parentFolderId", "childFolderCount", "unreadItemCount", "totalItemCount", "sizeInBytes")
	if strings.TrimSpace(textAt(body, "displayName")) == "" {
		c.violate(fakehttp.WrongKind, "displayName is needed")
		return nil, failf(http.StatusBadRequest, "ErrorInvalidRequest", "The display name of the folder is required.")
	}
	return body, nil
}

func (c *call) freeName(parent *folder, name string) error {
	for _, f := range c.owner.box.folders {
		if f.parent == parent && strings.EqualFold(f.name, name) {
			return failf(http.StatusConflict, "ErrorFolderExists", "A folder with the specified name already exists., Could not create folder '%s'.", name)
		}
	}
	return nil
}

func updateFolder(c *call) (reply, error) {
	f, err := c.folder()
	if err != nil {
		return reply{}, err
	}
	body, err := c.folderBody()
	if err != nil {
		return reply{}, err
	}
	if f.wellKnown != "" {
		return reply{}, failf(http.StatusForbidden, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be renamed.")
	}
	if name := textAt(body, "displayName"); !strings.EqualFold(name, f.name) {
		if err := c.freeName(f.parent, name); err != nil {
			return reply{}, err
		}
		f.name = name
	}
	return c.one(folderListing(nil), c.owner.box.folderItem(f))
}

// deleteFolder moves a folder to Deleted Items.
func deleteFolder(c *call) (reply, error) {
	f, err := c.folder()
	if err != nil {
		return reply{}, err
	}
	if f.wellKnown != "" {
		return reply{}, failf(http.StatusForbidden, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted.")
	}
	f.parent = c.owner.box.folder("deleteditems")
	return noContent(), nil
}

func moveFolder(c *call) (reply, error) {
	f, err := c.folder()
	if err != nil {
		return reply{}, err
	}
	params, err := c.parameters()
	if err != nil {
		return reply{}, err
	}
	to := c.owner.box.folder(textAt(params, "destinationId"))
	if to == nil {
		return reply{}, failf(http.StatusNotFound, "ErrorFolderNotFound", "The specified folder could not be found in the store.")
	}
	if f.wellKnown != "" {
		return reply{}, failf(http.StatusForbidden, "ErrorMoveDistinguishedFolder", "Distinguished folders cannot be moved.")
	}
	f.parent = to
	return created(c.entity(c.owner.box.folderView(f))), nil
}
