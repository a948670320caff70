package graphtest

import (
	"slices"
	"strings"
	"testing"
)

const printer = "Label printer in hall 3 prints blank labels"

func TestListMessages(t *testing.T) {
	r := newRig(t, Options{})
	a := r.get("/me/mailFolders/inbox/messages?$select=subject,from,isRead&$filter=isRead eq false&$top=3&$count=true").want(t, 200)
	rows := a.values()
	if len(rows) != 3 || rows[0]["subject"] != printer || rows[0]["body"] != nil || rows[0]["@odata.etag"] == nil {
		t.Fatalf("%v", rows)
	}
	if n := number(a.body["@odata.count"]); n != 6 {
		t.Errorf("%d unread in the inbox", n)
	}
	next := textAt(a.body, "@odata.nextLink")
	if !strings.Contains(next, "$skip=3") || !strings.Contains(next, "$filter=") {
		t.Fatalf("nextLink %q", next)
	}
	seen := a.strings("id")
	for next != "" {
		a = r.get(next).want(t, 200)
		seen = append(seen, a.strings("id")...)
		next = textAt(a.body, "@odata.nextLink")
	}
	if slices.Sort(seen); len(seen) != 6 || len(slices.Compact(seen)) != 6 {
		t.Errorf("paging gave %d rows", len(seen))
	}
	if total := r.get("/me/messages/$count").want(t, 200); string(total.raw) != "60" {
		t.Errorf("%s messages", total.raw)
	}
	r.clean()
}

func TestMessageIDs(t *testing.T) {
	r := newRig(t, Options{})
	regular := r.get("/me/messages?$select=id&$top=60").strings("id")
	immutable := r.get("/me/messages?$select=id&$top=60", `Prefer: IdType="ImmutableId"`).want(t, 200)
	if got := immutable.header.Get("Preference-Applied"); got != `IdType="ImmutableId"` {
		t.Errorf("Preference-Applied %q", got)
	}
	for i, id := range immutable.strings("id") {
		if len(id) != 68 || !strings.HasPrefix(id, "AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A") {
			t.Fatalf("immutable id %q", id)
		}
		if len(regular[i]) != 152 || !strings.HasSuffix(regular[i], "=") {
			t.Fatalf("regular id %q", regular[i])
		}
	}
	id, lasting := regular[0], immutable.strings("id")[0]
	moved := r.do("POST", "/me/messages/"+id+"/move", object{"destinationId": "archive"}).want(t, 201)
	if moved.body["id"] == id {
		t.Error("a move kept the regular id")
	}
	if a := r.get("/me/messages/" + id); a.status != 404 || a.code() != "ErrorItemNotFound" {
		t.Errorf("%d %s", a.status, a.raw)
	}
	r.get("/me/messages/"+lasting+"?$select=subject", `Prefer: IdType="ImmutableId"`).want(t, 200)
	if a := r.get("/me/messages/xyz"); a.status != 400 || a.code() != "ErrorInvalidIdMalformed" {
		t.Errorf("%d %s", a.status, a.raw)
	}
}

func TestMailQueries(t *testing.T) {
	r := newRig(t, Options{})
	tests := []struct {
		query string
		count int // -1: refused
		code  string
	}{
		{"$filter=from/emailAddress/address eq 'ANNA.berg@hafenlogistik.example'", 4, ""},
		{"$filter=receivedDateTime ge 2026-03-21T00:00:00Z and isRead eq false", 5, ""},
		{"$filter=contains(subject,'vpn') and not startswith(subject,'RE:')", 1, ""},
		{"$filter=importance eq 'low' or flag/flagStatus eq 'flagged'", 1, ""},
		{"$filter=categories/any(c:c eq 'Customer')", 0, ""},
		{"$filter=hasAttachments eq true", 6, ""},
		{"$filter=subject in ('VPN drops every hour','Travel expenses')", 2, ""},
		{`$search="from:anna printer"`, 2, ""},
		{`$search="subject:vpn OR subject:holiday"`, 4, ""},
		{`$search="hasattachments:true NOT from:lars received>=2026-03-01"`, 5, ""},
		{`$search="\"two trucks\""`, 1, ""},
		{`$search="attachment:printer-log"`, 1, ""},
		{"$filter=receivedDateTime ge 2026-03-21T00:00:00Z&$orderby=receivedDateTime desc", 20, ""},
		{"$filter=isRead eq false&$orderby=receivedDateTime desc", -1, "InefficientFilter"},
		{`$search="printer"&$filter=isRead eq false`, -1, "SearchWithFilter"},
		{`$search="printer"&$orderby=receivedDateTime`, -1, "SearchWithOrderBy"},
		{`$search=printer`, -1, "BadRequest"},
		{"$filter=receivedDateTime ge '2026-03-21T00:00:00Z'", -1, "BadRequest"},
		{"$filter=toRecipients/any(r:r/emailAddress/address eq 'x')", -1, "ErrorInvalidUrlQueryFilter"},
		{"$filter=isread eq false", -1, "RequestBroker--ParseUri"},
		{"$filter=importance eq 'urgent'", -1, "BadRequest"},
		{"$filter=(isRead eq false", -1, "BadRequest"},
		{"$select=subject,nonsense", -1, "RequestBroker--ParseUri"},
		{"$select=attachments", -1, "RequestBroker--ParseUri"},
		{"$expand=nonsense", -1, "RequestBroker--ParseUri"},
		{"$orderby=nonsense", -1, "RequestBroker--ParseUri"},
		{"$top=0", -1, "BadRequest"},
		{"$top=1001", -1, "Request_BadRequest"},
		{"$foo=1", -1, "BadRequest"},
	}
	for _, tt := range tests {
		r.ResetRecord()
		path := "/me/messages?$count=true&$top=50&"
		if strings.Contains(tt.query, "$top") || strings.Contains(tt.query, "$search") {
			path = "/me/messages?"
		}
		a := r.get(path + strings.ReplaceAll(tt.query, `\"two trucks\"`, `%5C%22two%20trucks%5C%22`))
		if tt.count < 0 {
			if a.status != 400 || a.code() != tt.code || len(r.Violations()) == 0 {
				t.Errorf("%s: %d %s, violations %v", tt.query, a.status, a.raw, r.Violations())
			}
			continue
		}
		if len(a.values()) != tt.count || len(r.Violations()) != 0 {
			t.Errorf("%s: %d, %d rows %v, violations %v", tt.query, a.status, len(a.values()), a.strings("subject"), r.Violations())
		}
	}
	r.ResetRecord()
	r.get("/me/messages?top=5").want(t, 200)
	if !r.violated("silently-ignored") {
		t.Errorf("top without $: %v", r.Violations())
	}
}

func TestBodies(t *testing.T) {
	r := newRig(t, Options{})
	id := r.firstID(`/me/messages?$search="subject:label"&$select=id`)
	html := r.get("/me/messages/"+id).want(t, 200)
	if !strings.Contains(textAt(html.body, "body", "content"), "<b>label printer") || html.body["internetMessageHeaders"] != nil {
		t.Errorf("%s", html.raw)
	}
	text := r.get("/me/messages/"+id+"?$select=body,uniqueBody,internetMessageHeaders&$expand=attachments($select=id,name,size)", `Prefer: outlook.body-content-type="text"`).want(t, 200)
	content := textAt(text.body, "body", "content")
	if strings.ContainsAny(content, "<>") || !strings.Contains(content, "Two trucks are waiting") || text.body["internetMessageHeaders"] == nil {
		t.Errorf("%s", text.raw)
	}
	expanded := r.get("/me/messages/"+id+"?$expand=attachments", `Prefer: IdType="ImmutableId"`).want(t, 200)
	if file := textAt(elements(expanded.body["attachments"])[0], "id"); !strings.HasPrefix(file, "AAkALg") {
		t.Errorf("with immutable ids an attachment has the id %q", file)
	}
	files := elements(text.body["attachments"])
	if len(files) != 2 || textAt(files[0], "name") != "printer-log.txt" || at(files[0], "contentBytes") != nil {
		t.Errorf("attachments %v", files)
	}
	mime := r.get("/me/messages/"+id+"/$value").want(t, 200)
	if !strings.Contains(string(mime.raw), "Subject: "+printer) || !strings.Contains(string(mime.raw), "multipart/mixed") {
		t.Errorf("%s", mime.raw)
	}
	r.clean()
}

func TestUpdateAndDelete(t *testing.T) {
	r := newRig(t, Options{})
	id := r.firstID("/me/messages?$select=id")
	a := r.do("PATCH", "/me/messages/"+id, object{"isRead": true, "categories": []string{"Customer"}, "flag": object{"flagStatus": "flagged"}}).want(t, 200)
	if a.body["isRead"] != true || textAt(a.body, "flag", "flagStatus") != "flagged" {
		t.Errorf("%s", a.raw)
	}
	r.clean()
	for _, tt := range []struct {
		body object
		kind Kind
	}{
		{object{"unread": true}, "unknown-field"},
		{object{"isRead": "yes"}, "wrong-kind"},
		{object{"importance": "urgent"}, "wrong-kind"},
		{object{"subject": "new"}, "unknown-field"},
		{object{"flag": object{"status": "flagged"}}, "unknown-field"},
	} {
		r.ResetRecord()
		if a := r.do("PATCH", "/me/messages/"+id, tt.body); a.status != 400 || !r.violated(tt.kind) {
			t.Errorf("%v: %d %v", tt.body, a.status, r.Violations())
		}
	}
	r.ResetRecord()
	if a := r.do("PATCH", "/me/messages/"+id, object{"hasAttachments": false}); a.status != 200 || !r.violated("silently-ignored") {
		t.Errorf("%d %v", a.status, r.Violations())
	}
	r.do("DELETE", "/me/messages/"+id, nil).want(t, 204)
	if got := r.Messages(SignedInUser, "deleteditems"); len(got) != 2 {
		t.Errorf("%d deleted", len(got))
	}
	id = r.firstID("/me/mailFolders/deleteditems/messages?$select=id")
	r.do("DELETE", "/me/messages/"+id, nil).want(t, 204)
	if total := r.get("/me/messages/$count"); string(total.raw) != "59" {
		t.Errorf("%s messages after one was deleted twice", total.raw)
	}
	id = r.firstID("/me/mailFolders/deleteditems/messages?$select=id")
	r.do("POST", "/me/messages/"+id+"/permanentDelete", nil).want(t, 204)
	r.get("/me/messages/"+id).want(t, 404)
	if a := r.do("PATCH", "/me/messages/"+r.firstID("/me/messages"), object{"isRead": true}, `If-Match: W/"old"`); a.status != 412 {
		t.Errorf("a stale etag gave %d", a.status)
	}
}
