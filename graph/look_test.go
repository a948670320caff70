package graph

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/msptoolbelt/toolbelt/internal/rest"
)

// The error of a write in doubt names a tool that there is, and the right one.
func TestWhereToLook(t *testing.T) {
	c := newTestClient(t, "")
	for _, test := range []struct{ method, path, tool string }{
		{http.MethodPost, "/me/sendMail", "m365_mail_search"},
		{http.MethodPost, "/users/7/messages/AA/send", "m365_mail_search"},
		{http.MethodPost, "/me/messages/AA/copy", "m365_mail_search"},
		{http.MethodPost, "/me/messages", "m365_mail_get"},
		{http.MethodPatch, "/me/messages/AA", "m365_mail_get"},
		{http.MethodPost, "/me/messages/AA/attachments", "m365_mail_get"},
		{http.MethodPost, "/me/mailFolders/AA/move", "m365_mail_folders"},
		{http.MethodPost, "/me/mailFolders/inbox/messageRules", "m365_mail_rules"},
		{http.MethodPost, "/me/calendars/AA/events", "m365_cal_view"},
		{http.MethodPost, "/me/events/AA/accept", "m365_cal_view"},
		{http.MethodPatch, "/me/calendar/calendarPermissions/AA", "m365_cal_permissions"},
		{http.MethodPatch, "/me/mailboxSettings", "m365_mailbox_settings"},
		{http.MethodDelete, "/me/events/AA", "m365_cal_view"},
		{http.MethodDelete, "/me/calendar/calendarPermissions/AA", ""},
		{http.MethodPost, "/me/messages/AA/permanentDelete", ""},
		{http.MethodPatch, "/groups/AA", ""},
	} {
		hint := lookFor(rest.Request{Method: test.method, Path: test.path})
		named := regexp.MustCompile(`m365_\w+`).FindAllString(hint, -1)
		if hint == "" || (len(named) == 0) != (test.tool == "") || len(named) > 0 && named[0] != test.tool {
			t.Errorf("%s %s: %q", test.method, test.path, hint)
		}
		for _, name := range named {
			if _, ok := c.Tools().Tool(name); !ok {
				t.Errorf("%s %s: there is no tool %s", test.method, test.path, name)
			}
		}
	}
}
