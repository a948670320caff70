package graph

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"

	"github.com/msptoolbelt/toolbelt/resilience"
)

// outlookAtOnce is how many requests of an application Outlook answers at once
// for one mailbox; it refuses the fifth with 429.
//
// https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits
const outlookAtOnce = 4

// keys tells the transport what is throttled together. Graph is one host, which
// works or does not, but its workloads count for themselves: Outlook by mailbox,
// SharePoint by site or drive. Names and ids of people go in as a hash, since
// keys are found in logs.
func (c *Client) keys(r *http.Request) resilience.Keys {
	host := strings.ToLower(r.URL.Host)
	k := resilience.Keys{Breaker: host}
	workload, subject := workloadOf(strings.TrimPrefix(r.URL.Path, c.service.Base.Path))
	if subject == "me" {
		// Who cannot be told from the others shares with them.
		if mailbox, err := c.mailbox(r.Context()); err == nil {
			subject = "me\x00" + mailbox
		}
	}
	if workload == "outlook" {
		k.MaxInFlight = outlookAtOnce
	}
	k.Throttle = host + "/" + workload
	if subject != "" {
		sum := sha256.Sum256([]byte(strings.ToLower(subject)))
		k.Throttle += "/" + hex.EncodeToString(sum[:6])
	}
	return k
}

// outlook lists what of a user or a group counts for a mailbox.
var outlook = []string{
	"messages", "mailfolders", "sendmail", "inferenceclassification", "mailboxsettings", "outlook",
	"calendar", "calendars", "calendargroups", "calendarview", "events", "findmeetingtimes", "reminderview",
	"contacts", "contactfolders", "todo", "conversations", "threads", "translateexchangeids", "getmailtips",
	"people", "photo", "photos",
}

// workloadOf returns which part of Graph serves a path below the version, and
// whose limits count: a mailbox, site or drive, or "" for the tenant's.
func workloadOf(path string) (workload, subject string) {
	segments := strings.Split(strings.ToLower(strings.Trim(path, "/")), "/")
	at := func(i int) string {
		if i < len(segments) {
			return segments[i]
		}
		return ""
	}
	switch owner := at(0); owner {
	case "me", "users", "groups":
		rest := 2
		subject = owner + "/" + at(1)
		if owner == "me" {
			rest, subject = 1, owner
		}
		of, _, _ := strings.Cut(at(rest), "(") // a function's parameters
		of = strings.TrimPrefix(of, "microsoft.graph.")
		switch {
		case slices.Contains(outlook, of):
			return "outlook", subject
		case of == "drive", of == "drives", of == "sites":
			return "files", subject
		case of == "chats", of == "joinedteams", of == "presence", of == "onlinemeetings":
			return "teams", subject
		case of == "planner", of == "onenote":
			return of, subject
		}
		return "directory", ""
	case "sites", "drives", "shares":
		return "files", owner + "/" + at(1)
	case "teams", "chats":
		return "teams", owner + "/" + at(1)
	case "$batch", "search", "places", "planner", "identityprotection", "devicemanagement", "auditlogs", "reports", "security":
		return strings.TrimPrefix(owner, "$"), ""
	}
	return "directory", ""
}
