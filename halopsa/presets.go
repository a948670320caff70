package halopsa

import (
	"slices"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

// Preset returns a ready-made choice of tools: "user" is what daily work needs,
// "technician" what somebody needs who works tickets, "all" is everything.
func Preset(name string) (mcptools.Filter, bool) {
	switch name {
	case "user":
		return mcptools.Not(mcptools.Names(
			"halo_actions_get", "halo_actions_update", "halo_attachments_upload", "halo_sites_get",
		)), true
	case "technician":
		return func(s mcptools.Spec) bool { return slices.Contains(technician(), s.Name) }, true
	case "all":
		return func(mcptools.Spec) bool { return true }, true
	}
	return nil, false
}

// technician lists the tools of somebody who works tickets.
func technician() []string {
	return []string{
		"halo_whoami", "halo_resolve", "halo_lookups_get",
		"halo_tickets_search", "halo_tickets_get", "halo_tickets_timeline", "halo_tickets_create", "halo_tickets_update",
		"halo_tickets_assign", "halo_tickets_set_status",
		"halo_tickets_available_actions", "halo_tickets_run_action", "halo_tickets_close",
		"halo_actions_add_note", "halo_actions_reply_to_user", "halo_attachments_list", "halo_attachments_get",
		"halo_time_log", "halo_users_search", "halo_clients_overview",
	}
}
