package graph

import "github.com/msptoolbelt/toolbelt/mcptools"

// Tools returns all tools of the client.
func (c *Client) Tools() mcptools.Set {
	return mcptools.Join(c.mailTools())
}

func (c *Client) mailTools() mcptools.Set {
	return mcptools.NewSet(
		mcptools.Define(mcptools.Spec{
			Name: "m365_mail_search", Title: "Search mail", Toolset: "mail", Effect: mcptools.ReadOnly, Marks: mcptools.Untrusted,
			Description: "Find messages, newest first. Read one with m365_mail_get.",
			Scopes:      mcptools.AllScopes("Mail.Read"),
		}, c.SearchMail),
		mcptools.Define(mcptools.Spec{
			Name: "m365_mail_send", Title: "Send mail", Toolset: "mail", Effect: mcptools.Additive, Marks: mcptools.Outbound,
			Description: "Send a new message. To answer one, use m365_mail_reply.",
			Scopes:      mcptools.AllScopes("Mail.Send"),
		}, c.SendMail),
	)
}
