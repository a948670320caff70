package halotest

import (
	"strings"
	"time"
)

// Tickets that tests and demonstrations can rely on. The rest is a crowd.
const (
	TicketPrinter    = 2041 // Anna Berg: printer in Hall 3 offline; with Sam, in progress
	TicketVPN        = 2042 // Jonas Weber: VPN drops; nobody has it
	TicketXray       = 2043 // Dr. Lena Vogt: overdue, waiting
	TicketOutage     = 2044 // a Major Incident: about 150 KB with details
	TicketMigration  = 2045 // a Project with two open tasks
	TicketClosed     = 2048 // Mira Koch: closed last week
	TicketSecondRaid = 2049 // the other large one
)

type seedTicket struct {
	id, kind, user, status, agent, team, priority, parent int
	summary, details, category                            string
	age, due                                              time.Duration // reported ago; to be fixed from now (negative: overdue; 0: no date)
}

func (d *data) seedTickets(now time.Time) {
	d.tickets, d.attachments = newTable(), newTable()
	d.todos, d.approvals, d.feedback = newTable(), newTable(), newTable()
	hour, day := time.Hour, 24*time.Hour
	for _, t := range []seedTicket{
		{id: TicketPrinter, kind: TypeIncident, user: UserAnna, status: StatusInProgress, agent: AgentSam, team: TeamFirstLine, priority: 3, category: "Hardware>Printer",
			summary: "Label printer in Hall 3 is offline", details: "The label printer at packing station 2 shows offline since this morning.\nWe cannot ship parcels.", age: 5 * hour, due: 3 * hour},
		{id: TicketVPN, kind: TypeIncident, user: UserJonas, status: StatusNew, agent: AgentUnassigned, team: TeamFirstLine, priority: 2, category: "Network>VPN",
			summary: "VPN drops every ten minutes", details: "Working from home the VPN disconnects again and again.", age: 40 * time.Minute, due: 7 * hour},
		{id: TicketXray, kind: TypeIncident, user: UserLena, status: StatusWaiting, agent: AgentElif, team: TeamSecondLine, priority: 1, category: "Software>Line of Business",
			summary: "X-ray software does not start after update", details: "Since last night's update the software closes at once.", age: 2 * day, due: -20 * hour},
		{id: TicketOutage, kind: TypeMajorIncident, user: UserAnna, status: StatusInProgress, agent: AgentElif, team: TeamSecondLine, priority: 1, category: "Network",
			summary: "Warehouse network down in both halls", details: "All scanners and the gate are offline.", age: 90 * time.Minute, due: 30 * time.Minute},
		{id: TicketMigration, kind: TypeProject, user: 106, status: StatusInProgress, agent: AgentTom, team: TeamProjects, priority: 7,
			summary: "Move file server to SharePoint", details: "Phase 1: drawings, phase 2: archive.", age: 30 * day, due: 20 * day},
		{id: 2046, kind: TypeTask, user: 106, status: StatusInProgress, agent: AgentElif, team: TeamProjects, priority: 7, parent: TicketMigration,
			summary: "Clean up permissions on drawings", details: "Agree the list with Sofia first.", age: 20 * day, due: 5 * day},
		{id: 2047, kind: TypeTask, user: 106, status: StatusNew, agent: AgentUnassigned, team: TeamProjects, priority: 7, parent: TicketMigration,
			summary: "Copy archive", details: "About 2 TB.", age: 20 * day, due: 15 * day},
		{id: TicketClosed, kind: TypeServiceRequest, user: UserMira, status: StatusClosed, agent: AgentSam, team: TeamFirstLine, priority: 4, category: "Accounts>Password",
			summary: "Password reset for Mira Koch", details: "Locked out after her holiday.", age: 8 * day, due: -6 * day},
		{id: TicketSecondRaid, kind: TypeMajorIncident, user: UserLena, status: StatusNew, agent: AgentUnassigned, team: TeamSecondLine, priority: 2, category: "Hardware",
			summary: "RAID of the imaging server degraded", details: "Two disks report errors.", age: 3 * hour, due: hour},
	} {
		d.seedTicket(now, t)
	}
	d.seedCrowd(now)
	d.seedConversation(now)
}

// seedCrowd adds tickets until there are 80.
func (d *data) seedCrowd(now time.Time) {
	topics := []struct {
		summary, details, category string
		kind                       int
	}{
		{"Outlook asks for the password again", "It asks every few minutes.", "Software>Microsoft 365>Outlook", TypeIncident},
		{"New laptop for colleague", "Please order the standard model.", "Hardware>Laptop", TypeServiceRequest},
		{"Suspicious mail received", "Looks like an invoice, sender unknown.", "Security>Phishing", TypeIncident},
		{"Wi-Fi is slow in the meeting room", "Video calls freeze.", "Network>Wi-Fi", TypeIncident},
		{"Backup job failed", "The nightly job reported an error.", "Software", TypeProblem},
		{"Replace firewall firmware", "Vendor advisory, maintenance window needed.", "Network", TypeChange},
		{"Phone has no dial tone", "Extension 14.", "Hardware>Phone", TypeIncident},
	}
	users := []int{UserAnna, UserJonas, UserMira, UserLena, 105, 106, 107, 108, 109, 110}
	statuses := []int{StatusNew, StatusInProgress, StatusWaiting, StatusScheduled, StatusClosed, StatusUpdated, StatusSupplier, StatusResolved, StatusClosed}
	agents := []int{AgentSam, AgentUnassigned, AgentElif, AgentPriya, AgentSam}
	const crowd = 71
	for i := range crowd {
		topic, status := topics[i%len(topics)], statuses[i%len(statuses)]
		if topic.kind == TypeChange && status != StatusClosed {
			status = StatusScheduled // a change request has few statuses
		}
		age, due := time.Duration(7*i+1)*time.Hour, time.Duration(5*(i%11)-15)*time.Hour
		due = max(due, 30*time.Minute-age) // nothing is due before it is reported
		d.seedTicket(now, seedTicket{
			id: TicketSecondRaid + crowd - i, kind: topic.kind, user: users[i%len(users)], status: status,
			agent: agents[i%len(agents)], team: 1 + i%2, priority: 1 + i%4, summary: topic.summary, details: topic.details,
			category: topic.category, age: age, due: due,
		})
	}
}

func (d *data) seedTicket(now time.Time, t seedTicket) {
	user, kind := d.users.rows[t.user], d.ticketTypes.rows[t.kind]
	reported := now.Add(-t.age)
	row := Record{
		"id": t.id, "summary": t.summary, "details": t.details, "details_html": "<p>" + strings.ReplaceAll(t.details, "\n", "<br>") + "</p>",
		"tickettype_id": t.kind, "status_id": t.status, "agent_id": t.agent, "team": teamNames[t.team], "team_id": t.team,
		"priority_id": t.priority, "sla_id": kind["default_sla"], "category_1": t.category, "source": 1, "parent_id": t.parent,
		"dateoccurred": stamp(reported), "datecreated": stamp(reported.Add(10 * time.Second)), "targetdate": none,
		"respondbydate": stamp(reported.Add(2 * time.Hour)), "fixbydate": noFixDate, "deadlinedate": none, "startdate": none,
		"customfields": []Record{}, "assets": []Record{}, "impact": 3, "urgency": 3, "workflow_step": stepOf(t.kind, t.status),
	}
	if t.due != 0 {
		row["fixbydate"] = stamp(now.Add(t.due))
	}
	if t.kind == TypeServiceRequest {
		row["customfields"] = []Record{
			{"id": 201, "name": "CFAssetTag", "label": "Asset tag", "type": 0, "value": "NL-0815", "display": "NL-0815"},
			{"id": 202, "name": "CFCostCentre", "label": "Cost centre", "type": 0, "value": "4711", "display": "4711"},
		}
	}
	d.tickets.put(d.newTicket(row, user))
	d.actions[t.id] = newTable(Record{
		"id": 1, "ticket_id": t.id, "outcome": "First User Email", "outcome_id": outcomeUserEmail, "action_systemid": outcomeUserEmail,
		"who": user["name"], "who_type": 2, "who_agentid": 0, "datetime": stamp(reported), "note": t.details, "note_html": row["details_html"],
		"emailfrom": user["emailaddress"], "emailto": "support@nordlicht.example", "emailsubject": t.summary, "emaildirection": "I",
		"emailbody_html": emailHTML(row.String("details_html")), "hiddenfromuser": false, "important": false, "timetaken": 0.0,
		"nonbilltime": 0.0, "traveltime": 0.0, "actisbillable": true, "old_status": 0, "new_status": StatusNew, "attachment_count": 0,
	})
	if d.hidden[t.status] == closes {
		d.tickets.put(d.tickets.rows[t.id].with(Record{"hasbeenclosed": true, "dateclosed": stamp(reported.Add(30 * time.Hour))}))
	}
}

// stepOf is the workflow step that a ticket in a status has reached.
func stepOf(kind, status int) int {
	step := map[int]int{StatusNew: 1, StatusUpdated: 1, StatusWaiting: 3, StatusResolved: 4, StatusClosed: 5, StatusCancelled: 5}[status]
	switch {
	case step == 0:
		step = 2
	case kind == TypeChange:
		step = min(step, 3)
	}
	return step
}

// emailHTML is the kind of HTML that mail programs write.
func emailHTML(body string) string {
	return `<html><head><style>p.MsoNormal{margin:0cm;font-family:"Calibri",sans-serif}</style></head><body lang="DE">` +
		`<div class="WordSection1">` + body + `<p class="MsoNormal"><o:p>&nbsp;</o:p></p>` +
		`<table border="0"><tr><td><img src="cid:image001.png@01DC"></td><td>Hafen Logistik GmbH<br>Am Sandtorkai 1</td></tr></table></div></body></html>`
}

// seedConversation gives the printer ticket a history with every kind of
// action, and an attachment.
func (d *data) seedConversation(now time.Time) {
	say := func(ago time.Duration, fields Record) int {
		base := Record{
			"ticket_id": TicketPrinter, "who": "Sam Okafor", "who_type": 1, "who_agentid": AgentSam, "datetime": stamp(now.Add(-ago)), "note": "", "note_html": "",
			"hiddenfromuser": true, "important": false, "timetaken": 0.0, "nonbilltime": 0.0, "traveltime": 0.0, "actisbillable": true,
			"attachment_count": 0, "action_systemid": 0, "chargerate": 1,
		}
		return d.actions[TicketPrinter].add(base.with(fields)).Int("id")
	}
	say(4*time.Hour+30*time.Minute, Record{"outcome": "Changed", "outcome_id": outcomeSystem, "action_systemid": outcomeSystem, "who_type": 0, "who": "System",
		"who_agentid": 0, "note": "Assigned to Sam Okafor by Priya Nair", "old_status": StatusNew, "new_status": StatusInProgress})
	note := say(4*time.Hour, Record{"outcome": "Internal Note", "outcome_id": OutcomeNote, "timetaken": 0.25,
		"note": "Printer answers ping, spooler on PC-H3-02 is stuck.", "note_html": "<p>Printer answers <b>ping</b>, spooler on PC-H3-02 is stuck.</p>"})
	say(3*time.Hour, Record{"outcome": "Emailed User", "outcome_id": OutcomeEmailUser, "hiddenfromuser": false, "timetaken": 0.1,
		"note": "Please switch the printer off and on again.", "note_html": "<p>Please switch the printer off and on again.</p>", "emaildirection": "O",
		"emailto": AnnaBergEmail, "emailfrom": "support@nordlicht.example", "emailsubject": "Re: Label printer in Hall 3 is offline",
		"emailbody_html": emailHTML("<p>Please switch the printer off and on again.</p>")})
	say(2*time.Hour, Record{"outcome": "User Update", "outcome_id": outcomeUserEmail, "action_systemid": outcomeUserEmail, "who": "Anna Berg", "who_type": 2,
		"who_agentid": 0, "hiddenfromuser": false, "note": "Done, still offline.", "note_html": "<p>Done, still offline.</p>", "emaildirection": "I",
		"emailfrom": AnnaBergEmail, "emailbody_html": emailHTML("<p>Done, still offline.</p>")})
	d.attachments.add(Record{"filename": "spooler.log", "ticket_id": TicketPrinter, "unique_id": TicketPrinter, "type": 0, "action_id": note, "desc": "",
		"datecreated": stamp(now.Add(-4 * time.Hour)), "isimage": false, "content_type": "text/plain", "content": []byte("08:12 spooler stopped\n08:13 spooler started\n")})
	d.actions[TicketPrinter].put(d.actions[TicketPrinter].rows[note].with(Record{"attachment_count": 1}))
	d.tickets.put(d.tickets.rows[TicketPrinter].with(Record{"attachment_count": 1, "timetaken": 0.35, "lastactiondate": stamp(now.Add(-2 * time.Hour))}))
	d.todos.add(Record{"ticket_id": TicketPrinter, "text": "Order spare label printer", "done": false, "sequence": 1, "start_date": none, "end_date": none})
	d.approvals.add(Record{"ticket_id": TicketMigration, "seq": 1, "agent_id": AgentTom, "agent_name": "Tom Lindqvist", "result": 0, "type": "agent",
		"approval_process_name": "Project start", "datetime": stamp(now.Add(-48 * time.Hour)), "actionnumber": 1, "note": ""})
	d.feedback.add(Record{"ticket_id": TicketClosed, "score": 1, "score_band": 1, "comment": "Quick, thank you!", "date": stamp(now.Add(-6 * 24 * time.Hour)), "key": guid("feedback")})
}
