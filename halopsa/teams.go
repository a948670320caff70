package halopsa

import (
	"cmp"
	"context"
	"strings"

	"github.com/msptoolbelt/toolbelt/mcptools"
)

// Team is a group of agents that tickets are assigned to.
type Team struct {
	ID         int      `json:"id"`
	Name       string   `json:"name"`
	Department string   `json:"department,omitempty"`
	Agents     []string `json:"agents,omitempty"`
}

// ListTeamsInput narrows the teams down.
type ListTeamsInput struct {
	Type          string `json:"type,omitempty" enum:"tickets,opportunities,projects" jsonschema:"teams for these only"`
	IncludeAgents bool   `json:"include_agents,omitempty" jsonschema:"name the members"`
	Limit         int    `json:"limit,omitempty" minimum:"1" maximum:"200" default:"50"`
	Cursor        string `json:"cursor,omitempty"`
}

// ListTeams lists teams. GET /Team, which has no pages.
func (c *Client) ListTeams(ctx context.Context, in ListTeamsInput) (*mcptools.Page[Team], error) {
	l := collection{tool: "teams_list", args: in, cursor: in.Cursor, limit: cmp.Or(in.Limit, 50), path: "/Team", key: "teams",
		query: params("type", map[string]string{"tickets": "reqs", "opportunities": "opps", "projects": "prjs"}[in.Type])}
	if in.IncludeAgents { // it takes the names of the teams
		teams, err := c.entries(ctx, "team", within{})
		if err != nil {
			return nil, err
		}
		var names []string
		for _, team := range teams {
			names = append(names, team.Name)
		}
		l.query.Set("includeagentsforteams", strings.Join(names, ","))
	}
	type team struct {
		ID         int          `json:"id"`
		Name       string       `json:"name"`
		Inactive   bool         `json:"inactive"`
		Department string       `json:"department_name"`
		Agents     []membership `json:"agents"`
	}
	return unpaged(ctx, c, l, func(t team) (Team, bool) {
		row := Team{ID: t.ID, Name: t.Name, Department: t.Department}
		if in.IncludeAgents {
			for _, m := range t.Agents {
				row.Agents = append(row.Agents, m.AgentName)
			}
		}
		return row, !t.Inactive
	})
}
