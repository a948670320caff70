package graphtest

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
)

// prefs are the honoured preferences of a request (RFC 7240, header Prefer).
type prefs struct {
	immutable   bool
	bodyType    string // "text", "html" or empty: as stored
	zone        string // name as given; empty: UTC
	location    *time.Location
	maxPageSize int
	uniqueBody  bool // not a preference: $select asks for it, and it costs
}

// readPrefs reads Prefer and ConsistencyLevel.
func (c *call) readPrefs() error {
	if level := c.r.Header.Get("ConsistencyLevel"); level != "" && !strings.EqualFold(level, "eventual") {
		c.violate(fakehttp.BadHeader, "ConsistencyLevel: %s", level)
		return failf(http.StatusBadRequest, "Request_BadRequest", "The ConsistencyLevel header has an invalid value.")
	}
	for _, line := range c.r.Header.Values("Prefer") {
		for part := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
			if err := c.readPref(strings.ToLower(name), strings.Trim(value, `"`)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *call) readPref(name, value string) error {
	switch name {
	case "idtype":
		if value != "ImmutableId" {
			c.violate(fakehttp.SilentlyIgnored, "Prefer: IdType=%q", value)
		}
		c.prefs.immutable = value == "ImmutableId"
	case "outlook.body-content-type":
		if value != "text" && value != "html" {
			c.violate(fakehttp.SilentlyIgnored, "Prefer: outlook.body-content-type=%q", value)
			return nil
		}
		c.prefs.bodyType = value
	case "outlook.timezone":
		location, err := zone(value)
		if err != nil {
			c.violate(fakehttp.BadHeader, "Prefer: outlook.timezone=%q", value)
			return failf(http.StatusBadRequest, "TimeZoneNotSupportedException", "A valid TimeZone value must be specified. The following TimeZone value is not supported: '%s'.", value)
		}
		c.prefs.zone, c.prefs.location = value, location
	case "odata.maxpagesize":
		if n, err := strconv.Atoi(value); err == nil && n > 0 {
			c.prefs.maxPageSize = n
		} else {
			c.violate(fakehttp.SilentlyIgnored, "Prefer: odata.maxpagesize=%q", value)
		}
	case "outlook.allow-unsafe-html", "return", "respond-async", "include-unknown-enum-members":
	default:
		c.violate(fakehttp.SilentlyIgnored, "Prefer: %s", name)
	}
	return nil
}

// applied lists the preferences for the header Preference-Applied.
func (p prefs) applied() []string {
	var out []string
	if p.immutable {
		out = append(out, `IdType="ImmutableId"`)
	}
	if p.bodyType != "" {
		out = append(out, `outlook.body-content-type="`+p.bodyType+`"`)
	}
	if p.zone != "" {
		out = append(out, `outlook.timezone="`+p.zone+`"`)
	}
	if p.maxPageSize > 0 {
		out = append(out, "odata.maxpagesize="+strconv.Itoa(p.maxPageSize))
	}
	return out
}
