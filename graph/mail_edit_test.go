package graph_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/graph"
	"github.com/msptoolbelt/toolbelt/graph/graphtest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// inbox returns the ids of the n newest messages in the inbox.
func (s *suite) inbox(t *testing.T, n int) []string {
	t.Helper()
	page, err := s.client.SearchMail(t.Context(), graph.SearchMailInput{Folder: "inbox", Limit: n})
	if err != nil || len(page.Items) < n {
		t.Fatalf("%d messages, %v", len(page.Items), err)
	}
	var ids []string
	for _, row := range page.Items {
		ids = append(ids, row.ID)
	}
	return ids
}

func TestUpdateManyInBatches(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	ids := s.inbox(t, 25)
	s.fake.ResetRecord()
	result := s.call(t, "m365_mail_update", args{"ids": ids, "read": true, "flag": "complete", "categories": []string{"Customer", "Follow up"}, "importance": "low"})
	if result["done"] != 25.0 || result["failed"] != nil || result["ignored"] != nil {
		t.Fatalf("got %v", result)
	}
	if got := s.paths(); !slices.Equal(got, []string{"POST /$batch", "POST /$batch"}) {
		t.Errorf("requests: %v", got)
	}
	for _, id := range ids {
		m, _ := s.fake.Message(id)
		if m["isRead"] != true || m["importance"] != "low" || fmt.Sprint(m["categories"]) != "[Customer Follow up]" || fmt.Sprint(m["flag"]) != "map[flagStatus:complete]" {
			t.Fatalf("got %v", m)
		}
	}
	s.call(t, "m365_mail_update", args{"ids": ids[:1], "categories": []string{}, "flag": "none", "read": false})
	if m, _ := s.fake.Message(ids[0]); fmt.Sprint(m["categories"]) != "[]" || m["isRead"] != false {
		t.Errorf("got %v", m)
	}
	s.fails(t, mcptools.CodeInvalidArguments, "m365_mail_update", args{"ids": ids})
}

func TestThrottledPartsAreRepeatedAlone(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	ids := s.inbox(t, 5)
	s.fake.Faults().Next(1, "PATCH", ids[1], graphtest.Answer{Status: http.StatusTooManyRequests, RetryAfter: "1"})
	s.fake.Faults().Next(1, "PATCH", ids[3], graphtest.Answer{Status: http.StatusServiceUnavailable})
	if result := s.call(t, "m365_mail_update", args{"ids": ids, "read": true}); result["done"] != 5.0 {
		t.Errorf("got %v", result)
	}
}

// What may have been done is not done again: a copy that was answered with 503.
func TestCopyIsNotRepeatedBlindly(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	ids := s.inbox(t, 2)
	s.fake.Faults().Next(1, "POST", ids[1]+"/copy", graphtest.Answer{Status: http.StatusServiceUnavailable})
	result := s.call(t, "m365_mail_move", args{"ids": ids, "folder": "Alerts", "copy": true})
	failed, _ := result["failed"].([]any)
	if result["done"] != 1.0 || len(failed) != 1 || !strings.Contains(fmt.Sprint(failed[0]), "uncertain") || !strings.Contains(fmt.Sprint(failed[0]), ids[1]) {
		t.Errorf("got %v", result)
	}
	newIDs, _ := result["new_ids"].([]any)
	if len(newIDs) != 2 || newIDs[0] == ids[0] || newIDs[1] != "" {
		t.Errorf("new ids: %v", newIDs)
	}
	s.fake.Faults().Next(1, "POST", "/$batch", graphtest.Answer{Drop: graphtest.DropAfter})
	s.fails(t, mcptools.CodeUncertain, "m365_mail_move", args{"ids": ids[:1], "folder": "Archive", "copy": true})
	if n := len(s.fake.Messages(graphtest.SignedInUser, "archive")); n != 2 {
		t.Errorf("%d messages in the archive", n)
	}
}

func TestMoveKeepsImmutableIDs(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	ids := s.inbox(t, 3)
	result := s.call(t, "m365_mail_move", args{"ids": ids, "folder": "Customers/Hafen Logistik"})
	if result["done"] != 3.0 || result["new_ids"] != nil || result["folder"] != "Customers/Hafen Logistik" {
		t.Errorf("got %v", result)
	}
	for _, id := range ids {
		s.call(t, "m365_mail_get", args{"id": id})
	}
}

// An immutable id outlives a move to Deleted Items, so a second deletion must
// not remove the message for good.
func TestDeleteTwiceIsStillSoft(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	ids := s.inbox(t, 2)
	s.fake.Faults().Next(1, "POST", "/$batch", graphtest.Answer{Drop: graphtest.DropAfter})
	for range 2 {
		if result := s.call(t, "m365_mail_delete", args{"ids": ids}); result["done"] != 2.0 {
			t.Errorf("got %v", result)
		}
	}
	rows := items(s.call(t, "m365_mail_search", args{"folder": "Deleted Items"}))
	if len(rows) != 3 || !slices.ContainsFunc(rows, func(row map[string]any) bool { return row["id"] == ids[0] }) {
		t.Errorf("Deleted Items has %v", rows)
	}
	s.call(t, "m365_mail_delete", args{"ids": ids, "permanent": true})
	s.fails(t, mcptools.CodeNotFound, "m365_mail_get", args{"id": ids[0]})
	s.fails(t, mcptools.CodeNotFound, "m365_mail_delete", args{"ids": ids, "permanent": true})
}

func TestFolderEdit(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	made := s.call(t, "m365_mail_folder_edit", args{"name": "Orders", "parent": "Inbox"})
	if fmt.Sprint(made["done"]) != "[created]" {
		t.Errorf("got %v", made)
	}
	if e := s.fails(t, mcptools.CodeConflict, "m365_mail_folder_edit", args{"name": "Orders", "parent": "Inbox"}); !strings.Contains(e.Hint, "there already") {
		t.Error(e)
	}
	both := s.call(t, "m365_mail_folder_edit", args{"folder": "Inbox/Orders", "name": "Orders 2026", "parent": "Customers"})
	if fmt.Sprint(both["done"]) != "[renamed moved]" || both["name"] != "Orders 2026" {
		t.Errorf("got %v", both)
	}
	s.call(t, "m365_mail_search", args{"folder": "Customers/Orders 2026"})
	s.fails(t, mcptools.CodeInvalidArguments, "m365_mail_folder_edit", args{"folder": "Inbox"})
	s.fake.Faults().Next(1, "POST", "/move", graphtest.Answer{Status: http.StatusForbidden})
	if e := s.fails(t, mcptools.CodePermissionDenied, "m365_mail_folder_edit", args{"folder": "Orders 2026", "name": "Orders", "parent": "Inbox"}); !strings.Contains(e.Message, "renamed, but not moved") {
		t.Error(e)
	}
}

// Only m365_mail_delete deletes, since that is what people are asked about:
// no other name of Deleted Items, or of a folder in it, gets around that.
func TestMovingDoesNotDelete(t *testing.T) {
	s := newSuite(t, graphtest.Options{})
	s.call(t, "m365_mail_folder_edit", args{"name": "Old", "parent": "trash"})
	s.call(t, "m365_mail_folder_edit", args{"name": "Older", "parent": "trash/Old"})
	s.call(t, "m365_mail_folder_edit", args{"name": "Contracts"})
	ids := map[any]any{}
	for _, row := range items(s.call(t, "m365_mail_folders", args{"recursive": true, "limit": 200})) {
		ids[row["path"]] = row["id"]
	}
	message := s.inbox(t, 1)
	for _, bin := range []any{"trash", "Deleted Items", "deleteditems", "bin/Old", "Older", ids["Deleted Items"], ids["Deleted Items/Old/Older"]} {
		if e := s.fails(t, mcptools.CodeInvalidArguments, "m365_mail_move", args{"ids": message, "folder": bin}); !strings.Contains(e.Hint, "m365_mail_delete") {
			t.Errorf("%v: hint %q", bin, e.Hint)
		}
		if e := s.fails(t, mcptools.CodeInvalidArguments, "m365_mail_folder_edit", args{"folder": "Contracts", "name": "Gone", "parent": bin}); !strings.Contains(e.Hint, "m365_mail_delete") {
			t.Errorf("%v: hint %q", bin, e.Hint)
		}
	}
	if got := s.call(t, "m365_mail_move", args{"ids": message, "folder": "bin/Old", "copy": true}); got["done"] != 1.0 {
		t.Errorf("copied %v", got)
	}
	// Of some mailboxes only single folders are shared.
	other := newSuite(t, graphtest.Options{})
	contracts := other.call(t, "m365_mail_folder_edit", args{"name": "Contracts"})["id"]
	other.fake.Faults().Next(9, "GET", "/mailFolders/deleteditems", graphtest.Answer{Status: 404})
	if got := other.call(t, "m365_mail_move", args{"ids": other.inbox(t, 1), "folder": contracts}); got["done"] != 1.0 {
		t.Errorf("moved %v", got)
	}
	for _, folder := range []any{"Contracts", ids["Contracts"], ids["Customers/Hafen Logistik"], "Inbox"} {
		if got := s.call(t, "m365_mail_move", args{"ids": message, "folder": folder}); got["done"] != 1.0 {
			t.Errorf("%v: moved %v", folder, got)
		}
	}
}
