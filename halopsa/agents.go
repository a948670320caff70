package halopsa

import "context"

// agent is somebody who works tickets.
type agent struct {
	ID    int    `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

// me returns the agent that the application acts as.
func (c *Client) me(ctx context.Context) (agent, error) {
	return c.agents.Get(ctx, c.identity(ctx), func(ctx context.Context) (agent, error) {
		var a agent
		err := c.get(ctx, "/Agent/me", nil, &a)
		return a, err
	})
}
