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
// is 0, and a number too big for a Duration is the longest Duration.
func RetryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0, false
	}
	if seconds, ok := parseSeconds(value); ok {
		return seconds, true
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	return max(at.Sub(now), 0), true // Sub saturates
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
