package graph

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/argument"
	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/internal/when"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// mailboxSettings are those that tools show or change.
// https://learn.microsoft.com/graph/api/resources/mailboxsettings
type mailboxSettings struct {
	TimeZone  string       `json:"timeZone"`
	Purpose   string       `json:"userPurpose"`
	AutoReply autoReply    `json:"automaticRepliesSetting"`
	Hours     workingHours `json:"workingHours"`
	Language  struct {
		Locale string `json:"locale"`
	} `json:"language"`
}

// autoReply is the automatic reply, as it is read and as it is written.
type autoReply struct {
	Status   string        `json:"status,omitempty"`
	Audience string        `json:"externalAudience,omitempty"`
	Start    *dateTimeZone `json:"scheduledStartDateTime,omitempty"`
	End      *dateTimeZone `json:"scheduledEndDateTime,omitempty"`
	Internal string        `json:"internalReplyMessage"`
	External string        `json:"externalReplyMessage"`
}

// workingHours has times of day such as 08:00:00.0000000.
type workingHours struct {
	Days  []string       `json:"daysOfWeek,omitempty"`
	Start string         `json:"startTime,omitempty"`
	End   string         `json:"endTime,omitempty"`
	Zone  map[string]any `json:"timeZone,omitempty"`
}

// instant returns the time that d is, or the zero time.
func instant(d *dateTimeZone) time.Time {
	if d == nil {
		return time.Time{}
	}
	return d.in(time.UTC)
}

func inUTC(t time.Time) *dateTimeZone {
	d := wallTime(t, time.UTC)
	return &d
}

// GetMailboxSettingsInput says whose settings to read.
type GetMailboxSettingsInput struct {
	Mailbox string `json:"mailbox,omitempty"`
}

// MailboxSettings are the settings of a mailbox.
type MailboxSettings struct {
	Kind      string   `json:"kind,omitempty" jsonschema:"user, shared, room, ..."`
	TimeZone  string   `json:"time_zone"`
	Language  string   `json:"language,omitempty"`
	WorkDays  []string `json:"work_days,omitempty"`
	WorkStart string   `json:"work_start,omitempty"`
	WorkEnd   string   `json:"work_end,omitempty"`
	AutoReply string   `json:"auto_reply" jsonschema:"off, on or scheduled"`
	Start     string   `json:"reply_start,omitempty"`
	End       string   `json:"reply_end,omitempty"`
	Audience  string   `json:"audience,omitempty" jsonschema:"outsiders that get a reply"`
	Internal  string   `json:"internal_reply,omitempty"`
	External  string   `json:"external_reply,omitempty"`
	Ignored   []string `json:"ignored,omitempty" jsonschema:"what the server did not set"`
}

// GetMailboxSettings reads the settings of a mailbox.
// https://learn.microsoft.com/graph/api/user-get-mailboxsettings
func (c *Client) GetMailboxSettings(ctx context.Context, in GetMailboxSettingsInput) (*MailboxSettings, error) {
	s, _, err := c.settings(ctx, in.Mailbox)
	if err != nil {
		return nil, err
	}
	return s.readable(c.options.TimeZone)
}

// settings returns the settings of a mailbox and their path.
func (c *Client) settings(ctx context.Context, mailbox string) (mailboxSettings, string, error) {
	var s mailboxSettings
	path, err := c.path(ctx, mailbox, "/mailboxSettings")
	if err == nil {
		err = c.get(ctx, path, nil, nil, &s)
	}
	return s, path, err
}

// zone is the mailbox's own, or nil if it has none or a custom one.
func (s mailboxSettings) zone() *time.Location {
	zone, err := when.Zone(s.TimeZone)
	if err != nil || s.TimeZone == "" {
		return nil
	}
	return zone
}

const maxReplyBytes = 6000 // shown of an automatic reply

// readable writes times in the zone of that name, or in the mailbox's own.
func (s mailboxSettings) readable(named string) (*MailboxSettings, error) {
	own, zone := s.zone(), s.zone()
	if named != "" {
		var err error
		if zone, err = when.Zone(named); err != nil {
			return nil, err
		}
	}
	zone = cmp.Or(zone, time.UTC)
	internal, err := markup.FromHTML(s.AutoReply.Internal)
	if err != nil {
		return nil, err
	}
	external, err := markup.FromHTML(s.AutoReply.External)
	if err != nil {
		return nil, err
	}
	result := &MailboxSettings{
		Kind: s.Purpose, TimeZone: "unknown", Language: s.Language.Locale,
		WorkDays: s.Hours.Days, WorkStart: clockTime(s.Hours.Start), WorkEnd: clockTime(s.Hours.End),
		AutoReply: "off", Audience: s.AutoReply.Audience,
		Internal: markup.Fit(internal, maxReplyBytes), External: markup.Fit(external, maxReplyBytes),
	}
	if own != nil {
		result.TimeZone = own.String()
	}
	switch s.AutoReply.Status {
	case "alwaysEnabled":
		result.AutoReply = "on"
	case "scheduled":
		result.AutoReply = "scheduled"
		result.Start, result.End = stamp(instant(s.AutoReply.Start), zone), stamp(instant(s.AutoReply.End), zone)
	}
	return result, nil
}

// clockTime cuts 08:00:00.0000000 to 08:00.
func clockTime(text string) string { return text[:min(len(text), 5)] }

// EditMailboxSettingsInput says what to set. What is left out stays.
type EditMailboxSettingsInput struct {
	Mailbox   string   `json:"mailbox,omitempty"`
	AutoReply string   `json:"auto_reply,omitempty" enum:"off,on,scheduled"`
	Start     string   `json:"reply_start,omitempty" jsonschema:"when scheduled"`
	End       string   `json:"reply_end,omitempty"`
	Internal  string   `json:"internal_reply,omitempty" jsonschema:"Markdown, to colleagues"`
	External  string   `json:"external_reply,omitempty" jsonschema:"to outsiders"`
	Audience  string   `json:"audience,omitempty" jsonschema:"outsiders that get a reply" enum:"none,contactsOnly,all"`
	TimeZone  string   `json:"time_zone,omitempty" jsonschema:"such as Europe/Berlin"`
	WorkDays  []string `json:"work_days,omitempty" enum:"monday,tuesday,wednesday,thursday,friday,saturday,sunday"`
	WorkStart string   `json:"work_start,omitempty" jsonschema:"08:00"`
	WorkEnd   string   `json:"work_end,omitempty"`
}

// EditMailboxSettings changes settings of a mailbox, reads them back, and names
// those that the server did not set.
// https://learn.microsoft.com/graph/api/user-update-mailboxsettings
func (c *Client) EditMailboxSettings(ctx context.Context, in EditMailboxSettingsInput) (*MailboxSettings, error) {
	old, path, err := c.settings(ctx, in.Mailbox)
	if err != nil {
		return nil, err
	}
	zone, err := c.zoneOfSettings(ctx, in, old)
	if err != nil {
		return nil, err
	}
	change, err := in.change(old, zone)
	if err != nil {
		return nil, err
	}
	if err := c.send(ctx, http.MethodPatch, path, change, nil); err != nil {
		return nil, err
	}
	c.zones.Drop()
	now, _, err := c.settings(ctx, in.Mailbox)
	if err != nil {
		return nil, halfDone(err, "the settings were sent, but could not be read back")
	}
	result, err := now.readable(c.options.TimeZone)
	if err != nil {
		return nil, err
	}
	result.Ignored = ignoredSettings(change, now)
	return result, nil
}

// zoneOfSettings returns the zone that the times of a change are in, where it
// has any. The one it names becomes the mailbox's, so others need not be named.
func (c *Client) zoneOfSettings(ctx context.Context, in EditMailboxSettingsInput, old mailboxSettings) (*time.Location, error) {
	local := func(t string) bool { return t != "" && !withOffset.MatchString(t) }
	hours := len(in.WorkDays) > 0 || in.WorkStart+in.WorkEnd != ""
	if in.TimeZone == "" && !local(in.Start) && !local(in.End) && (!hours || len(old.Hours.Zone) > 0) {
		return time.UTC, nil
	}
	zone, err := c.zoneToWrite(ctx, in.Mailbox, in.TimeZone)
	if e, ok := errors.AsType[*mcptools.Error](err); ok && in.TimeZone == "" && e.Code == mcptools.CodeInvalidArguments {
		return nil, e.WithHint("give the times of a reply with an offset such as +01:00, or set the mailbox's time_zone too")
	}
	return zone, err
}

// change is what is given, over what is there: Graph replaces each group as a
// whole.
func (in EditMailboxSettingsInput) change(old mailboxSettings, zone *time.Location) (map[string]any, error) {
	change := map[string]any{}
	if in.TimeZone != "" {
		change["timeZone"] = when.WindowsName(zone)
	}
	if in.AutoReply+in.Start+in.End+in.Internal+in.External+in.Audience != "" {
		reply, err := in.autoReply(old.AutoReply, zone)
		if err != nil {
			return nil, err
		}
		change["automaticRepliesSetting"] = reply
	}
	if len(in.WorkDays) > 0 || in.WorkStart+in.WorkEnd != "" {
		hours, err := in.workingHours(old.Hours, zone)
		if err != nil {
			return nil, err
		}
		change["workingHours"] = hours
	}
	if len(change) == 0 {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "say what to change")
	}
	return change, nil
}

func (in EditMailboxSettingsInput) autoReply(reply autoReply, zone *time.Location) (autoReply, error) {
	status := map[string]string{"off": "disabled", "on": "alwaysEnabled", "scheduled": "scheduled", "": reply.Status}[in.AutoReply]
	if in.AutoReply == "" && in.Start+in.End != "" {
		status = "scheduled"
	}
	if status != "scheduled" && in.Start+in.End != "" {
		return reply, mcptools.Errorf(mcptools.CodeInvalidArguments, "reply_start, reply_end: only a scheduled reply has them").
			WithHint("leave them out, or set auto_reply to scheduled")
	}
	reply.Status, reply.Audience = status, cmp.Or(in.Audience, reply.Audience)
	if status == "scheduled" {
		start, end, err := when.Range(argument.Text{Name: "reply_start", Value: in.Start}, argument.Text{Name: "reply_end", Value: in.End}, zone, time.Now(), instant(reply.Start), instant(reply.End))
		if err != nil {
			return reply, err
		}
		if start.IsZero() || !end.After(time.Now()) {
			return reply, mcptools.Errorf(mcptools.CodeInvalidArguments, "reply_start, reply_end: a scheduled reply needs both, and an end to come")
		}
		reply.Start, reply.End = inUTC(start), inUTC(end)
	}
	for _, text := range []struct {
		target *string
		given  string
	}{{&reply.Internal, in.Internal}, {&reply.External, in.External}} {
		if text.given == "" {
			continue
		}
		html, err := markup.ToHTML(text.given)
		if err != nil {
			return reply, &mcptools.Error{Code: mcptools.CodeInvalidArguments, Message: "the reply cannot be read as Markdown, or is longer than 100 KB", Err: err}
		}
		*text.target = html
	}
	if status != "disabled" && reply.Audience != "none" && reply.External == "" {
		return reply, mcptools.Errorf(mcptools.CodeInvalidArguments, "external_reply: people outside would get an empty reply").
			WithHint("give external_reply, or audience=none")
	}
	return reply, nil
}

func (in EditMailboxSettingsInput) workingHours(hours workingHours, zone *time.Location) (workingHours, error) {
	if len(in.WorkDays) > 0 {
		hours.Days = in.WorkDays
	}
	for _, field := range []struct {
		target *string
		given  string
	}{{&hours.Start, in.WorkStart}, {&hours.End, in.WorkEnd}} {
		if field.given == "" {
			continue
		}
		t, err := time.Parse("15:04", strings.TrimSpace(field.given))
		if err != nil {
			return hours, mcptools.Errorf(mcptools.CodeInvalidArguments, "%q is no time of day", markup.Preview(field.given, 20)).WithHint("write 08:00")
		}
		*field.target = t.Format("15:04:05") + ".0000000"
	}
	if clockTime(hours.End) <= clockTime(hours.Start) {
		return hours, mcptools.Errorf(mcptools.CodeInvalidArguments, "work_end: must be after work_start")
	}
	if in.TimeZone != "" || len(hours.Zone) == 0 {
		hours.Zone = map[string]any{"name": when.WindowsName(zone)}
	}
	return hours, nil
}
