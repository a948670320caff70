package resilience

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// hint is what an answer that was no refusal says about its quota.
type hint struct {
	remaining float64       // requests
	reset     time.Duration // until there are more; 0 if there are plenty, or it does not say
	used      float64       // part of the limit that is in use; 0 if not said
}

// The headers, as net/http spells them.
const (
	limitHeader     = "Ratelimit-Limit"
	remainingHeader = "Ratelimit-Remaining"
	resetHeader     = "Ratelimit-Reset"
	rateLimitHeader = "Ratelimit"
	policyHeader    = "Ratelimit-Policy"
	usedHeader      = "X-Ms-Throttle-Limit-Percentage"
)

const (
	scarce   = 0.2              // of the limit: with less left, it is spread over the time
	nearly   = 0.8              // of the limit: from here on Graph sends usedHeader
	usedHold = 10 * time.Second // for which that is believed
)

// readHint reads the hints of SharePoint (RateLimit-Limit, -Remaining and
// -Reset, sent when little is left), of the IETF draft (RateLimit), and of
// Graph (x-ms-throttle-limit-percentage, from 0.8 on). Hints are advice: one
// that makes no sense is none.
//
// https://learn.microsoft.com/sharepoint/dev/general-development/how-to-avoid-getting-throttled-or-blocked-in-sharepoint-online
// https://learn.microsoft.com/graph/throttling
// https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
func readHint(h http.Header) (told hint) {
	if v := h[usedHeader]; len(v) > 0 {
		if used, err := strconv.ParseFloat(strings.TrimSpace(v[0]), 64); err == nil && used >= nearly && used < 100 {
			told.used = used
		}
	}
	var reset, limit string
	remaining := first(h[remainingHeader])
	if remaining != "" {
		reset, limit = first(h[resetHeader]), first(h[limitHeader])
	} else if v := h[rateLimitHeader]; len(v) > 0 {
		remaining, reset = parameter(v[0], "r"), parameter(v[0], "t")
		if policy := h[policyHeader]; len(policy) > 0 {
			limit = parameter(policy[0], "q")
		}
	} else {
		return told
	}
	left, ok := parseSeconds(remaining) // a number of requests, but read alike
	if !ok {
		return told
	}
	wait, ok := parseSeconds(reset)
	if !ok || wait <= 0 || wait > longestHold {
		return told
	}
	if most, known := parseSeconds(limit); left > 0 && (!known || left.Seconds() > scarce*most.Seconds()) {
		return told
	}
	told.remaining, told.reset = left.Seconds(), wait
	return told
}

// apply makes the pace follow the hint.
func (h hint) apply(p *pace, now time.Time) {
	switch {
	case h.reset > 0 && h.remaining < 1:
		p.hold(now, h.reset)
	case h.reset > 0:
		p.ease(now, h.remaining/h.reset.Seconds(), h.reset)
	}
	if h.used > 0 {
		if rate := p.Meter.recent(now); rate > 0 && rate < maxHinted {
			p.ease(now, margin*rate/h.used, usedHold)
		}
	}
}

// maxHinted is a rate beyond any that could be meant.
const maxHinted = 1e6

// first returns the first value of a list header.
func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	value, _, _ := strings.Cut(values[0], ",")
	value, _, _ = strings.Cut(value, ";")
	return strings.TrimSpace(value)
}

// parameter returns a parameter of the first item of a structured field (RFC
// 9651), such as 50 for r in `"default";r=50;t=30`.
func parameter(field, name string) string {
	item, _, _ := strings.Cut(field, ",")
	_, item, _ = strings.Cut(item, ";")
	for part := range strings.SplitSeq(item, ";") {
		if key, value, ok := strings.Cut(strings.TrimSpace(part), "="); ok && key == name {
			return value
		}
	}
	return ""
}
