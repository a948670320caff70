// Package when reads the times, durations and time zones that people, models
// and services write.
package when

import (
	_ "embed"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // a program must know Europe/Berlin on machines without a zone database

	"github.com/msptoolbelt/toolbelt/mcptools"
)

// windowsZones lists each Windows time zone with its IANA zones, the usual one
// first. Derived from the windowsZones and timezone tables of the Unicode CLDR.
//
//go:embed windows_zones.txt
var windowsZones string

type zoneTable struct {
	iana    map[string]string // Windows name, lower case, to its usual IANA name
	windows map[string]string // IANA name to Windows name
}

var zones = sync.OnceValue(func() zoneTable {
	t := zoneTable{iana: map[string]string{}, windows: map[string]string{}}
	for line := range strings.Lines(windowsZones) {
		windows, names, _ := strings.Cut(strings.TrimSpace(line), "\t")
		for i, name := range strings.Fields(names) {
			if i == 0 {
				t.iana[strings.ToLower(windows)] = name
			}
			if _, taken := t.windows[name]; !taken {
				t.windows[name] = windows
			}
		}
	}
	return t
})

// Zone returns the location of an IANA name ("Europe/Berlin") or of a Windows
// name ("W. Europe Standard Time"). "" is UTC.
func Zone(name string) (*time.Location, error) {
	name = strings.TrimSpace(name)
	if name == "" || strings.EqualFold(name, "utc") || name == "tzone://Microsoft/Utc" {
		return time.UTC, nil
	}
	if iana, ok := zones().iana[strings.ToLower(name)]; ok {
		name = iana
	}
	loc, err := time.LoadLocation(name)
	if err != nil || strings.EqualFold(name, "local") {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "unknown time zone %q", clip(name)).
			WithHint("use an IANA name such as Europe/Berlin")
	}
	return loc, nil
}

// WindowsName returns the Windows name of a location, which every Microsoft
// service knows, or its IANA name where there is none.
func WindowsName(loc *time.Location) string {
	if windows, ok := zones().windows[loc.String()]; ok {
		return windows
	}
	return loc.String()
}
