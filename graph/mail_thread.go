package graph

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// GetMailThreadInput names a conversation.
type GetMailThreadInput struct {
	Mailbox string `json:"mailbox,omitempty"`
	ID      string `json:"id" jsonschema:"of any of its messages, or of the conversation"`
	Limit   int    `json:"limit,omitempty" jsonschema:"the latest ones" minimum:"1" maximum:"50" default:"20"`
}

// MailThread is a conversation, its oldest message first.
type MailThread struct {
	Subject  string          `json:"subject"`
	Messages []ThreadMessage `json:"messages"`
	Earlier  int             `json:"earlier,omitempty" jsonschema:"older messages left out"`
}

// ThreadMessage is one message of a conversation, without what it quotes.
type ThreadMessage struct {
	ID          string   `json:"id"`
	Time        string   `json:"time"`
	From        string   `json:"from"`
	To          []string `json:"to,omitempty"`
	Body        string   `json:"body"`
	Cut         bool     `json:"cut,omitempty" jsonschema:"longer; read it with m365_mail_get"`
	Unread      bool     `json:"unread,omitempty"`
	Draft       bool     `json:"draft,omitempty"`
	Attachments bool     `json:"attachments,omitempty"`
}

const (
	threadFields  = "id,receivedDateTime,sentDateTime,from,toRecipients,subject,body,isRead,isDraft,hasAttachments,conversationId"
	maxThread     = 200 // messages of a conversation that are looked at
	threadBytes   = 18_000
	leastOfThread = 300 // bytes that each message may have at least
)

// GetMailThread reads a conversation, wherever in the mailbox its messages are.
// https://learn.microsoft.com/graph/api/user-list-messages
func (c *Client) GetMailThread(ctx context.Context, in GetMailThreadInput) (*MailThread, error) {
	if err := checkID(in.ID); err != nil {
		return nil, err
	}
	zone, err := c.zone(ctx, in.Mailbox, "")
	if err != nil {
		return nil, err
	}
	messages, err := c.conversation(ctx, in.Mailbox, in.ID)
	if err != nil {
		return nil, err
	}
	// Graph cannot sort what it filters by conversation.
	slices.SortStableFunc(messages, func(a, b message) int { return a.when().Compare(b.when()) })
	limit := cmp.Or(in.Limit, 20)
	thread := &MailThread{Subject: messages[0].Subject, Earlier: max(0, len(messages)-limit)}
	for _, m := range messages[thread.Earlier:] {
		one, err := threadMessage(m, zone)
		if err != nil {
			return nil, err
		}
		thread.Messages = append(thread.Messages, one)
	}
	return thread, thread.fit()
}

// conversation returns the messages of the conversation that an id belongs to.
func (c *Client) conversation(ctx context.Context, mailbox, id string) ([]message, error) {
	if strings.HasPrefix(id, "AAQk") { // as ids of conversations begin
		if messages, err := c.messagesOf(ctx, mailbox, id); err != nil || len(messages) > 0 {
			return messages, err
		}
	}
	path, err := c.path(ctx, mailbox, "/messages/{}", id)
	if err != nil {
		return nil, err
	}
	var m message
	err = c.get(ctx, path, url.Values{"$select": {"id,conversationId"}}, nil, &m)
	if errors.Is(err, mcptools.CodeNotFound) || errors.Is(err, mcptools.CodeInvalidArguments) {
		if messages, other := c.messagesOf(ctx, mailbox, id); other == nil && len(messages) > 0 {
			return messages, nil
		}
	}
	if err != nil {
		return nil, err
	}
	messages, err := c.messagesOf(ctx, mailbox, m.ConversationID)
	if err == nil && len(messages) == 0 {
		err = mcptools.Errorf(mcptools.CodeNotFound, "the conversation has no messages any more")
	}
	return messages, err
}

func (c *Client) messagesOf(ctx context.Context, mailbox, conversation string) ([]message, error) {
	path, err := c.path(ctx, mailbox, "/messages")
	if err != nil {
		return nil, err
	}
	l := collection{path: path, query: url.Values{"$select": {threadFields}, "$filter": {"conversationId eq " + quote(conversation)}}, limit: 50}
	return whole[message](ctx, c, l, maxThread)
}

func threadMessage(m message, zone *time.Location) (ThreadMessage, error) {
	text := ""
	if m.Body != nil {
		var err error
		if text, _, err = readable(*m.Body, "markdown", false); err != nil {
			return ThreadMessage{}, err
		}
	}
	to := names(m.To[:min(len(m.To), 5)])
	return ThreadMessage{
		ID: m.ID, Time: stamp(m.when(), zone), From: m.From.String(), To: to, Body: text,
		Unread: !m.Read && !m.Draft, Draft: m.Draft, Attachments: m.Attached,
	}, nil
}

// fit shortens the bodies until the thread fits a result: the newest messages
// keep the most, and the oldest are left out when nothing else helps.
func (t *MailThread) fit() error {
	bodies := make([]string, len(t.Messages))
	for i := range t.Messages {
		bodies[i], t.Messages[i].Body = t.Messages[i].Body, ""
	}
	for {
		frame, err := json.Marshal(t)
		if err != nil {
			return fmt.Errorf("graph: thread: %w", err)
		}
		if len(frame)+leastOfThread*len(t.Messages) <= threadBytes || len(t.Messages) <= 1 {
			t.spread(bodies, threadBytes-len(frame))
			return nil
		}
		t.Messages, bodies = t.Messages[1:], bodies[1:]
		t.Earlier++
	}
}

// spread gives each message its share of the room, the newest first, so that
// what short ones leave goes to older ones.
func (t *MailThread) spread(bodies []string, room int) {
	for i := len(bodies) - 1; i >= 0; i-- {
		share := room - i*leastOfThread
		if i > 0 {
			share = min(share, room*2/3)
		}
		body := markup.Fit(bodies[i], max(share, leastOfThread))
		t.Messages[i].Body, t.Messages[i].Cut = body, len(body) < len(bodies[i])
		room -= markup.JSONSize(body)
	}
}
