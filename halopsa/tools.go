package halopsa

import "github.com/msptoolbelt/toolbelt/mcptools"

// Tools returns all tools of the client.
func (c *Client) Tools() mcptools.Set {
	return mcptools.Join(c.coreTools(), c.lookupTools(), c.ticketTools(), c.actionTools(), c.clientTools(), c.agentTools()).Explained(c.about)
}

func (c *Client) coreTools() mcptools.Set {
	return mcptools.NewSet(
		mcptools.Define(mcptools.Spec{
			Name: "halo_whoami", Title: "Who am I", Toolset: "core", Effect: mcptools.ReadOnly,
			Description: "The agent that calls act as, the instance and the granted scopes.",
			Scopes:      mcptools.AllScopes(),
		}, c.WhoAmI),
		mcptools.Define(mcptools.Spec{
			Name: "halo_global_search", Title: "Search everything", Toolset: "core", Effect: mcptools.ReadOnly, Marks: mcptools.Untrusted,
			Description: "Find records of any kind by text, when the kind is not known.",
			Scopes:      mcptools.AllScopes("read:tickets", "read:customers"),
		}, c.GlobalSearch),
	)
}

func (c *Client) lookupTools() mcptools.Set {
	return mcptools.NewSet(
		mcptools.Define(mcptools.Spec{
			Name: "halo_lookups_get", Title: "List reference data", Toolset: "lookups", Effect: mcptools.ReadOnly,
			Description: "List statuses, priorities, types, categories, teams and other reference tables. Tools take these names as they are.",
			Scopes:      mcptools.AllScopes("read:tickets", "read:customers"),
		}, c.Lookups),
		mcptools.Define(mcptools.Spec{
			Name: "halo_resolve", Title: "Find what a name means", Toolset: "lookups", Effect: mcptools.ReadOnly,
			Description: "Find the one record a name, address or Entra object id means. Other tools take names too, so this is rarely needed.",
			Scopes:      mcptools.AllScopes("read:tickets", "read:customers"),
		}, c.Resolve),
		mcptools.Define(mcptools.Spec{
			Name: "halo_ticket_type_get", Title: "Show a ticket type", Toolset: "lookups", Effect: mcptools.ReadOnly,
			Description: "Show which fields a ticket type needs, its priorities, statuses and defaults.",
			Scopes:      mcptools.AllScopes("read:tickets"),
		}, c.GetTicketType),
	)
}

func (c *Client) ticketTools() mcptools.Set {
	return mcptools.NewSet(
		mcptools.Define(mcptools.Spec{
			Name: "halo_tickets_search", Title: "Search tickets", Toolset: "tickets", Effect: mcptools.ReadOnly, Marks: mcptools.Untrusted,
			Description: "Find tickets. Read one with halo_tickets_get.",
			Scopes:      mcptools.AllScopes("read:tickets", "read:customers"),
		}, c.SearchTickets),
		mcptools.Define(mcptools.Spec{
			Name: "halo_tickets_get", Title: "Read a ticket", Toolset: "tickets", Effect: mcptools.ReadOnly, Marks: mcptools.Untrusted,
			Description: "Read one ticket. Its conversation is in halo_tickets_timeline.",
			Scopes:      mcptools.AllScopes("read:tickets", "read:calendar"),
		}, c.GetTicket),
		mcptools.Define(mcptools.Spec{
			Name: "halo_tickets_timeline", Title: "Read a ticket's history", Toolset: "tickets", Effect: mcptools.ReadOnly, Marks: mcptools.Untrusted,
			Description: "Read a ticket with its notes, mails and changes, oldest first.",
			Scopes:      mcptools.AllScopes("read:tickets"),
		}, c.TicketTimeline),
		mcptools.Define(mcptools.Spec{
			Name: "halo_tickets_create", Title: "Create a ticket", Toolset: "tickets", Effect: mcptools.Additive, Marks: mcptools.Untrusted,
			Description: "Create a ticket for a user or client. Reports what Halo ignored and open tickets like it.",
			Scopes:      mcptools.AllScopes("read:tickets", "edit:tickets", "read:customers"),
		}, c.CreateTicket),
		mcptools.Define(mcptools.Spec{
			Name: "halo_tickets_update", Title: "Change a ticket", Toolset: "tickets", Effect: mcptools.Idempotent, Marks: mcptools.Untrusted,
			Description: "Change fields of a ticket, add assets, and report what really changed. For the status: halo_tickets_set_status.",
			Scopes:      mcptools.AllScopes("read:tickets", "edit:tickets", "read:customers"),
		}, c.UpdateTicket),
		mcptools.Define(mcptools.Spec{
			Name: "halo_tickets_assign", Title: "Assign a ticket", Toolset: "tickets", Effect: mcptools.Additive, Marks: mcptools.Untrusted,
			Description: "Give a ticket to an agent or team.",
			Scopes:      mcptools.AllScopes("read:tickets", "edit:tickets"),
		}, c.AssignTicket),
		mcptools.Define(mcptools.Spec{
			Name: "halo_tickets_set_status", Title: "Set a ticket's status", Toolset: "tickets", Effect: mcptools.Additive, Marks: mcptools.Outbound | mcptools.Untrusted,
			Description: "Change the status of a ticket. To end the work, use halo_tickets_close.",
			Scopes:      mcptools.AllScopes("read:tickets", "edit:tickets"),
		}, c.SetTicketStatus),
		mcptools.Define(mcptools.Spec{
			Name: "halo_tickets_close", Title: "Close a ticket", Toolset: "tickets", Effect: mcptools.Additive, Marks: mcptools.Outbound | mcptools.Financial | mcptools.Untrusted,
			Description: "Close a ticket with a resolution note and the time taken. The note is private unless visible_to_user.",
			Scopes:      mcptools.AllScopes("read:tickets", "edit:tickets"),
		}, c.CloseTicket),
		mcptools.Define(mcptools.Spec{
			Name: "halo_tickets_available_actions", Title: "List what a ticket allows", Toolset: "tickets", Effect: mcptools.ReadOnly,
			Description: "List the actions, statuses and workflow step of a ticket. Run one with halo_tickets_run_action.",
			Scopes:      mcptools.AllScopes("read:tickets"),
		}, c.AvailableActions),
		mcptools.Define(mcptools.Spec{
			Name: "halo_tickets_run_action", Title: "Run an action of a ticket", Toolset: "tickets", Effect: mcptools.Additive, Marks: mcptools.Outbound | mcptools.Financial | mcptools.Untrusted,
			Description: "Run a quick action or workflow button from halo_tickets_available_actions. It mails nobody: use halo_actions_reply_to_user.",
			Scopes:      mcptools.AllScopes("read:tickets", "edit:tickets"),
		}, c.RunAction),
		mcptools.Define(mcptools.Spec{
			Name: "halo_tickets_sla_risk", Title: "Tickets near their SLA target", Toolset: "tickets", Effect: mcptools.ReadOnly, Marks: mcptools.Untrusted,
			Description: "List open tickets whose time to respond or fix is near or past, most urgent first.",
			Scopes:      mcptools.AllScopes("read:tickets", "read:customers"),
		}, c.SLARisk),
		mcptools.Define(mcptools.Spec{
			Name: "halo_tickets_queue_summary", Title: "Count open tickets", Toolset: "tickets", Effect: mcptools.ReadOnly,
			Description: "Count open, unassigned, overdue and stale tickets by agent, team, client, status, priority or type.",
			Scopes:      mcptools.AllScopes("read:tickets", "read:customers"),
		}, c.QueueSummary),
	)
}

func (c *Client) actionTools() mcptools.Set {
	return mcptools.NewSet(
		mcptools.Define(mcptools.Spec{
			Name: "halo_actions_list", Title: "List a ticket's actions", Toolset: "actions", Effect: mcptools.ReadOnly, Marks: mcptools.Untrusted,
			Description: "Notes, mails and changes of a ticket, newest first. One in full: halo_actions_get.",
			Scopes:      mcptools.AllScopes("read:tickets"),
		}, c.ListActions),
		mcptools.Define(mcptools.Spec{
			Name: "halo_actions_get", Title: "Read an action", Toolset: "actions", Effect: mcptools.ReadOnly, Marks: mcptools.Untrusted,
			Description: "One action of a ticket with its whole text.",
			Scopes:      mcptools.AllScopes("read:tickets"),
		}, c.GetAction),
		mcptools.Define(mcptools.Spec{
			Name: "halo_actions_add_note", Title: "Add a note", Toolset: "actions", Effect: mcptools.Additive, Marks: mcptools.Outbound | mcptools.Financial,
			Description: "Add a note that only agents see. To answer the user: halo_actions_reply_to_user.",
			Scopes:      mcptools.AllScopes("read:tickets", "edit:tickets"),
		}, c.AddNote),
		mcptools.Define(mcptools.Spec{
			Name: "halo_actions_reply_to_user", Title: "Mail the user", Toolset: "actions", Effect: mcptools.Additive, Marks: mcptools.Outbound,
			Description: "Mail the end user of a ticket; the message shows on the ticket.",
			Scopes:      mcptools.AllScopes("read:tickets", "edit:tickets"),
		}, c.ReplyToUser),
		mcptools.Define(mcptools.Spec{
			Name: "halo_actions_update", Title: "Change an action", Toolset: "actions", Effect: mcptools.Destructive,
			Marks:       mcptools.Outbound | mcptools.Financial,
			Description: "Replace the text of a note, hide or show it, or correct its time.",
			Scopes:      mcptools.AllScopes("read:tickets", "edit:tickets"),
		}, c.UpdateAction),
		mcptools.Define(mcptools.Spec{
			Name: "halo_time_log", Title: "Log time", Toolset: "actions", Effect: mcptools.Additive, Marks: mcptools.Outbound | mcptools.Financial,
			Description: "Log time on a ticket, private by default.",
			Scopes:      mcptools.AllScopes("read:tickets", "edit:tickets"),
		}, c.LogTime),
		mcptools.Define(mcptools.Spec{
			Name: "halo_time_list", Title: "List logged time", Toolset: "actions", Effect: mcptools.ReadOnly, Marks: mcptools.Untrusted,
			Description: "Logged time of an agent, or on one ticket, with its sum.",
			Scopes:      mcptools.AllScopes("read:timesheets", "read:tickets"),
		}, c.ListTime),
		mcptools.Define(mcptools.Spec{
			Name: "halo_attachments_list", Title: "List attachments", Toolset: "actions", Effect: mcptools.ReadOnly, Marks: mcptools.Untrusted,
			Description: "Files of a ticket. Read one with halo_attachments_get.",
			Scopes:      mcptools.AllScopes("read:tickets"),
		}, c.ListAttachments),
		mcptools.Define(mcptools.Spec{
			Name: "halo_attachments_get", Title: "Read an attachment", Toolset: "actions", Effect: mcptools.ReadOnly, Marks: mcptools.Untrusted,
			Description: "The text of a file (text, HTML, CSV, JSON, mail …), or any file as base64.",
			Scopes:      mcptools.AllScopes("read:tickets"),
		}, c.GetAttachment),
		mcptools.Define(mcptools.Spec{
			Name: "halo_attachments_upload", Title: "Attach a file", Toolset: "actions", Effect: mcptools.Additive, Marks: mcptools.Outbound,
			Description: "Attach a file to a ticket, hidden from the end user by default.",
			Scopes:      mcptools.AllScopes("read:tickets", "edit:tickets"),
		}, c.UploadAttachment),
	)
}

func (c *Client) clientTools() mcptools.Set {
	return mcptools.NewSet(
		mcptools.Define(mcptools.Spec{
			Name: "halo_clients_search", Title: "Search clients", Toolset: "clients", Effect: mcptools.ReadOnly,
			Description: "Find clients (customers). One in full: halo_clients_get or halo_clients_overview.",
			Scopes:      mcptools.AllScopes("read:customers"),
		}, c.SearchClients),
		mcptools.Define(mcptools.Spec{
			Name: "halo_clients_get", Title: "Read a client", Toolset: "clients", Effect: mcptools.ReadOnly, Marks: mcptools.Untrusted,
			Description: "One client: account manager, notes, custom fields, prepaid hours.",
			Scopes:      mcptools.AllScopes("read:customers", "read:tickets"),
		}, c.GetClient),
		mcptools.Define(mcptools.Spec{
			Name: "halo_clients_overview", Title: "Client on one screen", Toolset: "clients", Effect: mcptools.ReadOnly, Marks: mcptools.Untrusted,
			Description: "A client with its sites, open tickets, contracts, invoices and assets.",
			Scopes:      mcptools.AllScopes("read:customers", "read:tickets", "read:contracts", "read:invoices", "read:assets"),
		}, c.ClientOverview),
		mcptools.Define(mcptools.Spec{
			Name: "halo_sites_search", Title: "Search sites", Toolset: "clients", Effect: mcptools.ReadOnly,
			Description: "Find sites of clients.",
			Scopes:      mcptools.AllScopes("read:customers"),
		}, c.SearchSites),
		mcptools.Define(mcptools.Spec{
			Name: "halo_sites_get", Title: "Read a site", Toolset: "clients", Effect: mcptools.ReadOnly,
			Description: "One site: address, phone, time zone, SLA, notes.",
			Scopes:      mcptools.AllScopes("read:customers"),
		}, c.GetSite),
		mcptools.Define(mcptools.Spec{
			Name: "halo_users_search", Title: "Search end users", Toolset: "clients", Effect: mcptools.ReadOnly, Marks: mcptools.Untrusted,
			Description: "Find end users (contacts of clients) by text, e-mail or Entra id. Who works tickets: halo_agents_list.",
			Scopes:      mcptools.AllScopes("read:customers"),
		}, c.SearchUsers),
		mcptools.Define(mcptools.Spec{
			Name: "halo_users_get", Title: "Read an end user", Toolset: "clients", Effect: mcptools.ReadOnly, Marks: mcptools.Untrusted,
			Description: "One end user, with assets and open tickets on request.",
			Scopes:      mcptools.AllScopes("read:customers", "read:assets", "read:tickets"),
		}, c.GetUser),
	)
}

func (c *Client) agentTools() mcptools.Set {
	return mcptools.NewSet(
		mcptools.Define(mcptools.Spec{
			Name: "halo_agents_me", Title: "My agent", Toolset: "agents", Effect: mcptools.ReadOnly,
			Description: "The agent that calls act as, with teams.",
			Scopes:      mcptools.AllScopes(),
		}, c.Me),
		mcptools.Define(mcptools.Spec{
			Name: "halo_agents_list", Title: "List agents", Toolset: "agents", Effect: mcptools.ReadOnly,
			Description: "The agents who work tickets.",
			Scopes:      mcptools.AllScopes(),
		}, c.ListAgents),
		mcptools.Define(mcptools.Spec{
			Name: "halo_agents_workload", Title: "Agents' workload", Toolset: "agents", Effect: mcptools.ReadOnly,
			Description: "Open and overdue tickets, booked hours and time logged today, by agent.",
			Scopes:      mcptools.AllScopes("read:tickets", "read:calendar", "read:timesheets"),
		}, c.AgentsWorkload),
		mcptools.Define(mcptools.Spec{
			Name: "halo_teams_list", Title: "List teams", Toolset: "agents", Effect: mcptools.ReadOnly,
			Description: "The teams that tickets are assigned to, with members on request.",
			Scopes:      mcptools.AllScopes(),
		}, c.ListTeams),
	)
}

// Instructions tell a model how to use the tools. Put them into the
// instructions of the MCP server that offers them.
const Instructions = "HaloPSA: records may be named by id or by name; a name that fits several is answered with the candidates. " +
	"Notes and time are private unless asked otherwise. Durations need a unit, such as 45m or 1h30m. " +
	"When a note or an action is refused for its outcome, call halo_tickets_available_actions."
