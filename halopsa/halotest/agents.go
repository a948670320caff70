package halotest

import (
	"slices"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
)

func agentRoutes() map[string]handler {
	return map[string]handler{
		"GET /Agent":      (*call).listAgents,
		"GET /Agent/me":   func(c *call) (any, error) { return c.data.agents.rows[c.agent], nil },
		"GET /Agent/{id}": func(c *call) (any, error) { return c.find(c.data.agents, "Agent") },
		"POST /Agent":     func(c *call) (any, error) { return c.saveRows("agents", c.data.agents) },
		"GET /Team":       (*call).listTeams,
		"GET /Team/{id}":  func(c *call) (any, error) { return c.find(c.data.teams, "Team") },
	}
}

// Agent returns one of the MSP's agents.
func (s *Server) Agent(id int) (Record, bool) {
	return s.row(id, func(d *data) *table { return d.agents })
}

// listAgents leaves out the disabled and the one that stands for nobody unless
// they are asked for.
func (c *call) listAgents() (any, error) {
	q := c.query
	teams := q.ids("team_id", "teams")
	return c.bare(c.data.agents.where(
		q.contains("search", "name", "email"),
		func(row Record) bool { return !row.Bool("isdisabled") || q.flag("includedisabled") },
		func(row Record) bool {
			return row.Bool("isdisabled") || !strings.EqualFold(q.text("includeenabled"), "false")
		},
		func(row Record) bool { return row.Int("id") != AgentUnassigned || q.flag("includeunassigned") },
		func(row Record) bool {
			return teams == nil || slices.ContainsFunc(row.List("teams"), func(team Record) bool { return teams[team.Int("team_id")] })
		},
		func(row Record) bool {
			return q.text("team") == "" || slices.ContainsFunc(row.List("teams"), func(team Record) bool {
				return strings.EqualFold(team.String("team_name"), q.text("team"))
			})
		},
	))
}

func (c *call) listTeams() (any, error) {
	flags := map[string]string{"reqs": "forrequests", "opps": "foropps", "prjs": "forprojects"}
	rows := c.data.teams.where(func(row Record) bool {
		flag := flags[c.query.text("type")]
		return flag == "" || row.Bool(flag)
	})
	// The names of teams, separated by commas.
	with := strings.Split(c.query.text("includeagentsforteams"), ",")
	for _, name := range with {
		if _, known := c.data.teams.named("name", name); name != "" && !known {
			c.violate(fakehttp.SilentlyIgnored, "includeagentsforteams: there is no team "+name)
		}
	}
	for i, row := range rows {
		if !slices.Contains(with, row.String("name")) {
			rows[i] = row.without("agents")
		}
	}
	return c.bare(rows)
}
