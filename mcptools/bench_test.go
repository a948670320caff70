package mcptools_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

type MailQuery struct {
	Query   string   `json:"query" jsonschema:"words to look for"`
	From    string   `json:"from,omitempty" jsonschema:"sender"`
	Folder  string   `json:"folder,omitempty" jsonschema:"name or id"`
	Since   string   `json:"since,omitempty" format:"date-time"`
	Unread  bool     `json:"unread,omitempty"`
	Top     int      `json:"top,omitempty" minimum:"1" maximum:"50" default:"10"`
	Order   string   `json:"order,omitempty" enum:"newest,oldest" default:"newest"`
	Include []string `json:"include,omitempty" enum:"preview,to,flag"`
}

type MailRow struct {
	ID          string    `json:"id"`
	Subject     string    `json:"subject"`
	From        string    `json:"from"`
	To          []string  `json:"to"`
	Received    time.Time `json:"received"`
	Read        bool      `json:"read"`
	Attachments int       `json:"attachments"`
	Preview     string    `json:"preview,omitempty"`
}

func searchMail(_ context.Context, in MailQuery) (*mcptools.Page[MailRow], error) {
	rows := make([]MailRow, in.Top)
	for i := range rows {
		rows[i] = MailRow{
			ID: fmt.Sprintf("AAMkAGI2TAAA%04d", i), Subject: "Printer on floor 3 is offline again", From: "jo@contoso.example",
			To: []string{"help@contoso.example"}, Received: time.Date(2026, 3, 29, 8, 0, 0, 0, time.UTC), Attachments: i,
			Preview: strings.Repeat("The printer says PC LOAD LETTER. ", 4),
		}
	}
	return &mcptools.Page[MailRow]{Items: rows, Cursor: "next"}, nil
}

func mailTool(name string) mcptools.Tool {
	return mcptools.Define(mcptools.Spec{
		Name: name, Title: "Search mail", Toolset: "mail", Effect: mcptools.ReadOnly, Marks: mcptools.Untrusted,
		Description: "Find messages. Returns rows; read one with mail_get.",
	}, searchMail)
}

// BenchmarkCall measures what the package adds to the bare function and
// json.Marshal: parsing, mending, and validation both ways. The two are run in
// turns, so that a busy machine slows down both.
func BenchmarkCall(b *testing.B) {
	set := mcptools.NewSet(mailTool("mail_search"))
	args := json.RawMessage(`{"query":"printer","unread":false,"top":10}`)
	var added time.Duration
	for b.Loop() {
		start := time.Now()
		if _, err := set.Call(b.Context(), "mail_search", args); err != nil {
			b.Fatal(err)
		}
		called := time.Now()
		page, err := searchMail(b.Context(), MailQuery{Query: "printer", Top: 10})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := json.Marshal(page); err != nil {
			b.Fatal(err)
		}
		added += called.Sub(start) - time.Since(called)
	}
	b.ReportMetric(float64(added.Microseconds())/float64(b.N), "added-µs/op")
}

// catalogue defines as many tools as a large server has.
func catalogue(n int) mcptools.Set {
	tools := make([]mcptools.Tool, n)
	for i := range tools {
		tools[i] = mailTool(fmt.Sprintf("mail_search_%d", i))
	}
	return mcptools.NewSet(tools...)
}

func BenchmarkDefine74(b *testing.B) {
	for b.Loop() {
		catalogue(74)
	}
}

func BenchmarkRegister74(b *testing.B) {
	set := catalogue(74)
	for b.Loop() {
		set.Register(mcp.NewServer(&mcp.Implementation{Name: "bench"}, nil))
	}
}

func BenchmarkList74(b *testing.B) {
	server := mcp.NewServer(&mcp.Implementation{Name: "bench"}, nil)
	catalogue(74).Register(server)
	session := connect(b, server, nil, "")
	for b.Loop() {
		if _, err := session.ListTools(b.Context(), nil); err != nil {
			b.Fatal(err)
		}
	}
}
