package halopsa

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

// about names the ticket that a call is about, for the person who is to confirm
// it.
func (c *Client) about(ctx context.Context, _ mcptools.Spec, args json.RawMessage) []string {
	var in struct {
		TicketID int `json:"ticket_id"`
	}
	if err := json.Unmarshal(args, &in); err != nil || in.TicketID < 1 {
		return nil
	}
	t, err := c.ticket(ctx, in.TicketID)
	if err != nil {
		return nil // the call itself will say what is wrong
	}
	return []string{joinNonEmpty(", ", "ticket "+strconv.Itoa(in.TicketID)+" "+t.Summary, t.User, t.Client)}
}
