package graph

import (
	"context"
)

// messagesPath returns the path of the messages of a mailbox, or of one folder.
func (c *Client) messagesPath(ctx context.Context, mailbox, folder string) (string, error) {
	if folder == "" {
		return c.path(ctx, mailbox, "/messages")
	}
	id, ok := wellKnownFolder(folder)
	if !ok {
		id = folder
	}
	return c.path(ctx, mailbox, "/mailFolders/{}/messages", id)
}
