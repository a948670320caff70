package halopsa

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
)

// moment is a time as Halo writes it: ISO 8601, UTC where no zone is given, and
// 1900-01-01 for "none".
type moment struct{ time.Time }

// UnmarshalJSON reads a time; null, "", years before 1901 and what is no time
// are the zero time.
func (m *moment) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		m.Time = instant(strings.TrimSpace(text))
	}
	return nil // what cannot be read is no reason to hide the record
}

// instant reads a time as Halo writes it; what is none is the zero time.
func instant(text string) time.Time {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil && t.Year() > 1900 {
			return t.UTC()
		}
	}
	return time.Time{}
}

// stamp writes a time to the minute in the client's zone. No time is "".
func (c *Client) stamp(m moment) string {
	if m.IsZero() {
		return ""
	}
	return m.In(c.zone).Format("2006-01-02T15:04Z07:00")
}

// halo writes a time as Halo takes it.
func halo(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// spell writes hours as people read them: "1h 30m". No time is "".
func spell(hours float64) string {
	minutes := int(math.Round(hours * 60))
	switch {
	case minutes <= 0:
		return ""
	case minutes < 60:
		return fmt.Sprintf("%dm", minutes)
	}
	return fmt.Sprintf("%dh %02dm", minutes/60, minutes%60)
}
