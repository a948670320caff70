package resilience

import (
	"math"
	"net/http"
	"strings"
	"time"
)

// RetryAfter reads the Retry-After header (RFC 9110 section 10.2.3): seconds,
// or a date in one of the three forms of HTTP. It reports false if there is
// none that makes sense; a negative number is one of those. A date in the past
// is 0, and a number too big for a Duration is the longest Duration. Of several,
// which a proxy may have put into one line, the longest counts. A date counts
// from the earlier of now and the answer's own Date: clocks differ.
func RetryAfter(h http.Header, now time.Time) (wait time.Duration, ok bool) {
	for _, value := range h["Retry-After"] {
		if at, err := http.ParseTime(strings.TrimSpace(value)); err == nil {
			wait, ok = max(wait, until(at, h, now)), true
			continue
		}
		for part := range strings.SplitSeq(value, ",") {
			if seconds, is := parseSeconds(strings.TrimSpace(part)); is {
				wait, ok = max(wait, seconds), true
			}
		}
	}
	return wait, ok
}

// until returns the time until a moment by the clock of whoever is farther from it.
func until(at time.Time, h http.Header, now time.Time) time.Duration {
	if date, err := http.ParseTime(h.Get("Date")); err == nil && date.Before(now) {
		now = date
	}
	return max(at.Sub(now), 0) // Sub saturates
}

// parseSeconds reads digits, with a fraction that some servers add (rounded
// up), and saturates.
func parseSeconds(value string) (time.Duration, bool) {
	whole, fraction, _ := strings.Cut(value, ".")
	if whole == "" || !digits(whole) || !digits(fraction) {
		return 0, false
	}
	const most = int64(math.MaxInt64 / time.Second)
	var seconds int64
	for _, r := range whole {
		if seconds = seconds*10 + int64(r-'0'); seconds >= most {
			return math.MaxInt64, true
		}
	}
	if strings.Trim(fraction, "0") != "" {
		seconds++
	}
	return time.Duration(seconds) * time.Second, true
}

func digits(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}
