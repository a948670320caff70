package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// handwritten is the server to compare with: one tool as somebody would write it
// with the SDK alone, without this library. It makes the same request and
// returns the same rows.
func handwritten() {
	server := mcp.NewServer(&mcp.Implementation{Name: "handwritten", Version: "1"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "m365_mail_search", Description: "Find messages."}, handSearch)
	if err := server.Run(context.Background(), &mcp.StdioTransport{}); err != nil {
		log.Fatal(err)
	}
}

type handInput struct {
	Unread bool `json:"unread,omitempty"`
	Limit  int  `json:"limit,omitempty"`
}

type handRow struct {
	ID          string `json:"id"`
	Time        string `json:"time"`
	From        string `json:"from"`
	Subject     string `json:"subject"`
	Preview     string `json:"preview,omitempty"`
	Unread      bool   `json:"unread,omitempty"`
	Flagged     bool   `json:"flagged,omitempty"`
	Attachments bool   `json:"attachments,omitempty"`
	Importance  string `json:"importance,omitempty"`
	Draft       bool   `json:"draft,omitempty"`
}

type handOutput struct {
	Items  []handRow `json:"items"`
	Cursor string    `json:"cursor,omitempty"`
}

type handMessage struct {
	ID       string    `json:"id"`
	Received time.Time `json:"receivedDateTime"`
	From     struct {
		EmailAddress struct{ Name, Address string }
	} `json:"from"`
	Subject    string `json:"subject"`
	Preview    string `json:"bodyPreview"`
	Read       bool   `json:"isRead"`
	Draft      bool   `json:"isDraft"`
	Attached   bool   `json:"hasAttachments"`
	Importance string `json:"importance"`
	Flag       struct {
		Status string `json:"flagStatus"`
	} `json:"flag"`
}

// handClient keeps its connections when many calls run at once;
// http.DefaultClient would keep two.
var handClient = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: atOnce}}

func handSearch(ctx context.Context, _ *mcp.CallToolRequest, in handInput) (*mcp.CallToolResult, handOutput, error) {
	filter := "receivedDateTime ge 1900-01-01T00:00:00Z"
	if in.Unread {
		filter += " and isRead eq false"
	}
	query := url.Values{
		"$select": {"id,receivedDateTime,from,subject,bodyPreview,isRead,flag,hasAttachments,importance,isDraft"},
		"$filter": {filter}, "$orderby": {"receivedDateTime desc"}, "$top": {strconv.Itoa(max(in.Limit, 1))},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, os.Getenv("M365_GRAPH_URL")+"/me/messages?"+query.Encode(), nil)
	if err != nil {
		return nil, handOutput{}, err
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("M365_ACCESS_TOKEN"))
	response, err := handClient.Do(request)
	if err != nil {
		return nil, handOutput{}, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, handOutput{}, fmt.Errorf("status %d", response.StatusCode)
	}
	var page struct {
		Value []handMessage
		Next  string `json:"@odata.nextLink"`
	}
	if err := json.NewDecoder(response.Body).Decode(&page); err != nil {
		return nil, handOutput{}, err
	}
	out := handOutput{Items: make([]handRow, 0, len(page.Value)), Cursor: page.Next}
	for _, m := range page.Value {
		out.Items = append(out.Items, m.row())
	}
	return nil, out, nil
}

func (m handMessage) row() handRow {
	row := handRow{
		ID: m.ID, Time: m.Received.Format("2006-01-02T15:04Z07:00"), From: m.From.EmailAddress.Name + " <" + m.From.EmailAddress.Address + ">",
		Subject: m.Subject, Preview: m.Preview[:min(len(m.Preview), 40)], Unread: !m.Read, Flagged: m.Flag.Status == "flagged", Attachments: m.Attached, Draft: m.Draft,
	}
	if m.Importance != "normal" {
		row.Importance = m.Importance
	}
	return row
}
