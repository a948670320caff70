package graph_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/resilience"
)

// A client tells what it knows of the service's health, and whose mailbox it is
// to nobody.
func TestSnapshot(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	s.fake.Faults().Next(1, http.MethodGet, "/messages", graphtest.Answer{Status: 429, RetryAfter: "317"})
	if _, err := s.tools.Call(t.Context(), "m365_mail_search", marshal(t, args{})); err == nil {
		t.Error("a throttled call succeeded")
	}
	snapshot := s.client.Snapshot()
	var held []string
	for _, key := range snapshot.Throttles {
		if strings.Contains(key.Key, "@") || strings.Contains(key.Key, "sam") {
			t.Errorf("the key %s names somebody", key.Key)
		}
		if key.RetryAfter > 5*time.Minute {
			held = append(held, key.Key)
		}
	}
	if len(held) != 1 || !strings.Contains(held[0], "/outlook/") || snapshot.Breakers[0].State != resilience.Closed {
		t.Errorf("held %v of %+v", held, snapshot)
	}
}
