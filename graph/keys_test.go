package graph

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/auth"
)

// What is throttled together shares a key, what is not does not, and a key tells
// nobody whose mailbox it is.
func TestKeys(t *testing.T) {
	t.Parallel()
	who := "a"
	c, err := New(auth.Static("opaque"), Options{Identity: func(context.Context) string { return who }})
	if err != nil {
		t.Fatal(err)
	}
	key := func(path string) string {
		r := &http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: "https", Host: "Graph.Microsoft.com", Path: "/v1.0/" + path}}
		k := c.keys(r)
		if k.Breaker != "graph.microsoft.com" {
			t.Errorf("%s: breaker %s", path, k.Breaker)
		}
		if outlook := strings.HasPrefix(k.Throttle, "graph.microsoft.com/outlook/"); outlook != (k.MaxInFlight == 4) {
			t.Errorf("%s: %s, %d at once", path, k.Throttle, k.MaxInFlight)
		}
		if strings.Contains(k.Throttle, "example") {
			t.Errorf("%s: the key %s tells whose it is", path, k.Throttle)
		}
		return k.Throttle
	}
	for _, same := range [][2]string{
		{"me/messages", "me/mailFolders/inbox/messages/x"},
		{"users/amy@example.com/messages", "users/AMY@example.com/calendarView"},
		{"users/amy@example.com/events/x", "users/amy@example.com/sendMail"},
		{"users", "groups"}, {"users/amy@example.com", "users/bob@example.com/memberOf"},
		{"users/amy@example.com/microsoft.graph.getMailTips", "users/amy@example.com/messages"},
		{"sites/s/lists", "sites/s/drive/root"}, {"me/people", "me/messages"}, {"users/amy@example.com/photo/$value", "users/amy@example.com/messages"},
	} {
		if a, b := key(same[0]), key(same[1]); a != b {
			t.Errorf("%s has %s, and %s has %s", same[0], a, same[1], b)
		}
	}
	for _, other := range [][2]string{
		{"users/amy@example.com/messages", "users/bob@example.com/messages"},
		{"users/amy@example.com/messages", "users/amy@example.com"},
		{"me/messages", "users"}, {"sites/s", "sites/t"}, {"me/messages", "me/drive/root"}, {"$batch", "search/query"},
		{"places/microsoft.graph.room", "users"},
	} {
		if a, b := key(other[0]), key(other[1]); a == b {
			t.Errorf("%s and %s share %s", other[0], other[1], a)
		}
	}
	mine := key("me/messages")
	if who = "b"; key("me/messages") == mine {
		t.Error("two people share the key of /me")
	}
}
