package graph

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/when"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// zone returns the time zone in which a call reads and writes times: the one
// that it names, else that of the options, else that of the mailbox. Where the
// mailbox's settings may not be read, it is UTC; results carry their offset.
func (c *Client) zone(ctx context.Context, mailbox, named string) (*time.Location, error) {
	if named != "" {
		return when.Zone(named)
	}
	if c.options.TimeZone != "" {
		return when.Zone(c.options.TimeZone)
	}
	path, err := c.path(ctx, mailbox, "/mailboxSettings")
	if err != nil {
		return nil, err
	}
	identity, err := c.identity(ctx)
	if err != nil {
		return nil, err
	}
	return c.zones.Get(ctx, identity+"\x00"+path, func(ctx context.Context) (*time.Location, error) {
		var settings struct {
			TimeZone string `json:"timeZone"`
		}
		err := c.get(ctx, path, url.Values{"$select": {"timeZone"}}, nil, &settings)
		if errors.Is(err, mcptools.CodePermissionDenied) || errors.Is(err, mcptools.CodeNotFound) || errors.Is(err, mcptools.CodeNotSupported) {
			return time.UTC, nil
		}
		if err != nil {
			return nil, err
		}
		zone, err := when.Zone(settings.TimeZone)
		if err != nil { // a custom zone of an old Outlook
			return time.UTC, nil //nolint:nilerr // times carry their offset, so UTC misleads nobody
		}
		return zone, nil
	})
}
