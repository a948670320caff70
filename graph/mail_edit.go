package graph

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/msptoolbelt/toolbelt/internal/rest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// UpdateMailInput says what to set on messages. What is left out stays.
type UpdateMailInput struct {
	Mailbox    string   `json:"mailbox,omitempty"`
	IDs        []string `json:"ids" minItems:"1" maxItems:"100"`
	Read       *bool    `json:"read,omitempty"`
	Flag       string   `json:"flag,omitempty" enum:"flagged,complete,none"`
	Categories []string `json:"categories,omitempty" jsonschema:"replaces all; [] clears"`
	Importance string   `json:"importance,omitempty" enum:"low,normal,high"`
}

// MailChange says with how many messages something was done, and with which
// not.
type MailChange struct {
	Done    int          `json:"done"`
	Failed  []FailedItem `json:"failed,omitempty"`
	Ignored []string     `json:"ignored,omitempty" jsonschema:"fields that the server did not set"`
}

// UpdateMail marks messages.
// https://learn.microsoft.com/graph/api/message-update
func (c *Client) UpdateMail(ctx context.Context, in UpdateMailInput) (*MailChange, error) {
	change := map[string]any{}
	if in.Read != nil {
		change["isRead"] = *in.Read
	}
	if in.Flag != "" {
		change["flag"] = map[string]any{"flagStatus": map[string]string{"flagged": "flagged", "complete": "complete", "none": "notFlagged"}[in.Flag]}
	}
	if in.Categories != nil {
		change["categories"] = in.Categories
	}
	if in.Importance != "" {
		change["importance"] = in.Importance
	}
	if len(change) == 0 {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "say what to set: read, flag, categories or importance")
	}
	results, err := c.batchMessages(ctx, in.Mailbox, in.IDs, "", batchRequest{Method: http.MethodPatch, Body: change, Repeatable: true})
	if err != nil {
		return nil, err
	}
	failed, err := failures(in.IDs, results)
	if err != nil {
		return nil, err
	}
	return &MailChange{Done: len(in.IDs) - len(failed), Failed: failed, Ignored: in.ignored(results)}, nil
}

// ignored names what a message does not show although it was set.
func (in UpdateMailInput) ignored(results []batchAnswer) []string {
	var fields []string
	note := func(name string, differs bool) {
		if differs && !slices.Contains(fields, name) {
			fields = append(fields, name)
		}
	}
	for _, r := range results {
		var now message
		if r.Err != nil || len(r.Body) == 0 || json.Unmarshal(r.Body, &now) != nil {
			continue
		}
		note("read", in.Read != nil && *in.Read != now.Read)
		note("flag", in.Flag != "" && (in.Flag == "none") != (now.Flag.Status == "notFlagged"))
		note("categories", in.Categories != nil && !sameSet(in.Categories, now.Categories))
		note("importance", in.Importance != "" && in.Importance != now.Importance)
	}
	return fields
}

// sameSet reports whether two lists hold the same texts in any order.
func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// batchMessages does the same with each message; suffix is the action below it.
func (c *Client) batchMessages(ctx context.Context, mailbox string, ids []string, suffix string, each batchRequest) ([]batchAnswer, error) {
	if len(ids) == 0 {
		return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "ids: name at least one message")
	}
	messages, err := c.path(ctx, mailbox, "/messages")
	if err != nil {
		return nil, err
	}
	requests := make([]batchRequest, 0, len(ids))
	for _, id := range ids {
		if err := checkID(id); err != nil {
			return nil, err
		}
		path, err := rest.Path("/{}"+suffix, id)
		if err != nil {
			return nil, err
		}
		each.Path = messages + path
		requests = append(requests, each)
	}
	return c.batch(ctx, requests)
}

// MoveMailInput names messages and where they go.
type MoveMailInput struct {
	Mailbox string   `json:"mailbox,omitempty"`
	IDs     []string `json:"ids" minItems:"1" maxItems:"100"`
	Folder  string   `json:"folder" jsonschema:"name, path or id"`
	Copy    bool     `json:"copy,omitempty"`
}

// MovedMail says what was moved or copied.
type MovedMail struct {
	Done   int          `json:"done"`
	Folder string       `json:"folder"`
	NewIDs []string     `json:"new_ids,omitempty" jsonschema:"in the order of ids; absent when unchanged"`
	Failed []FailedItem `json:"failed,omitempty"`
}

// MoveMail moves or copies messages to a folder.
// https://learn.microsoft.com/graph/api/message-move
func (c *Client) MoveMail(ctx context.Context, in MoveMailInput) (*MovedMail, error) {
	folder, err := c.folder(ctx, in.Mailbox, in.Folder)
	if err != nil {
		return nil, err
	}
	action := "/copy"
	if !in.Copy {
		action = "/move"
		deletes, err := c.inDeletedItems(ctx, in.Mailbox, folder)
		if err != nil {
			return nil, err
		}
		if deletes {
			return nil, mcptools.Errorf(mcptools.CodeInvalidArguments, "folder: moving messages to Deleted Items deletes them").
				WithHint("use m365_mail_delete")
		}
	}
	// An immutable id makes a second move to the same folder harmless.
	each := batchRequest{Method: http.MethodPost, Body: map[string]any{"destinationId": folder.ID}, Repeatable: !in.Copy}
	results, err := c.batchMessages(ctx, in.Mailbox, in.IDs, action, each)
	if err != nil {
		return nil, err
	}
	failed, err := failures(in.IDs, results)
	if err != nil {
		return nil, err
	}
	return &MovedMail{Done: len(in.IDs) - len(failed), Folder: folder.Path, NewIDs: newIDs(in.IDs, results), Failed: failed}, nil
}

// newIDs lists the ids after a move or copy, with "" for what failed, or nothing
// when all are as before.
func newIDs(ids []string, results []batchAnswer) []string {
	list := make([]string, len(ids))
	changed := false
	for i, r := range results {
		var now message
		if r.Err == nil && json.Unmarshal(r.Body, &now) == nil {
			list[i] = now.ID
			changed = changed || now.ID != ids[i]
		}
	}
	if !changed {
		return nil
	}
	return list
}

// DeleteMailInput names messages to delete.
type DeleteMailInput struct {
	Mailbox   string   `json:"mailbox,omitempty"`
	IDs       []string `json:"ids" minItems:"1" maxItems:"100"`
	Permanent bool     `json:"permanent,omitempty" jsonschema:"for good; also from Deleted Items"`
}

// DeleteMail moves messages to Deleted Items, or removes them for good.
//
// Deleting is a move here: an immutable id outlives it, so a repeated DELETE
// would find the message in Deleted Items and remove it from there.
// https://learn.microsoft.com/graph/api/message-permanentdelete
func (c *Client) DeleteMail(ctx context.Context, in DeleteMailInput) (*MailChange, error) {
	action, each := "/move", batchRequest{Method: http.MethodPost, Body: map[string]any{"destinationId": "deleteditems"}, Repeatable: true}
	if in.Permanent {
		action, each = "/permanentDelete", batchRequest{Method: http.MethodPost}
	}
	results, err := c.batchMessages(ctx, in.Mailbox, in.IDs, action, each)
	if err != nil {
		return nil, err
	}
	failed, err := failures(in.IDs, results)
	if err != nil {
		return nil, err
	}
	return &MailChange{Done: len(in.IDs) - len(failed), Failed: failed}, nil
}
