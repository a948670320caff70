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
			Name: "m365_mail_get", Title: "Read a message", Toolset: "mail", Effect: mcptools.ReadOnly, Marks: mcptools.Untrusted,
			Description: "Read one message: body, recipients, attachment list.",
			Scopes:      mcptools.AllScopes("Mail.Read"),
		}, c.GetMail),
		mcptools.Define(mcptools.Spec{
			Name: "m365_mail_thread", Title: "Read a conversation", Toolset: "mail", Effect: mcptools.ReadOnly, Marks: mcptools.Untrusted,
			Description: "Read all messages of a conversation, oldest first, without quoted history.",
			Scopes:      mcptools.AllScopes("Mail.Read"),
		}, c.GetMailThread),
		mcptools.Define(mcptools.Spec{
			Name: "m365_mail_folders", Title: "List mail folders", Toolset: "mail", Effect: mcptools.ReadOnly,
			Description: "List mail folders with their counts.",
			Scopes:      mcptools.Scopes{Delegated: []string{"Mail.ReadBasic"}, Application: []string{"Mail.ReadBasic.All"}},
		}, c.ListMailFolders),
		mcptools.Define(mcptools.Spec{
			Name: "m365_mail_attachment", Title: "Read an attachment", Toolset: "mail", Effect: mcptools.ReadOnly, Marks: mcptools.Untrusted,
			Description: "Read an attachment: text, HTML, data or mail as text; small files as base64.",
			Scopes:      mcptools.AllScopes("Mail.Read"),
		}, c.GetAttachment),
		mcptools.Define(mcptools.Spec{
			Name: "m365_mail_send", Title: "Send mail", Toolset: "mail", Effect: mcptools.Additive, Marks: mcptools.Outbound,
			Description: "Send a new message. To answer one, use m365_mail_reply.",
			Scopes:      mcptools.AllScopes("Mail.Send"),
		}, c.SendMail),
		mcptools.Define(mcptools.Spec{
			Name: "m365_mail_reply", Title: "Answer or forward mail", Toolset: "mail", Effect: mcptools.Additive, Marks: mcptools.Outbound,
			Description: "Answer or forward a message; the original stays below.",
			Scopes:      mcptools.AllScopes("Mail.ReadWrite", "Mail.Send"),
		}, c.ReplyMail),
		mcptools.Define(mcptools.Spec{
			Name: "m365_mail_draft", Title: "Write a draft", Toolset: "mail", Effect: mcptools.Additive,
			Description: "Create or change a draft. Send it with m365_mail_draft_send.",
			Scopes:      mcptools.AllScopes("Mail.ReadWrite"),
		}, c.DraftMail),
		mcptools.Define(mcptools.Spec{
			Name: "m365_mail_draft_send", Title: "Send a draft", Toolset: "mail", Effect: mcptools.Additive, Marks: mcptools.Outbound,
			Description: "Send a draft as it is.",
			Scopes:      mcptools.AllScopes("Mail.Read", "Mail.Send"),
		}, c.SendMailDraft),
		mcptools.Define(mcptools.Spec{
			Name: "m365_mail_update", Title: "Mark mail", Toolset: "mail", Effect: mcptools.Idempotent,
			Description: "Set read state, flag, categories or importance of messages.",
			Scopes:      mcptools.AllScopes("Mail.ReadWrite"),
		}, c.UpdateMail),
		mcptools.Define(mcptools.Spec{
			Name: "m365_mail_move", Title: "Move or copy mail", Toolset: "mail", Effect: mcptools.Additive,
			Description: "Move or copy messages to a folder.",
			Scopes:      mcptools.AllScopes("Mail.ReadWrite"),
		}, c.MoveMail),
		mcptools.Define(mcptools.Spec{
			Name: "m365_mail_delete", Title: "Delete mail", Toolset: "mail", Effect: mcptools.Destructive,
			Description: "Move messages to Deleted Items, or remove them for good.",
			Scopes:      mcptools.AllScopes("Mail.ReadWrite"),
		}, c.DeleteMail),
		mcptools.Define(mcptools.Spec{
			Name: "m365_mail_folder_edit", Title: "Edit a mail folder", Toolset: "mail", Effect: mcptools.Additive,
			Description: "Create, rename or move a mail folder.",
			Scopes:      mcptools.AllScopes("Mail.ReadWrite"),
		}, c.EditMailFolder),
		mcptools.Define(mcptools.Spec{
			Name: "m365_mail_rules", Title: "List inbox rules", Toolset: "mail", Effect: mcptools.ReadOnly,
			Description: "List inbox rules; outside names receivers of another domain.",
			Scopes:      mcptools.AllScopes("MailboxSettings.Read"),
		}, c.ListMailRules),
		mcptools.Define(mcptools.Spec{
			Name: "m365_mail_rule_edit", Title: "Edit an inbox rule", Toolset: "mail", Effect: mcptools.Destructive,
			Marks:       mcptools.Outbound | mcptools.Privileged,
			Description: "Create, change or delete an inbox rule.",
			Scopes:      mcptools.AllScopes("MailboxSettings.ReadWrite"),
		}, c.EditMailRule),
		mcptools.Define(mcptools.Spec{
			Name: "m365_mailbox_settings", Title: "Read mailbox settings", Toolset: "mail", Effect: mcptools.ReadOnly,
			Description: "Read the automatic reply, time zone and working hours of a mailbox.",
			Scopes:      mcptools.AllScopes("MailboxSettings.Read"),
		}, c.GetMailboxSettings),
		mcptools.Define(mcptools.Spec{
			Name: "m365_mailbox_settings_edit", Title: "Edit mailbox settings", Toolset: "mail", Effect: mcptools.Idempotent, Marks: mcptools.Outbound,
			Description: "Set the automatic reply, time zone or working hours of a mailbox.",
			Scopes:      mcptools.AllScopes("MailboxSettings.ReadWrite"),
		}, c.EditMailboxSettings),
	)
}
