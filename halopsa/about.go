package halopsa

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/msptoolbelt/toolbelt/internal/markup"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// about names the ticket that a call is about, for the person who is to confirm
// it, and who is mailed where the call itself does not say so.
func (c *Client) about(ctx context.Context, spec mcptools.Spec, args json.RawMessage) []string {
	var in struct {
		TicketID int      `json:"ticket_id"`
		To       []string `json:"to"`
	}
	if err := json.Unmarshal(args, &in); err != nil || in.TicketID < 1 {
		return nil
	}
	t, err := c.ticket(ctx, in.TicketID)
	if err != nil {
		return nil // the call itself will say what is wrong
	}
	lines := []string{joinNonEmpty(", ", "ticket "+strconv.Itoa(in.TicketID)+" "+markup.Preview(t.Summary, 80), t.User, t.Client)}
	if spec.Name == "halo_actions_reply_to_user" && len(in.To) == 0 && t.UserEmail != "" {
		lines = append(lines, "mail to "+t.UserEmail)
	}
	return lines
}
