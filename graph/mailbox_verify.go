package graph

import (
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/internal/when"
)

// ignoredSettings names what was sent but does not show when read back.
func ignoredSettings(change map[string]any, now mailboxSettings) []string {
	var fields []string
	note := func(name string, differs bool) {
		if differs {
			fields = append(fields, name)
		}
	}
	if zone, given := change["timeZone"].(string); given {
		note("time_zone", !sameZone(zone, now.TimeZone))
	}
	if reply, given := change["automaticRepliesSetting"].(autoReply); given {
		note("auto_reply", reply.Status != now.AutoReply.Status)
		note("audience", reply.Audience != now.AutoReply.Audience)
		note("internal_reply", !sameText(reply.Internal, now.AutoReply.Internal))
		note("external_reply", reply.Audience != "none" && !sameText(reply.External, now.AutoReply.External))
		if reply.Status == "scheduled" {
			note("reply_start", !instant(reply.Start).Equal(instant(now.AutoReply.Start)))
			note("reply_end", !instant(reply.End).Equal(instant(now.AutoReply.End)))
		}
	}
	if hours, given := change["workingHours"].(workingHours); given {
		note("work_days", !sameSet(hours.Days, now.Hours.Days))
		note("work_start", clockTime(hours.Start) != clockTime(now.Hours.Start))
		note("work_end", clockTime(hours.End) != clockTime(now.Hours.End))
	}
	return fields
}

func sameZone(a, b string) bool {
	one, err := when.Zone(a)
	if err != nil {
		return a == b
	}
	other, err := when.Zone(b)
	return err == nil && when.WindowsName(one) == when.WindowsName(other)
}

// sameText compares what two pieces of HTML say: Exchange wraps what it stores.
func sameText(a, b string) bool {
	one, err := markup.FromHTML(a)
	if err != nil {
		return false
	}
	other, err := markup.FromHTML(b)
	return err == nil && strings.Join(strings.Fields(one), " ") == strings.Join(strings.Fields(other), " ")
}
