package graphtest

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestFolders(t *testing.T) {
	r := newRig(t, Options{})
	names := r.get("/me/mailFolders?$top=50&$select=displayName").strings("displayName")
	if !slices.Contains(names, "Inbox") || !slices.Contains(names, "Customers") || slices.Contains(names, "Sync Issues") {
		t.Errorf("%v", names)
	}
	if hidden := r.get("/me/mailFolders?$top=50&includeHiddenFolders=true").strings("displayName"); !slices.Contains(hidden, "Sync Issues") {
		t.Errorf("%v", hidden)
	}
	customers := r.firstID("/me/mailFolders?$filter=displayName eq 'Customers'")
	if kids := r.get("/me/mailFolders/" + customers + "/childFolders").strings("displayName"); !slices.Equal(kids, []string{"Hafen Logistik", "Alster Dental"}) {
		t.Errorf("%v", kids)
	}
	inbox := r.get("/me/mailFolders/inbox").want(t, 200)
	if number(inbox.body["unreadItemCount"]) != 6 || len(textAt(inbox.body, "id")) != 120 {
		t.Errorf("%s", inbox.raw)
	}
	made := r.do("POST", "/me/mailFolders/"+customers+"/childFolders", object{"displayName": "New"}).want(t, 201)
	id := textAt(made.body, "id")
	if a := r.do("POST", "/me/mailFolders/"+customers+"/childFolders", object{"displayName": "new"}); a.status != 409 || a.code() != "ErrorFolderExists" {
		t.Errorf("%d %s", a.status, a.raw)
	}
	r.do("PATCH", "/me/mailFolders/"+id, object{"displayName": "Renamed"}).want(t, 200)
	r.do("POST", "/me/mailFolders/"+id+"/move", object{"destinationId": "inbox"}).want(t, 201)
	if kids := r.get("/me/mailFolders/inbox/childFolders").strings("displayName"); !slices.Equal(kids, []string{"Renamed"}) {
		t.Errorf("%v", kids)
	}
	r.do("DELETE", "/me/mailFolders/"+id, nil).want(t, 204)
	if a := r.do("DELETE", "/me/mailFolders/inbox", nil); a.status != 403 {
		t.Errorf("deleting the inbox: %d", a.status)
	}
	r.clean()
	if a := r.get("/me/mailFolders/nonsense"); a.status != 400 || a.code() != "ErrorInvalidIdMalformed" {
		t.Errorf("%d %s", a.status, a.raw)
	}
}

func TestRulesAndSettings(t *testing.T) {
	r := newRig(t, Options{})
	const rules = "/me/mailFolders/inbox/messageRules"
	if names := r.get(rules).strings("displayName"); len(names) != 2 {
		t.Errorf("%v", names)
	}
	archive := textAt(r.get("/me/mailFolders/archive").body, "id")
	made := r.do("POST", rules, object{"displayName": "Old", "sequence": 3, "isEnabled": true, "conditions": object{"subjectContains": []string{"old"}}, "actions": object{"moveToFolder": archive}}).want(t, 201)
	path := rules + "/" + textAt(made.body, "id")
	if a := r.do("PATCH", path, object{"isEnabled": false}).want(t, 200); a.body["isEnabled"] != false || a.body["displayName"] != "Old" {
		t.Errorf("%s", a.raw)
	}
	r.do("DELETE", path, nil).want(t, 204)
	r.get(path).want(t, 404)
	r.do("PATCH", "/me/mailboxSettings", object{"automaticRepliesSetting": object{
		"status": "scheduled", "internalReplyMessage": "away", "scheduledStartDateTime": object{"dateTime": "2026-04-01T08:00:00", "timeZone": "W. Europe Standard Time"},
		"scheduledEndDateTime": object{"dateTime": "2026-04-02T08:00:00", "timeZone": "Europe/Berlin"},
	}}).want(t, 200)
	a := r.get("/me/mailboxSettings").want(t, 200)
	if textAt(a.body, "automaticRepliesSetting", "internalReplyMessage") != "away" || textAt(a.body, "automaticRepliesSetting", "externalAudience") != "all" || a.body["timeZone"] != "W. Europe Standard Time" {
		t.Errorf("%s", a.raw)
	}
	r.clean()
	if a := r.do("POST", rules, object{"displayName": "Bad", "actions": object{"moveToFolder": "archive"}}); a.status != 400 || !r.violated("wrong-kind") {
		t.Errorf("%d %s", a.status, a.raw)
	}
	if a := r.do("PATCH", "/me/mailboxSettings", object{"timeZone": "Middle Earth Standard Time"}); a.status != 400 {
		t.Errorf("%d %s", a.status, a.raw)
	}
}

func TestAttachments(t *testing.T) {
	r := newRig(t, Options{})
	mail := "/me/messages/" + r.firstID(`/me/messages?$search="subject:label"`)
	files := r.get(mail+"/attachments").want(t, 200).values()
	if len(files) != 2 || files[0]["@odata.type"] != "#microsoft.graph.fileAttachment" || files[0]["contentBytes"] == nil || files[1]["isInline"] != true {
		t.Fatalf("%v", files)
	}
	one := mail + "/attachments/" + textAt(files[0], "id")
	if a := r.get(one+"/$value").want(t, 200); !strings.Contains(string(a.raw), "NO RIBBON SIGNAL") || a.header.Get("Content-Type") != "text/plain" {
		t.Errorf("%s", a.raw)
	}
	if a := r.get(mail + "/attachments?$select=id,name,contentBytes"); a.status != 400 || !r.violated("unknown-query") {
		t.Errorf("contentBytes is no property of attachment: %d", a.status)
	}
	r.ResetRecord()
	bounced := "/me/messages/" + r.firstID(`/me/messages?$search="subject:forwarder"`)
	item := bounced + "/attachments/" + r.firstID(bounced+"/attachments")
	if a := r.get(item+"/$value").want(t, 200); !strings.Contains(string(a.raw), "Subject: Invoice 8831") {
		t.Errorf("%s", a.raw)
	}
	if a := r.get(item+"?$expand=microsoft.graph.itemAttachment/item").want(t, 200); textAt(a.body, "item", "subject") != "Invoice 8831" {
		t.Errorf("%s", a.raw)
	}
	big := "/me/messages/" + r.firstID(`/me/messages?$search="subject:firewall"`)
	if a := r.get(big+"/attachments?$select=id,name,size").want(t, 200); number(a.values()[0]["size"]) < 4_000_000 {
		t.Errorf("%s", a.raw)
	}
	r.clean()
}

func TestUploadSession(t *testing.T) {
	r := newRig(t, Options{})
	draft := r.do("POST", "/me/messages", object{"subject": "big", "toRecipients": to("anna.berg@hafenlogistik.example")}).want(t, 201)
	mail := "/me/messages/" + textAt(draft.body, "id")
	content := bytes.Repeat([]byte("0123456789abcdef"), 4<<20/16)
	session := r.do("POST", mail+"/attachments/createUploadSession", object{"AttachmentItem": object{"attachmentType": "file", "name": "big.bin", "size": len(content)}}).want(t, 201)
	url := textAt(session.body, "uploadUrl")
	put := func(from, to int, authorization string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, bytes.NewReader(content[from:to]))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, len(content)))
		if authorization != "" {
			req.Header.Set("Authorization", authorization)
		}
		resp, err := r.client.Do(req)
		if err != nil {
			return 0
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusCreated && !strings.Contains(resp.Header.Get("Location"), "/Attachments('") {
			t.Errorf("Location %q", resp.Header.Get("Location"))
		}
		return resp.StatusCode
	}
	const chunk = 2 << 20
	if status := put(0, chunk, ""); status != 200 {
		t.Fatalf("first chunk: %d", status)
	}
	if status := put(0, chunk, ""); status != 416 {
		t.Errorf("a repeated chunk: %d", status)
	}
	r.clean()
	if status := put(chunk, len(content), "Bearer "+r.token); status != 401 || !r.violated("leaked-token") {
		t.Errorf("with a token: %d %v", status, r.Violations())
	}
	r.Faults().Next(1, "PUT", "/AttachmentSessions", Answer{Drop: DropBefore})
	if status := put(chunk, len(content), ""); status != 0 {
		t.Errorf("a dropped chunk: %d", status)
	}
	if status := put(chunk, len(content), ""); status != 201 {
		t.Errorf("last chunk: %d", status)
	}
	a := r.get(mail+"/attachments").want(t, 200)
	if len(a.values()) != 1 || a.values()[0]["name"] != "big.bin" {
		t.Errorf("%v", a.strings("name"))
	}
	if a := r.do("POST", mail+"/attachments/createUploadSession", object{"AttachmentItem": object{"attachmentType": "file", "name": "small.bin", "size": 10}}); a.status != 400 {
		t.Errorf("a small upload session: %d", a.status)
	}
}
