package graph

import "github.com/msptoolbelt/toolbelt/mcptools"

// Tools returns all tools of the client.
func (c *Client) Tools() mcptools.Set {
	return mcptools.Join(c.coreTools(), c.mailTools(), c.calendarTools(), c.contactsTools(), c.directoryTools()).Explained(c.about)
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
			Name: "m365_mail_rules", Title: "List inbox rules", Toolset: "mail", Effect: mcptools.ReadOnly, Marks: mcptools.Untrusted,
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
			Name: "m365_mailbox_settings", Title: "Read mailbox settings", Toolset: "mail", Effect: mcptools.ReadOnly, Marks: mcptools.Untrusted,
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

func (c *Client) coreTools() mcptools.Set {
	return mcptools.NewSet(
		mcptools.Define(mcptools.Spec{
			Name: "m365_whoami", Title: "Who am I", Toolset: "core", Effect: mcptools.ReadOnly,
			Description: "Who is signed in, tenant, permissions, and tools that lack one.",
			Scopes:      mcptools.Scopes{Delegated: []string{"User.Read"}, Application: []string{"Organization.Read.All"}},
		}, c.WhoAmI),
		mcptools.Define(mcptools.Spec{
			Name: "m365_search", Title: "Search Microsoft 365", Toolset: "core", Effect: mcptools.ReadOnly, Marks: mcptools.Untrusted,
			Description: "Search mail, events, files and more by relevance. For mail by sender, date or folder use m365_mail_search.",
			Scopes:      mcptools.Scopes{Delegated: []string{"Mail.Read", "Calendars.Read", "Files.Read.All"}, Application: []string{"Files.Read.All"}},
		}, c.Search),
	)
}

func (c *Client) calendarTools() mcptools.Set {
	return mcptools.NewSet(
		mcptools.Define(mcptools.Spec{
			Name: "m365_cal_view", Title: "View calendar", Toolset: "calendar", Effect: mcptools.ReadOnly, Marks: mcptools.Untrusted,
			Description: "List events in a time range, recurring ones expanded. Details: m365_cal_get.",
			Scopes:      mcptools.AllScopes("Calendars.ReadBasic"),
		}, c.ViewCalendar),
		mcptools.Define(mcptools.Spec{
			Name: "m365_cal_get", Title: "Get event", Toolset: "calendar", Effect: mcptools.ReadOnly, Marks: mcptools.Untrusted,
			Description: "Read an event: attendees, body, join link, recurrence.",
			Scopes:      mcptools.AllScopes("Calendars.Read"),
		}, c.GetEvent),
		mcptools.Define(mcptools.Spec{
			Name: "m365_cal_list", Title: "List calendars", Toolset: "calendar", Effect: mcptools.ReadOnly, Marks: mcptools.Untrusted,
			Description: "List the calendars of a mailbox.",
			Scopes:      mcptools.AllScopes("Calendars.ReadBasic"),
		}, c.ListCalendars),
		mcptools.Define(mcptools.Spec{
			Name: "m365_cal_free_busy", Title: "Find free time", Toolset: "calendar", Effect: mcptools.ReadOnly,
			Description: "When people or rooms are free and busy, each and together.",
			Scopes:      mcptools.AllScopes("Calendars.ReadBasic"),
		}, c.FindFreeTime),
		mcptools.Define(mcptools.Spec{
			Name: "m365_cal_find_times", Title: "Suggest meeting times", Toolset: "calendar", Effect: mcptools.ReadOnly,
			Description: "Let Exchange suggest times for a meeting, the best first.",
			Scopes:      mcptools.Scopes{Delegated: []string{"Calendars.Read.Shared"}},
		}, c.FindMeetingTimes),
		mcptools.Define(mcptools.Spec{
			Name: "m365_cal_create", Title: "Create event", Toolset: "calendar", Effect: mcptools.Additive, Marks: mcptools.Outbound | mcptools.Untrusted,
			Description: "Create an event or a series; attendees are invited. Find free time with m365_cal_free_busy.",
			Scopes:      mcptools.AllScopes("Calendars.ReadWrite"),
		}, c.CreateEvent),
		mcptools.Define(mcptools.Spec{
			Name: "m365_cal_update", Title: "Update event", Toolset: "calendar", Effect: mcptools.Idempotent, Marks: mcptools.Outbound | mcptools.Untrusted,
			Description: "Change an event or its series; attendees are told.",
			Scopes:      mcptools.AllScopes("Calendars.ReadWrite"),
		}, c.UpdateEvent),
		mcptools.Define(mcptools.Spec{
			Name: "m365_cal_respond", Title: "Respond to invitation", Toolset: "calendar", Effect: mcptools.Additive, Marks: mcptools.Outbound | mcptools.Untrusted,
			Description: "Accept or decline an invitation; the organizer gets a mail.",
			Scopes:      mcptools.AllScopes("Calendars.ReadWrite"),
		}, c.RespondToEvent),
		mcptools.Define(mcptools.Spec{
			Name: "m365_cal_cancel", Title: "Cancel event", Toolset: "calendar", Effect: mcptools.Destructive, Marks: mcptools.Outbound | mcptools.Untrusted,
			Description: "Cancel an own event, telling its attendees, or delete one from the calendar.",
			Scopes:      mcptools.AllScopes("Calendars.ReadWrite"),
		}, c.CancelEvent),
		mcptools.Define(mcptools.Spec{
			Name: "m365_cal_rooms", Title: "Find rooms", Toolset: "calendar", Effect: mcptools.ReadOnly,
			Description: "List meeting rooms. Check one with m365_cal_free_busy; book it as an attendee.",
			Scopes:      mcptools.AllScopes("Place.Read.All"),
		}, c.ListRooms),
		mcptools.Define(mcptools.Spec{
			Name: "m365_cal_permissions", Title: "List calendar permissions", Toolset: "calendar", Effect: mcptools.ReadOnly,
			Description: "Who can see or change a calendar.",
			Scopes:      mcptools.AllScopes("Calendars.Read"),
		}, c.ListCalendarPermissions),
		mcptools.Define(mcptools.Spec{
			Name: "m365_cal_permission_set", Title: "Set calendar permission", Toolset: "calendar", Effect: mcptools.Idempotent, Marks: mcptools.Privileged,
			Description: "Let somebody see or change a calendar, or take that away.",
			Scopes:      mcptools.AllScopes("Calendars.ReadWrite"),
		}, c.SetCalendarPermission),
	)
}

func (c *Client) contactsTools() mcptools.Set {
	return mcptools.NewSet(
		mcptools.Define(mcptools.Spec{
			Name: "m365_people_find", Title: "Find people", Toolset: "contacts", Effect: mcptools.ReadOnly, Marks: mcptools.Untrusted,
			Description: "Find the mail address of a person by name, for mail and invitations.",
			Scopes:      mcptools.Scopes{Delegated: []string{"People.Read", "User.ReadBasic.All"}, Application: []string{"User.ReadBasic.All"}},
		}, c.FindPeople),
	)
}

func (c *Client) directoryTools() mcptools.Set {
	return mcptools.NewSet(
		mcptools.Define(mcptools.Spec{
			Name: "m365_users_find", Title: "Find users", Toolset: "directory", Effect: mcptools.ReadOnly, Marks: mcptools.Untrusted,
			Description: "List users of the directory. Details: m365_user_get.",
			Scopes:      mcptools.AllScopes("User.Read.All"),
		}, c.FindUsers),
		mcptools.Define(mcptools.Spec{
			Name: "m365_user_get", Title: "Get user", Toolset: "directory", Effect: mcptools.ReadOnly, Marks: mcptools.Untrusted,
			Description: "Read a user: profile and, if included, manager, groups, roles, licences, MFA, devices, sign-in, mailbox, forwarding.",
			Scopes:      mcptools.AllScopes("User.Read.All"),
		}, c.GetUser),
		mcptools.Define(mcptools.Spec{
			Name: "m365_groups_find", Title: "Find groups", Toolset: "directory", Effect: mcptools.ReadOnly, Marks: mcptools.Untrusted,
			Description: "List groups of the directory. Members: m365_group_get.",
			Scopes:      mcptools.AllScopes("GroupMember.Read.All"),
		}, c.FindGroups),
		mcptools.Define(mcptools.Spec{
			Name: "m365_group_get", Title: "Get group", Toolset: "directory", Effect: mcptools.ReadOnly, Marks: mcptools.Untrusted,
			Description: "Read a group with its owners and members.",
			Scopes:      mcptools.AllScopes("GroupMember.Read.All"),
		}, c.GetGroup),
	)
}

// Instructions tell a model how to use the tools. Put them into the
// instructions of the MCP server that offers them.
const Instructions = "Microsoft 365: leave mailbox and user out for the signed-in user; name another by address. " +
	"Times without an offset are local to the mailbox. Find addresses with m365_people_find before writing to somebody. " +
	"A result with a cursor goes on when the same call is repeated with it."
