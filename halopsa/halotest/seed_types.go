package halotest

// Ticket types.
const (
	TypeIncident       = 1
	TypeServiceRequest = 2
	TypeProblem        = 3
	TypeChange         = 4 // wants impact and urgency, and has few statuses
	TypeProject        = 5
	TypeTask           = 6
	TypeMajorIncident  = 21 // Gold SLA; its definition is over 100 KB
	TypeNewStarter     = 24 // its template overwrites the team and the summary
)

// Outcomes, which are the actions that a ticket offers. 7, the stock id of the
// internal note, is something else here, as on tenants that edited theirs.
const (
	OutcomeEscalate  = 7
	OutcomeEmailUser = 11
	OutcomeNote      = 12 // Internal Note
	OutcomeResolve   = 13
	OutcomeClose     = 14
	OutcomeHold      = 15
	OutcomeLogTime   = 16
	OutcomeApprove   = 17 // the API's agent may not use it
	OutcomeStart     = 18
	OutcomeChase     = 19 // emails the user, on hold only
	outcomeSystem    = 50 // what Halo writes itself
	outcomeUserEmail = 51
)

func (d *data) seedTypes() {
	d.seedOutcomes()
	d.seedWorkflows()
	d.fields = newTable(
		Record{"id": 201, "name": "CFAssetTag", "label": "Asset tag", "type": 0, "usage": 1, "mandatory": false, "inputtype": 0},
		Record{"id": 202, "name": "CFCostCentre", "label": "Cost centre", "type": 0, "usage": 1, "mandatory": false, "inputtype": 0},
		Record{"id": 203, "name": "CFStartDate", "label": "First working day", "type": 4, "usage": 1, "mandatory": false, "inputtype": 0},
	)
	d.large = largeObjects{typeFields: definitions("Major", 140), userFields: definitions("User", 85)}
	d.ticketTypes = newTable()
	for sequence, t := range []struct {
		id, sla, priority, workflow, area, status int
		name, team                                string
		needs                                     []string
		statuses                                  []int
	}{
		{id: TypeIncident, name: "Incident", sla: SLAStandard, priority: 3, workflow: 1, area: 1, team: "1st Line", needs: []string{"category_1"}},
		{id: TypeServiceRequest, name: "Service Request", sla: SLAStandard, priority: 4, workflow: 1, area: 1, team: "1st Line"},
		{id: TypeProblem, name: "Problem", sla: SLAStandard, priority: 3, area: 1, team: "2nd Line", needs: []string{"details"}},
		{id: TypeChange, name: "Change Request", sla: SLAStandard, priority: 4, workflow: 2, area: 1, team: "2nd Line",
			needs: []string{"impact", "urgency"}, statuses: []int{StatusNew, StatusInProgress, StatusScheduled, StatusClosed, StatusCancelled}},
		{id: TypeProject, name: "Project", sla: SLAProject, priority: 7, area: 2, team: "Projects"},
		{id: TypeTask, name: "Project Task", sla: SLAProject, priority: 7, area: 2, team: "Projects"},
		{id: TypeMajorIncident, name: "Major Incident", sla: SLAGold, priority: 2, workflow: 1, area: 1, team: "2nd Line", needs: []string{"category_1"}},
		{id: TypeNewStarter, name: "New Starter", sla: SLAStandard, priority: 4, area: 1, team: "1st Line"},
	} {
		row := Record{
			"id": t.id, "guid": guid("type" + t.name), "name": t.name, "use": "requesttype", "sequence": sequence + 1, "group_id": 1,
			"group_name": "Default", "cancreate": true, "agentscanselect": true, "visible": true, "default_sla": t.sla,
			"default_priority": t.priority, "default_team": t.team, "default_agent": AgentUnassigned, "initial_status": StatusNew,
			"workflow_id": t.workflow, "workflow_name": d.workflows.rows[t.workflow].String("name"), "ticketarea_id": t.area,
			"allowall_status": t.statuses == nil, "allowall_actions": true, "allowall_team": true, "allowall_category1": true,
			"hasmandatorytechfields": t.needs != nil,
		}
		allowed := []Record{}
		for _, id := range t.statuses {
			allowed = append(allowed, Record{"ticketype_id": t.id, "status_id": id, "status_name": d.statuses.rows[id].String("name")})
		}
		d.ticketTypes.put(row.with(Record{"allowed_status": allowed, "fields": d.typeFields(t.id, t.needs)}))
	}
}

// requiredFields are the fields that a type can insist on, with Halo's numbers
// and names for them.
var requiredFields = map[string]Record{
	"category_1": {"id": 27, "name": "category1", "label": "Category"},
	"details":    {"id": 3, "name": "symptom2", "label": "Details"},
	"impact":     {"id": 80, "name": "impact", "label": "Impact"},
	"urgency":    {"id": 81, "name": "urgency", "label": "Urgency"},
}

func (d *data) typeFields(typeID int, needs []string) []Record {
	fields := []Record{{"id": 100 * typeID, "rtid": typeID, "fieldid": 2, "seq": 1, "technew": 2, "fieldname": "Summary",
		"fieldinfo": Record{"id": 2, "name": "symptom", "label": "Summary", "mandatory": true, "faults_field_name": "summary"}}}
	for i, need := range needs {
		info := requiredFields[need].with(Record{"mandatory": true, "faults_field_name": need})
		fields = append(fields, Record{"id": 100*typeID + i + 1, "rtid": typeID, "fieldid": info["id"], "seq": i + 2,
			"technew": 2, "fieldname": info["label"], "fieldinfo": info})
	}
	for i, field := range d.fields.all() {
		fields = append(fields, Record{"id": 100*typeID + 50 + i, "rtid": typeID, "fieldid": field["id"], "seq": 50 + i,
			"technew": 1, "fieldname": field["label"], "fieldinfo": field})
	}
	if typeID == TypeMajorIncident {
		fields = append(fields, d.large.typeFields...)
	}
	return fields
}

func (d *data) seedOutcomes() {
	d.outcomes = newTable()
	for i, o := range []struct {
		id, status, respond    int
		name, button           string
		private, mails, system bool
	}{
		{id: OutcomeEscalate, name: "Escalated", button: "Escalate to 2nd Line", private: true},
		{id: OutcomeEmailUser, name: "Emailed User", button: "Email User", respond: 1, mails: true, status: StatusWaiting},
		{id: OutcomeNote, name: "Internal Note", button: "Internal Note", private: true},
		{id: OutcomeResolve, name: "Resolved", button: "Resolve", mails: true, status: StatusResolved},
		{id: OutcomeClose, name: "Closed", button: "Close", status: StatusClosed},
		{id: OutcomeHold, name: "On Hold", button: "Place on Hold", private: true, status: StatusWaiting},
		{id: OutcomeLogTime, name: "Time Logged", button: "Log Time", private: true},
		{id: OutcomeApprove, name: "Approved by Manager", button: "Approve", private: true},
		{id: OutcomeStart, name: "Work Started", button: "Start Work", private: true, status: StatusInProgress},
		{id: OutcomeChase, name: "Chased User", button: "Chase User", respond: 1, mails: true},
		{id: outcomeSystem, name: "Changed", system: true, private: true},
		{id: outcomeUserEmail, name: "First User Email", system: true},
	} {
		row := Record{
			"id": o.id, "guid": guid("outcome" + o.name), "outcome": o.name, "buttonname": o.button, "labellong": o.button,
			"sequence": i + 1, "hidden": o.system, "systemid": 0, "respondtype": o.respond, "sendemail": 0, "hidefromuser": o.private,
			"newstatus": o.status, "workflow_id": 0, "mustaddnote": false, "defaultmanhrs": 0.0, "colour": "#457b9d",
		}
		if o.mails {
			row["sendemail"] = 1
		}
		if o.system {
			row["systemid"] = o.id
		}
		d.outcomes.put(row)
	}
}

// seedWorkflows makes the two workflows. A step lists the actions that lead
// out of it; always_allow_actions work in every step.
func (d *data) seedWorkflows() {
	type way struct{ outcome, to int }
	type step struct {
		name string
		ways []way
	}
	d.workflows = newTable()
	for id, w := range []struct {
		name   string
		always []int
		steps  []step
	}{
		1: {"Incident Handling", []int{OutcomeNote, OutcomeLogTime}, []step{
			{"New", []way{{OutcomeStart, 2}, {OutcomeEmailUser, 3}, {OutcomeEscalate, 2}, {OutcomeClose, 5}}},
			{"Working", []way{{OutcomeEmailUser, 3}, {OutcomeEscalate, 2}, {OutcomeHold, 3}, {OutcomeResolve, 4}, {OutcomeApprove, 2}, {OutcomeClose, 5}}},
			{"On Hold", []way{{OutcomeStart, 2}, {OutcomeChase, 3}, {OutcomeEmailUser, 3}}},
			{"Resolved", []way{{OutcomeClose, 5}, {OutcomeStart, 2}}},
			{"Closed", nil},
		}},
		2: {"Change Approval", []int{OutcomeNote}, []step{
			{"Request", []way{{OutcomeApprove, 2}, {OutcomeEmailUser, 1}}},
			{"Approved", []way{{OutcomeStart, 2}, {OutcomeLogTime, 2}, {OutcomeClose, 3}}},
			{"Done", nil},
		}},
	} {
		if w.name == "" {
			continue
		}
		always := []Record{}
		for _, outcome := range w.always {
			always = append(always, d.outcomes.rows[outcome].only("id", "outcome", "buttonname"))
		}
		steps := []Record{}
		for i, s := range w.steps {
			actions := []Record{}
			for j, way := range s.ways {
				o := d.outcomes.rows[way.outcome]
				actions = append(actions, Record{"id": 1000*id + 100*i + j, "flow_id": id, "seq": j + 1, "start_step": i + 1, "end_step": way.to,
					"action_type": 0, "action_id": way.outcome, "action_name": o["buttonname"], "action_outcome": o["outcome"],
					"restricted": way.outcome == OutcomeApprove})
			}
			steps = append(steps, Record{"fdid": 10*id + i, "step_id": i + 1, "flow_id": id, "name": s.name, "stage_number": i + 1,
				"isstart": i == 0, "isend": s.ways == nil, "actions": actions})
		}
		d.workflows.put(Record{"id": id, "guid": guid("workflow" + w.name), "name": w.name, "active": true, "notinuse": false,
			"in_use": true, "steps": steps, "always_allow_actions": always})
	}
}
