package graph

import (
	"context"
	"net/http"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

// EditMailFolderInput creates a folder, or renames or moves the one that
// Folder names.
type EditMailFolderInput struct {
	Mailbox string `json:"mailbox,omitempty"`
	Folder  string `json:"folder,omitempty" jsonschema:"the one to change: name, path or id; none: create"`
	Name    string `json:"name,omitempty" jsonschema:"new name"`
	Parent  string `json:"parent,omitempty" jsonschema:"folder to put it in; default: top level"`
}

// EditedFolder says what was done to a folder.
type EditedFolder struct {
	ID   string   `json:"id"`
	Name string   `json:"name"`
	Done []string `json:"done" jsonschema:"created, renamed or moved"`
}

// EditMailFolder creates, renames or moves a folder.
// https://learn.microsoft.com/graph/api/mailfolder-update
func (c *Client) EditMailFolder(ctx context.Context, in EditMailFolderInput) (*EditedFolder, error) {
	if in.Name == "" && (in.Folder == "" || in.Parent == "") {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "name: say what the folder is to be called").
			WithHint("give name to create or rename, or folder and parent to move")
	}
	parent, err := c.newParent(ctx, in)
	if err != nil {
		return nil, err
	}
	key, err := c.foldersKey(ctx, in.Mailbox)
	if err != nil {
		return nil, err
	}
	defer c.folders.Forget(key)
	if in.Folder == "" {
		return c.createFolder(ctx, in, parent)
	}
	return c.changeFolder(ctx, in, parent)
}

// newParent returns the id of the folder that is to be the parent, if any.
func (c *Client) newParent(ctx context.Context, in EditMailFolderInput) (string, error) {
	if in.Parent == "" {
		return "", nil
	}
	parent, err := c.folder(ctx, in.Mailbox, in.Parent)
	if err != nil || in.Folder == "" {
		return parent.ID, err
	}
	deletes, err := c.inDeletedItems(ctx, in.Mailbox, parent)
	if err != nil {
		return "", err
	}
	if deletes {
		return "", mcptools.Errorf(mcptools.CodeInvalidArguments, "parent: moving a folder to Deleted Items deletes it, which no tool does").
			WithHint("delete its messages with m365_mail_delete; the folder itself is deleted in Outlook")
	}
	return parent.ID, nil
}

func (c *Client) createFolder(ctx context.Context, in EditMailFolderInput, parent string) (*EditedFolder, error) {
	path, err := c.path(ctx, in.Mailbox, "/mailFolders")
	if parent != "" {
		path, err = c.path(ctx, in.Mailbox, "/mailFolders/{}/childFolders", parent)
	}
	if err != nil {
		return nil, err
	}
	var made mailFolder
	if err := c.send(ctx, http.MethodPost, path, map[string]any{"displayName": in.Name}, &made); err != nil {
		return nil, err
	}
	return &EditedFolder{ID: made.ID, Name: made.Name, Done: []string{"created"}}, nil
}

func (c *Client) changeFolder(ctx context.Context, in EditMailFolderInput, parent string) (*EditedFolder, error) {
	f, err := c.folder(ctx, in.Mailbox, in.Folder)
	if err != nil {
		return nil, err
	}
	path, err := c.path(ctx, in.Mailbox, "/mailFolders/{}", f.ID)
	if err != nil {
		return nil, err
	}
	result := &EditedFolder{ID: f.ID, Name: f.Name}
	if in.Name != "" {
		if err := c.send(ctx, http.MethodPatch, path, map[string]any{"displayName": in.Name}, &f); err != nil {
			return nil, err
		}
		result.ID, result.Name, result.Done = f.ID, f.Name, []string{"renamed"}
	}
	if parent == "" {
		return result, nil
	}
	if err := c.send(ctx, http.MethodPost, path+"/move", map[string]any{"destinationId": parent}, &f); err != nil {
		if in.Name != "" {
			return nil, halfDone(err, "the folder was renamed, but not moved")
		}
		return nil, err
	}
	result.ID, result.Name, result.Done = f.ID, f.Name, append(result.Done, "moved")
	return result, nil
}
