package graph

import "github.com/msptoolbelt/toolbelt/mcptools"

// Preset returns the filter of a named choice of tools: "user" for somebody's
// daily work, "technician" for looking after others, or "all". It reports false
// for any other name.
func Preset(name string) (mcptools.Filter, bool) {
	switch name {
	case "user":
		return mcptools.Names(
			"m365_whoami", "m365_search",
			"m365_mail_search", "m365_mail_get", "m365_mail_attachment", "m365_mail_send", "m365_mail_reply", "m365_mail_update", "m365_mail_move",
			"m365_cal_view", "m365_cal_free_busy", "m365_cal_create", "m365_cal_update", "m365_cal_respond",
			"m365_people_find",
		), true
	case "technician":
		return mcptools.Names(
			"m365_whoami", "m365_users_find", "m365_user_get", "m365_groups_find", "m365_group_get",
			"m365_mail_rules", "m365_mailbox_settings", "m365_cal_permission_set",
		), true
	case "all":
		return func(mcptools.Spec) bool { return true }, true
	}
	return nil, false
}
