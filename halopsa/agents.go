package halopsa

import (
	"cmp"
	"context"
	"strconv"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/paging"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// agent is somebody who works tickets.
type agent struct {
	ID       int          `json:"id"`
	Name     string       `json:"name"`
	Email    string       `json:"email"`
	JobTitle string       `json:"jobtitle"`
	Team     string       `json:"team"`
	Teams    []membership `json:"teams"`
	Disabled truth        `json:"isdisabled"`
}

// membership is an agent's place in a team.
type membership struct {
	AgentID   int    `json:"agent_id"`
	AgentName string `json:"agent_name"`
	TeamID    int    `json:"team_id"`
	TeamName  string `json:"team_name"`
}

// me returns the agent that the application acts as.
func (c *Client) me(ctx context.Context) (agent, error) {
	return c.agents.Get(ctx, c.holder(ctx), func(ctx context.Context) (agent, error) {
		var a agent
		err := c.get(ctx, "/Agent/me", nil, &a)
		if err == nil && a.ID < 1 { // 0 in a filter means everybody
			err = &mcptools.Error{Code: mcptools.CodeUpstream, Message: "HaloPSA does not say which agent calls act as"}
		}
		return a, err
	})
}

// Agent is somebody who works tickets.
type Agent struct {
	ID       int      `json:"id"`
	Name     string   `json:"name"`
	Email    string   `json:"email,omitempty"`
	JobTitle string   `json:"job_title,omitempty"`
	Teams    []string `json:"teams,omitempty"`
	Disabled bool     `json:"disabled,omitempty"`
}

func agentRow(a agent) Agent {
	row := Agent{ID: a.ID, Name: a.Name, Email: a.Email, JobTitle: a.JobTitle, Disabled: bool(a.Disabled)}
	for _, m := range a.Teams {
		row.Teams = append(row.Teams, m.TeamName)
	}
	if len(row.Teams) == 0 && a.Team != "" {
		row.Teams = []string{a.Team}
	}
	return row
}

// MeInput has no arguments.
type MeInput struct{}

// Me returns the agent that the calls act as. GET /Agent/me
func (c *Client) Me(ctx context.Context, _ MeInput) (*Agent, error) {
	a, err := c.me(ctx)
	if err != nil {
		return nil, err
	}
	row := agentRow(a)
	return &row, nil
}

// ListAgentsInput narrows the agents down.
type ListAgentsInput struct {
	Query           string `json:"query,omitempty" jsonschema:"in name or e-mail"`
	Team            string `json:"team,omitempty"`
	IncludeDisabled bool   `json:"include_disabled,omitempty"`
	Limit           int    `json:"limit,omitempty" minimum:"1" maximum:"200" default:"50"`
	Cursor          string `json:"cursor,omitempty"`
}

// ListAgents lists agents. GET /Agent, which has no pages.
func (c *Client) ListAgents(ctx context.Context, in ListAgentsInput) (*mcptools.Page[Agent], error) {
	l := collection{tool: "agents_list", args: in, cursor: in.Cursor, limit: cmp.Or(in.Limit, 50), path: "/Agent", key: "agents",
		query: params("includedisabled", flag(in.IncludeDisabled))}
	if in.Team != "" {
		team, err := c.resolve(ctx, "team", in.Team)
		if err != nil {
			return nil, err
		}
		l.query.Set("team_id", strconv.Itoa(team.ID))
	}
	return unpaged(ctx, c, l, func(a agent) (Agent, bool) {
		return agentRow(a), holds(in.Query, a.Name, a.Email)
	})
}

// holds reports whether one of the texts has all words of query in it. An empty
// query is in any text.
func holds(query string, texts ...string) bool {
	all := strings.ToLower(strings.Join(texts, "\n"))
	for word := range strings.FieldsSeq(strings.ToLower(query)) {
		if !strings.Contains(all, word) {
			return false
		}
	}
	return true
}

// unpaged collects the rows of a list that Halo does not page. keep says whether
// a row belongs to the result.
func unpaged[W, R any](ctx context.Context, c *Client, l collection, keep func(W) (R, bool)) (*mcptools.Page[R], error) {
	scope, err := c.scope(ctx, l.tool, l.args)
	if err != nil {
		return nil, err
	}
	fetch := func(ctx context.Context, _ string, _ int) ([]R, string, *int, error) {
		elements, err := all[W](ctx, c, l.path, l.key, l.query)
		if err != nil {
			return nil, "", nil, err
		}
		rows := []R{}
		for _, element := range elements {
			if row, ok := keep(element); ok {
				rows = append(rows, row)
			}
		}
		total := len(rows)
		return rows, "", &total, nil
	}
	return paging.Collect(ctx, c.codec, paging.Query{Scope: scope, Cursor: l.cursor, Limit: l.limit}, fetch)
}
