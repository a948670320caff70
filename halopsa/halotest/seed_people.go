package halotest

import "strings"

// The MSP's agents. 1 is no person: tickets nobody has carry it (research 3.4).
const (
	AgentUnassigned = 1
	AgentSam        = 2 // Sam Okafor, technician; the API acts as him
	AgentPriya      = 3 // Priya Nair, dispatcher
	AgentTom        = 4 // Tom Lindqvist, service manager
	AgentElif       = 5 // Elif Demir, technician
	AgentNora       = 6 // Nora Jensen, who left: disabled
)

// The MSP's teams.
const (
	TeamFirstLine  = 1
	TeamSecondLine = 2
	TeamProjects   = 3
)

func (d *data) seedPeople() {
	d.agents = newTable()
	for id, agent := range []struct {
		name, initials, title, team string
		teams                       []int
	}{
		1: {"Unassigned", "UN", "", "", nil},
		2: {"Sam Okafor", "SO", "Technician", "1st Line", []int{TeamFirstLine, TeamSecondLine}},
		3: {"Priya Nair", "PN", "Dispatcher", "1st Line", []int{TeamFirstLine}},
		4: {"Tom Lindqvist", "TL", "Service Manager", "2nd Line", []int{TeamSecondLine, TeamProjects}},
		5: {"Elif Demir", "ED", "Technician", "2nd Line", []int{TeamSecondLine, TeamProjects}},
		6: {"Nora Jensen", "NJ", "Technician", "1st Line", []int{TeamFirstLine}},
	} {
		if agent.name == "" {
			continue
		}
		first, last, _ := strings.Cut(agent.name, " ")
		row := Record{
			"id": id, "guid_string": guid("agent" + agent.name), "name": agent.name, "firstname": first, "surname": last,
			"initials": agent.initials, "jobtitle": agent.title, "team": agent.team, "isdisabled": id == AgentNora,
			"is_agent": true, "isapiagent": id == AgentSam, "onlinestatus": 0, "is_online": false, "colour": "#2a6f97",
			"email": "", "licence_type": 0, "pagesize": defaultPage, "workday_id": 1,
		}
		if id != AgentUnassigned {
			row["email"] = strings.ToLower(first + "." + last + "@nordlicht.example")
		}
		teams := []Record{}
		for _, team := range agent.teams {
			teams = append(teams, Record{"id": 10*id + team, "agent_id": id, "agent_name": agent.name, "team_id": team,
				"team_name": teamNames[team], "fortickets": true, "in_section": true, "is_manager": id == AgentTom})
		}
		row["teams"] = teams
		d.agents.put(row)
	}
	d.teams = newTable()
	for id := TeamFirstLine; id <= TeamProjects; id++ {
		agents := []Record{}
		for _, agent := range d.agents.all() {
			for _, member := range agent.List("teams") {
				if member.Int("team_id") == id && !agent.Bool("isdisabled") {
					agents = append(agents, member)
				}
			}
		}
		d.teams.put(Record{
			"id": id, "guid": guid("team" + teamNames[id]), "name": teamNames[id], "sequence": id, "inactive": false,
			"forrequests": id != TeamProjects, "foropps": false, "forprojects": id == TeamProjects,
			"department_id": 1, "department_name": "Nordlicht IT", "agents": agents,
		})
	}
}

// teamNames are the names of the teams by id.
var teamNames = [...]string{"", "1st Line", "2nd Line", "Projects"}
