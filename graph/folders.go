package graph

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/internal/match"
	"github.com/msptoolbelt/toolbelt/internal/paging"
	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// mailFolder is a folder as Graph sends it; Path is added here.
// https://learn.microsoft.com/graph/api/resources/mailfolder
type mailFolder struct {
	ID       string `json:"id"`
	Name     string `json:"displayName"`
	Unread   int    `json:"unreadItemCount"`
	Total    int    `json:"totalItemCount"`
	Children int    `json:"childFolderCount"`
	Parent   string `json:"parentFolderId"`
	Path     string `json:"-"`
}

const (
	folderFields  = "id,displayName,unreadItemCount,totalItemCount,childFolderCount,parentFolderId"
	maxFolders    = 2000
	maxFolderDeep = 12
)

// outlookID matches ids of folders and attachments: nobody calls one that.
var outlookID = regexp.MustCompile(`^[A-Za-z0-9_=+-]{60,}$`)

// messagesPath returns the path of the messages of a mailbox, or of one folder.
func (c *Client) messagesPath(ctx context.Context, mailbox, folder string) (string, error) {
	if folder == "" {
		return c.path(ctx, mailbox, "/messages")
	}
	f, err := c.folder(ctx, mailbox, folder)
	if err != nil {
		return "", err
	}
	return c.path(ctx, mailbox, "/mailFolders/{}/messages", f.ID)
}

// folder finds a folder by its id, well-known name, path ("Inbox/Customers") or
// name. A path may begin with a well-known name whatever the mailbox's language.
func (c *Client) folder(ctx context.Context, mailbox, name string) (mailFolder, error) {
	name = strings.Trim(strings.TrimSpace(name), "/")
	if key, ok := wellKnownFolder(name); ok {
		return mailFolder{ID: key, Path: name}, nil
	}
	if outlookID.MatchString(name) {
		return mailFolder{ID: name, Path: name}, nil
	}
	tree, forget, err := c.tree(ctx, mailbox)
	if err != nil {
		return mailFolder{}, err
	}
	if known, ok := usualFolder(name); ok {
		return c.usual(ctx, mailbox, tree, name, known)
	}
	found, err := chooseFolder(tree, name)
	if errors.Is(err, mcptools.CodeNotFound) {
		if local, known := c.localPath(ctx, mailbox, name); known {
			found, err = chooseFolder(tree, local)
		}
	}
	if errors.Is(err, mcptools.CodeNotFound) { // it may be new
		forget()
		if tree, err = c.folderTree(ctx, mailbox); err == nil {
			found, err = chooseFolder(tree, name)
		}
	}
	return found, err
}

// usual returns the folder of that very name at the top or below the inbox, or
// else the well-known one that people call so.
func (c *Client) usual(ctx context.Context, mailbox string, tree []mailFolder, name, known string) (mailFolder, error) {
	inbox, err := c.wellKnown(ctx, mailbox, "inbox")
	if err != nil {
		return mailFolder{}, err
	}
	own := slices.DeleteFunc(slices.Clone(tree), func(f mailFolder) bool {
		return !strings.EqualFold(f.Name, name) || f.Path != f.Name && f.Parent != inbox.ID
	})
	if len(own) > 0 {
		return chooseFolder(own, name)
	}
	return c.wellKnown(ctx, mailbox, known)
}

// tree returns the folders of a mailbox as they were a while ago at most, and a
// function that forgets them.
func (c *Client) tree(ctx context.Context, mailbox string) ([]mailFolder, func(), error) {
	key, err := c.foldersKey(ctx, mailbox)
	if err != nil {
		return nil, nil, err
	}
	tree, err := c.folders.Get(ctx, key, func(ctx context.Context) ([]mailFolder, error) { return c.folderTree(ctx, mailbox) })
	return tree, func() { c.folders.Forget(key) }, err
}

func (c *Client) foldersKey(ctx context.Context, mailbox string) (string, error) {
	path, err := c.path(ctx, mailbox, "/mailFolders")
	if err != nil {
		return "", err
	}
	identity, err := c.holder(ctx)
	return identity + "\x00" + path, err
}

// chooseFolder finds a folder by its own name or by its path. Errors name paths:
// they do as well as ids, which are long.
func chooseFolder(tree []mailFolder, name string) (mailFolder, error) {
	byName, byPath := make([]match.Candidate, 0, len(tree)), make([]match.Candidate, 0, len(tree))
	for _, f := range tree {
		byName = append(byName, match.Candidate{ID: f.Path, Name: f.Name})
		byPath = append(byPath, match.Candidate{ID: f.Path, Name: f.Path})
	}
	one, err := match.One("folder", name, byName)
	if errors.Is(err, mcptools.CodeNotFound) {
		one, err = match.One("folder", name, byPath)
	}
	if errors.Is(err, mcptools.CodeNotFound) {
		var paths []string
		for _, f := range tree[:min(len(tree), 15)] {
			paths = append(paths, f.Path)
		}
		return mailFolder{}, mcptools.Errorf(mcptools.CodeNotFound, "there is no folder %q", markup.Preview(name, 80)).
			WithHint("there is: %s; m365_mail_folders lists all", strings.Join(paths, ", "))
	}
	if err != nil {
		return mailFolder{}, err
	}
	return tree[slices.IndexFunc(tree, func(f mailFolder) bool { return f.Path == one.ID })], nil
}

// localPath replaces a well-known name at the beginning of a path by the name
// that the folder has in this mailbox.
func (c *Client) localPath(ctx context.Context, mailbox, name string) (string, bool) {
	first, rest, deeper := strings.Cut(name, "/")
	key, ok := wellKnownFolder(first)
	if !ok {
		key, ok = usualFolder(first)
	}
	if !ok || !deeper {
		return "", false
	}
	f, err := c.wellKnown(ctx, mailbox, key)
	if err != nil || f.Name == "" {
		return "", false
	}
	return f.Name + "/" + rest, true
}

// wellKnown reads a folder by its well-known name.
func (c *Client) wellKnown(ctx context.Context, mailbox, name string) (mailFolder, error) {
	key, err := c.foldersKey(ctx, mailbox)
	if err != nil {
		return mailFolder{}, err
	}
	found, err := c.folders.Get(ctx, key+"\x00"+name, func(ctx context.Context) ([]mailFolder, error) {
		f, err := c.readFolder(ctx, mailbox, name)
		return []mailFolder{f}, err
	})
	if err != nil {
		return mailFolder{}, err
	}
	return found[0], nil
}

// readFolder reads a folder by its id or well-known name. Its path is its name.
func (c *Client) readFolder(ctx context.Context, mailbox, id string) (mailFolder, error) {
	var f mailFolder
	path, err := c.path(ctx, mailbox, "/mailFolders/{}", id)
	if err == nil {
		err = c.get(ctx, path, url.Values{"$select": {folderFields}}, nil, &f)
	}
	f.Path = f.Name
	return f, err
}

// inDeletedItems reports whether a folder is Deleted Items or inside it: what
// is put there is deleted, about which people want to be asked.
func (c *Client) inDeletedItems(ctx context.Context, mailbox string, f mailFolder) (bool, error) {
	if key, known := wellKnownFolder(f.ID); known {
		return key == "deleteditems", nil
	}
	bin, err := c.wellKnown(ctx, mailbox, "deleteditems")
	if hidden(err) { // who cannot see it cannot put anything there
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for range 4 * maxFolderDeep {
		if f.Parent == "" {
			f, err = c.readFolder(ctx, mailbox, f.ID)
			if hidden(err) { // or see its folders
				return false, nil
			}
			if err != nil {
				return false, err
			}
		}
		switch {
		case f.ID == bin.ID, f.Parent == bin.ID:
			return true, nil
		case f.Parent == "", f.Parent == bin.Parent:
			return false, nil
		}
		f = mailFolder{ID: f.Parent}
	}
	return true, nil // nobody can tell
}

// hidden reports whether err is that of something that is not shared.
func hidden(err error) bool {
	return errors.Is(err, mcptools.CodeNotFound) || errors.Is(err, mcptools.CodePermissionDenied)
}

// folderTree reads all folders of a mailbox, level by level.
func (c *Client) folderTree(ctx context.Context, mailbox string) ([]mailFolder, error) {
	root, err := c.path(ctx, mailbox, "/mailFolders")
	if err != nil {
		return nil, err
	}
	level, err := c.childFolders(ctx, root, "")
	if err != nil {
		return nil, err
	}
	tree := level
	for depth := 0; depth < maxFolderDeep && len(tree) < maxFolders; depth++ {
		parents := slices.DeleteFunc(slices.Clone(level), func(f mailFolder) bool { return f.Children == 0 })
		if len(parents) == 0 {
			break
		}
		if level, err = c.nextLevel(ctx, root, parents); err != nil {
			return nil, err
		}
		tree = append(tree, level...)
	}
	slices.SortStableFunc(tree, func(a, b mailFolder) int { return cmp.Compare(strings.ToLower(a.Path), strings.ToLower(b.Path)) })
	return tree, nil
}

// nextLevel reads the folders directly below parents, in batches.
func (c *Client) nextLevel(ctx context.Context, root string, parents []mailFolder) ([]mailFolder, error) {
	requests := make([]batchRequest, 0, len(parents))
	for _, f := range parents {
		path, err := rest.Path("/{}/childFolders", f.ID)
		if err != nil {
			return nil, err
		}
		requests = append(requests, batchRequest{
			Method: http.MethodGet, Path: root + path, Query: url.Values{"$select": {folderFields}, "$top": {"100"}},
		})
	}
	answers, err := c.batch(ctx, requests)
	if err != nil {
		return nil, err
	}
	var level []mailFolder
	for i, a := range answers {
		if a.Err != nil {
			return nil, a.Err
		}
		var page struct {
			Value []mailFolder `json:"value"`
			Next  string       `json:"@odata.nextLink"`
		}
		if err := json.Unmarshal(a.Body, &page); err != nil {
			return nil, c.service.Unread(requests[i].rest(), err)
		}
		children := below(parents[i].Path, page.Value)
		if page.Next != "" { // more than one page: read the list by itself
			if children, err = c.childFolders(ctx, requests[i].Path, parents[i].Path); err != nil {
				return nil, err
			}
		}
		level = append(level, children...)
	}
	return level, nil
}

// childFolders reads all pages of a list of folders.
func (c *Client) childFolders(ctx context.Context, path, parent string) ([]mailFolder, error) {
	l := collection{path: path, query: url.Values{"$select": {folderFields}}, limit: 100}
	all, err := whole[mailFolder](ctx, c, l, maxFolders)
	return below(parent, all), err
}

// below sets the paths of folders.
func below(parent string, folders []mailFolder) []mailFolder {
	for i := range folders {
		folders[i].Path = strings.TrimPrefix(parent+"/"+folders[i].Name, "/")
	}
	return folders
}

// ListMailFoldersInput says which folders to list.
type ListMailFoldersInput struct {
	Mailbox   string `json:"mailbox,omitempty"`
	Recursive bool   `json:"recursive,omitempty" jsonschema:"all levels"`
	Limit     int    `json:"limit,omitempty" minimum:"1" maximum:"200" default:"50"`
	Cursor    string `json:"cursor,omitempty"`
}

// FolderRow is one mail folder.
type FolderRow struct {
	ID       string `json:"id"`
	Path     string `json:"path"`
	Unread   int    `json:"unread"`
	Total    int    `json:"total"`
	Children int    `json:"children,omitempty"`
}

func folderRow(f mailFolder) FolderRow {
	return FolderRow{ID: f.ID, Path: f.Path, Unread: f.Unread, Total: f.Total, Children: f.Children}
}

// ListMailFolders lists the folders of a mailbox with their counts.
// https://learn.microsoft.com/graph/api/user-list-mailfolders
func (c *Client) ListMailFolders(ctx context.Context, in ListMailFoldersInput) (*mcptools.Page[FolderRow], error) {
	path, err := c.path(ctx, in.Mailbox, "/mailFolders")
	if err != nil {
		return nil, err
	}
	limit := cmp.Or(in.Limit, 50)
	if !in.Recursive {
		return list(ctx, c, collection{
			tool: "m365_mail_folders", args: in, cursor: in.Cursor, limit: limit, path: path, query: url.Values{"$select": {folderFields}},
		}, func(f mailFolder) FolderRow { f.Path = f.Name; return folderRow(f) })
	}
	identity, err := c.owner(ctx)
	if err != nil {
		return nil, err
	}
	scope, err := paging.Scope("m365_mail_folders", identity, in)
	if err != nil {
		return nil, err
	}
	return paging.Collect(ctx, c.codec, paging.Query{Scope: scope, Cursor: in.Cursor, Limit: limit},
		func(ctx context.Context, _ string, _ int) ([]FolderRow, string, *int, error) {
			tree, err := c.folderTree(ctx, in.Mailbox)
			if err != nil {
				return nil, "", nil, err
			}
			rows, total := make([]FolderRow, 0, len(tree)), len(tree)
			for _, f := range tree {
				rows = append(rows, folderRow(f))
			}
			return rows, "", &total, nil
		})
}
