package graph

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/when"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// zone returns the time zone in which a call reads and writes times: the one
// that it names, else that of the options, else that of the mailbox, else that
// of the signed-in user. Where no settings may be read, it is UTC; results carry
// their offset.
func (c *Client) zone(ctx context.Context, mailbox, named string) (*time.Location, error) {
	zone, err := c.knownZone(ctx, mailbox, named)
	return cmp.Or(zone, time.UTC), err
}

// zoneToWrite is [Client.zone] for calls that would put something at the wrong
// time if nobody knew the zone: then it is an error.
func (c *Client) zoneToWrite(ctx context.Context, mailbox, named string) (*time.Location, error) {
	zone, err := c.knownZone(ctx, mailbox, named)
	if zone == nil && err == nil {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "time_zone: the mailbox's own zone is unknown or may not be read, so it must be named").
			WithHint("call again with a time_zone such as Europe/Berlin")
	}
	return zone, err
}

// knownZone returns nil when nobody says which zone it is.
func (c *Client) knownZone(ctx context.Context, mailbox, named string) (*time.Location, error) {
	if named = cmp.Or(named, c.options.TimeZone); named != "" {
		return when.Zone(named)
	}
	zone, err := c.mailboxZone(ctx, mailbox)
	if zone != nil || err != nil || mailbox == "" {
		return zone, err
	}
	claims, err := c.account(ctx)
	if err != nil || claims.AppOnly {
		return nil, err
	}
	return c.mailboxZone(ctx, "")
}

// mailboxZone returns the zone that a mailbox is set to, or nil.
func (c *Client) mailboxZone(ctx context.Context, mailbox string) (*time.Location, error) {
	path, err := c.path(ctx, mailbox, "/mailboxSettings")
	if err != nil {
		return nil, err
	}
	identity, err := c.holder(ctx)
	if err != nil {
		return nil, err
	}
	return c.zones.Get(ctx, identity+"\x00"+path, func(ctx context.Context) (*time.Location, error) {
		var settings struct {
			TimeZone string `json:"timeZone"`
		}
		err := c.get(ctx, path, url.Values{"$select": {"timeZone"}}, nil, &settings)
		if errors.Is(err, mcptools.CodePermissionDenied) || errors.Is(err, mcptools.CodeNotFound) || errors.Is(err, mcptools.CodeNotSupported) {
			return nil, nil //nolint:nilnil // nobody knows
		}
		if err != nil || settings.TimeZone == "" {
			return nil, err
		}
		zone, err := when.Zone(settings.TimeZone)
		if err != nil { // a custom zone of an old Outlook
			return nil, nil //nolint:nilerr,nilnil // nobody knows
		}
		return zone, nil
	})
}
