package when

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

var (
	units = regexp.MustCompile(`^(?:(\d+(?:[.,]\d+)?)\s*(?:d|days?))?\s*(?:(\d+(?:[.,]\d+)?)\s*(?:h|hrs?|hours?))?\s*(?:(\d+(?:[.,]\d+)?)\s*(?:m|mins?|minutes?))?\s*(?:(\d+)\s*(?:s|secs?|seconds?))?$`)
	clock = regexp.MustCompile(`^(\d{1,3})(?::|\s*h\s*)([0-5]\d)$`)
)

// Duration reads "45m", "1h30m", "1.5h", "1:30", "1h30", "90 minutes" and
// "PT45M". A bare number is an error: nobody can tell whether it means minutes or hours,
// and the difference ends up on an invoice.
func Duration(text string) (time.Duration, error) {
	lower := strings.ToLower(strings.TrimSpace(text))
	if m := clock.FindStringSubmatch(lower); m != nil {
		return sum(text, m[1], "h", m[2], "m")
	}
	if iso, ok := strings.CutPrefix(lower, "p"); ok {
		if date, _, _ := strings.Cut(iso, "t"); strings.Contains(date, "m") { // months
			return 0, unreadable(text)
		}
		lower = strings.ReplaceAll(iso, "t", "")
	}
	m := units.FindStringSubmatch(lower)
	if m == nil || lower == "" {
		return 0, unreadable(text)
	}
	return sum(text, m[1], "d", m[2], "h", m[3], "m", m[4], "s")
}

// sum adds up pairs of number and unit. An empty number is none.
func sum(text string, pairs ...string) (time.Duration, error) {
	size := map[string]time.Duration{"d": 24 * time.Hour, "h": time.Hour, "m": time.Minute, "s": time.Second}
	total := 0.0
	for pair := range slices.Chunk(pairs, 2) {
		number, unit := pair[0], pair[len(pair)-1]
		if number == "" {
			continue
		}
		n, err := strconv.ParseFloat(strings.ReplaceAll(number, ",", "."), 64)
		if err != nil {
			return 0, unreadable(text)
		}
		total += n * float64(size[unit])
	}
	if total > float64(366*24*time.Hour) {
		return 0, unreadable(text)
	}
	whole := time.Duration(math.Round(total)).Round(time.Second)
	if whole <= 0 {
		return 0, unreadable(text)
	}
	return whole, nil
}

func unreadable(text string) error {
	return mcptools.Errorf(mcptools.CodeInvalidArguments, "cannot read the duration %q", clip(text)).
		WithHint("write the unit, such as 45m, 1h30m or 1.5h")
}
