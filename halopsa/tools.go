package halopsa

import "github.com/msptoolbelt/toolbelt/mcptools"

// Tools returns all tools of the client.
func (c *Client) Tools() mcptools.Set {
	return mcptools.Join()
}
