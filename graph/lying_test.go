package graph

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/msptoolbelt/toolbelt/auth"
	"github.com/msptoolbelt/toolbelt/mcptools"
	"golang.org/x/oauth2"
)

// liar returns a client of a server that answers as it is told to.
func liar(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, address string)) *Client {
	t.Helper()
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(w, r, server.URL) }))
	t.Cleanup(server.Close)
	return newTestClient(t, server.URL)
}

// A service that never comes to an end does not keep a call for ever.
func TestNoEndlessLoops(t *testing.T) {
	var requests atomic.Int64
	c := liar(t, func(w http.ResponseWriter, r *http.Request, address string) {
		n := requests.Add(1)
		switch {
		case strings.HasSuffix(r.URL.Path, "/messages/AAA"):
			fmt.Fprint(w, `{"id":"AAA","conversationId":"c"}`)
		case strings.HasSuffix(r.URL.Path, "/mailboxSettings"):
			fmt.Fprint(w, `{"timeZone":"UTC"}`)
		case strings.HasSuffix(r.URL.Path, "/createUploadSession"):
			fmt.Fprintf(w, `{"uploadUrl":"%s/upload"}`, address)
		case strings.HasSuffix(r.URL.Path, "/upload"):
			fmt.Fprint(w, `{"nextExpectedRanges":["0-"]}`)
		case r.Method == http.MethodPost:
			fmt.Fprint(w, `{"id":"draft"}`)
		default:
			fmt.Fprintf(w, `{"value":[],"@odata.nextLink":"%s%s?$skiptoken=%d"}`, address, r.URL.Path, n)
		}
	})
	for name, call := range map[string]func(context.Context) error{
		"conversation": func(ctx context.Context) error {
			_, err := c.GetMailThread(ctx, GetMailThreadInput{ID: "AAA"})
			return err
		},
		"folders": func(ctx context.Context) error {
			_, err := c.ListMailFolders(ctx, ListMailFoldersInput{Recursive: true})
			return err
		},
		"upload": func(ctx context.Context) error {
			_, err := c.SendMail(ctx, SendMailInput{To: []string{"sam@example.com"}, Subject: "s", Attachments: []OutgoingAttachment{
				{Name: "a.bin", ContentBase64: base64.StdEncoding.EncodeToString(make([]byte, 4<<20))},
			}})
			return err
		},
	} {
		requests.Store(0)
		if err := call(t.Context()); err == nil || requests.Load() > 150 {
			t.Errorf("%s: %d requests, %v", name, requests.Load(), err)
		}
	}
}

// An upload that the service only says is complete is none.
func TestUploadIsThere(t *testing.T) {
	sent := false
	c := liar(t, func(w http.ResponseWriter, r *http.Request, address string) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/createUploadSession"):
			fmt.Fprintf(w, `{"uploadUrl":"%s/upload"}`, address)
		case strings.HasSuffix(r.URL.Path, "/upload"):
			fmt.Fprint(w, `{"nextExpectedRanges":["99999999-"]}`)
		case strings.HasSuffix(r.URL.Path, "/send"):
			sent = true
		case r.Method == http.MethodPost:
			fmt.Fprint(w, `{"id":"draft"}`)
		default:
			fmt.Fprint(w, `{"value":[]}`)
		}
	})
	_, err := c.SendMail(t.Context(), SendMailInput{To: []string{"sam@example.com"}, Subject: "s", Attachments: []OutgoingAttachment{
		{Name: "a.bin", ContentBase64: base64.StdEncoding.EncodeToString(make([]byte, 4<<20))},
	}})
	if err == nil || sent {
		t.Errorf("sent without its attachment: %v", err)
	}
}

// An answer without what was asked for is not "there is nothing".
func TestNothingIsNoAnswer(t *testing.T) {
	for _, body := range []string{"", "{}", "null", `{"error":{"code":"x","message":"y"}}`, `{"value":null}`} {
		c := liar(t, func(w http.ResponseWriter, _ *http.Request, _ string) { fmt.Fprint(w, body) })
		c.options.TimeZone = "UTC"
		if page, err := c.SearchMail(t.Context(), SearchMailInput{}); err == nil {
			t.Errorf("%q: %+v", body, page)
		}
	}
}

// Next links lead nowhere else, and bear no megabytes.
func TestHostileNextLinks(t *testing.T) {
	for _, link := range []string{
		"https://evil.example/v1.0/me/messages?$skiptoken=1", "//evil.example/me/messages?$skip=1", "ADDRESS@evil.example/me/messages?$skip=1",
		"file:///etc/passwd?x=1", "/me/messages?$skip=1", "ADDRESS/me/sendMail?$skip=1", "ADDRESS/me/messages?$skiptoken=" + strings.Repeat("x", 1<<20),
		"ftp://127.0.0.1/me/messages?$skip=1", ":", "ADDRESS.evil.example/me/messages?$skip=1",
	} {
		requests := 0
		c := liar(t, func(w http.ResponseWriter, _ *http.Request, address string) {
			requests++
			fmt.Fprintf(w, `{"value":[{"id":"1","receivedDateTime":"2026-01-01T00:00:00Z"}],"@odata.nextLink":%q}`, strings.Replace(link, "ADDRESS", address, 1))
		})
		c.options.TimeZone = "UTC"
		if page, err := c.SearchMail(t.Context(), SearchMailInput{}); !errors.Is(err, mcptools.CodeUpstream) || requests != 1 {
			t.Errorf("%.60s: %d requests, %+v, %v", link, requests, page, err)
		}
	}
}

// A write that a redirect turned into a read did not happen.
func TestRedirectedWriteIsNotDone(t *testing.T) {
	c := liar(t, func(w http.ResponseWriter, r *http.Request, _ string) {
		if r.Method == http.MethodPost {
			http.Redirect(w, r, "/login", http.StatusFound)
		}
	})
	if sent, err := c.SendMail(t.Context(), SendMailInput{To: []string{"sam@example.com"}, Subject: "s", Body: "b"}); err == nil {
		t.Errorf("got %+v", sent)
	}
}

type tokenKey struct{}

// A client whose tokens follow the caller keeps what it remembers apart, also of
// tokens that tell nothing and of those that lie.
func TestUsersOfOneClientShareNothing(t *testing.T) {
	forged := func(signature string) string {
		payload := base64.RawURLEncoding.EncodeToString([]byte(`{"tid":"t","oid":"ann","scp":"Mail.Read","scope":"x"}`))
		return "e30." + payload + "." + signature
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Header.Get("Authorization") {
		case "Bearer ann", "Bearer " + forged("real"):
			fmt.Fprint(w, `{"value":[{"id":"1","displayName":"Takeover of Contoso"}]}`)
		default:
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(server.Close)
	source := auth.Func(func(ctx context.Context) (*oauth2.Token, error) {
		token, _ := ctx.Value(tokenKey{}).(string)
		return &oauth2.Token{AccessToken: token}, nil
	})
	c, err := New(source, Options{BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	for _, pair := range [][2]string{{"ann", "bob"}, {forged("real"), forged("forged")}} {
		ann, bob := context.WithValue(t.Context(), tokenKey{}, pair[0]), context.WithValue(t.Context(), tokenKey{}, pair[1])
		if _, err := c.folder(ann, "", "Takeover of Contoso"); err != nil {
			t.Fatal(err)
		}
		var both sync.WaitGroup
		for range 8 {
			both.Go(func() {
				if _, err := c.folder(ann, "", "Takeover of Contoso"); err != nil {
					t.Error(err)
				}
			})
			both.Go(func() {
				if found, err := c.folder(bob, "", "Takeover of Contoso"); !errors.Is(err, mcptools.CodeUnauthenticated) {
					t.Errorf("another's folder: %+v, %v", found, err)
				}
			})
		}
		both.Wait()
	}
}

func TestFreeTimeOfNobody(t *testing.T) {
	c := liar(t, func(w http.ResponseWriter, _ *http.Request, _ string) { fmt.Fprint(w, `{"value":[]}`) })
	if got, err := c.FindFreeTime(t.Context(), FreeBusyInput{}); !errors.Is(err, mcptools.CodeInvalidArguments) {
		t.Errorf("%+v, %v", got, err)
	}
}

// Upload links lead to the services that take uploads, and get no token.
func TestHostileUploadLinks(t *testing.T) {
	for _, link := range []string{"https://evil.example/x", "http://graph.microsoft.com/x", "https://outlook.office.com.evil.example/x", "https://u:p@outlook.office.com/x", "file:///etc/passwd", "", "ADDRESS/upload"} {
		uploads := 0
		c := liar(t, func(w http.ResponseWriter, r *http.Request, address string) {
			switch {
			case strings.HasSuffix(r.URL.Path, "/createUploadSession"):
				fmt.Fprintf(w, `{"uploadUrl":%q}`, strings.Replace(link, "ADDRESS", address, 1))
			case r.Method == http.MethodPut:
				if uploads++; r.Header.Get("Authorization") != "" {
					t.Error("the token was sent along")
				}
				http.Redirect(w, r, "https://evil.example/x", http.StatusTemporaryRedirect)
			default:
				fmt.Fprint(w, `{"id":"draft"}`)
			}
		})
		_, err := c.SendMail(t.Context(), SendMailInput{To: []string{"sam@example.com"}, Subject: "s", Attachments: []OutgoingAttachment{
			{Name: "a.bin", ContentBase64: base64.StdEncoding.EncodeToString(make([]byte, 4<<20))},
		}})
		if err == nil || uploads > 1 && link != "ADDRESS/upload" {
			t.Errorf("%s: %d uploads, %v", link, uploads, err)
		}
	}
}

// Where nobody knows the zone of a mailbox, no time of day is written into it.
func TestAutoReplyInAnUnknownZone(t *testing.T) {
	for _, zone := range []string{"", "Customized Time Zone"} {
		sent := ""
		c := liar(t, func(w http.ResponseWriter, r *http.Request, _ string) {
			if r.Method == http.MethodPatch {
				body, _ := io.ReadAll(r.Body)
				sent = string(body)
			}
			fmt.Fprintf(w, `{"timeZone":%q,"automaticRepliesSetting":{"status":"disabled","externalAudience":"none"}}`, zone)
		})
		edit := func(start, end string) (*MailboxSettings, error) {
			return c.EditMailboxSettings(t.Context(), EditMailboxSettingsInput{Mailbox: "shared@corp.example", AutoReply: "scheduled", Start: start, End: end})
		}
		_, err := edit("2027-12-24T18:00", "2027-12-27T08:00+01:00")
		e, ok := errors.AsType[*mcptools.Error](err)
		if !ok || e.Code != mcptools.CodeInvalidArguments || !strings.Contains(e.Hint, "offset") || sent != "" {
			t.Errorf("%q: %v, sent %s", zone, err, sent)
		}
		got, err := edit("2027-12-24T18:00+01:00", "2027-12-27T08:00+01:00")
		if err != nil || !strings.Contains(sent, "2027-12-24T17:00:00") || got.TimeZone != "unknown" {
			t.Errorf("%q: %+v, %v, sent %s", zone, got, err, sent)
		}
		if _, err := c.EditMailboxSettings(t.Context(), EditMailboxSettingsInput{WorkStart: "08:00", WorkEnd: "17:00"}); !errors.Is(err, mcptools.CodeInvalidArguments) {
			t.Errorf("%q: hours of no zone: %v", zone, err)
		}
	}
}

// The groups that are not named are counted.
func TestUserOfManyGroups(t *testing.T) {
	var groups []string
	for i := range 150 {
		groups = append(groups, fmt.Sprintf(`{"@odata.type":"#microsoft.graph.group","displayName":"G%03d"}`, i))
	}
	c := liar(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
		fmt.Fprintf(w, `{"responses":[{"id":"0","status":200,"body":{"id":"x"}},{"id":"1","status":200,"body":{"value":[%s]}}]}`, strings.Join(groups, ","))
	})
	got, err := c.GetUser(t.Context(), GetUserInput{User: "sam@corp.example", Include: []string{"groups"}})
	if err != nil || len(got.Groups) != 100 || len(got.Missing) != 1 || got.Missing[0] != "groups: 50 more" {
		t.Errorf("%+v, %v", got, err)
	}
}

// Of a page that is full, only the whole name of one person will do.
func TestWholeNameAmongMany(t *testing.T) {
	same := 1
	c := liar(t, func(w http.ResponseWriter, r *http.Request, address string) {
		if strings.HasPrefix(r.URL.Query().Get("$filter"), "startswith") {
			fmt.Fprintf(w, `{"value":[{"id":"other","displayName":"Anna Bergmann"}],"@odata.nextLink":"%s/users?$skiptoken=2"}`, address)
			return
		}
		fmt.Fprintf(w, `{"value":[%s]}`, strings.Join(slices.Repeat([]string{`{"id":"meant","displayName":"Anna Berg"}`}, same), ","))
	})
	if id, err := c.findUser(t.Context(), "Anna Berg"); id != "meant" || err != nil {
		t.Errorf("%q, %v", id, err)
	}
	for _, same = range []int{0, 2, 20} {
		if id, err := c.findUser(t.Context(), "Anna Berg"); !errors.Is(err, mcptools.CodeAmbiguous) {
			t.Errorf("%d of that name: %q, %v", same, id, err)
		}
	}
}
