package halotest

import (
	"fmt"
	"time"
)

func (d *data) seedAssets(now time.Time) {
	d.assetTypes = newTable()
	for i, name := range []string{"Laptop", "Printer", "Server", "Firewall"} {
		d.assetTypes.add(Record{"name": name, "guid": guid("assettype" + name), "assetgroup_id": 1, "assetgroup_name": "Hardware",
			"keyfield_id": 10, "keyfield_name": "Serial number", "defaultsequence": i + 1})
	}
	d.assets = newTable()
	users := contacts()[:4]
	for i := range 60 {
		user, kind := users[i%len(users)], d.assetTypes.rows[1+i%4]
		serial := fmt.Sprintf("SN%06d", 4711*(i+1)%1000000)
		site := d.sites.rows[user.site]
		d.assets.add(Record{
			"inventory_number": fmt.Sprintf("NL-%04d", 100+i), "key_field": serial, "key_field2": "", "client_id": user.client,
			"client_name": site["client_name"], "site_id": user.site, "site_name": site["name"], "username": user.name, "user_id": user.id,
			"assettype_id": kind["id"], "assettype_name": kind["name"], "inactive": i == 59, "status_id": 1, "status_name": "In use",
			"warranty_end": local(now.AddDate(0, i-10, 0)), "contract_id": 0,
			"fields": []Record{{"id": 10, "name": "Serial number", "value": serial, "mandatory": true}, {"id": 11, "name": "Location", "value": site["name"], "mandatory": false}},
			"users":  []Record{{"id": user.id, "name": user.name}}, "customfields": []Record{},
		})
	}
}

func (d *data) seedBilling(now time.Time) {
	d.contracts, d.invoices = newTable(), newTable()
	for i, c := range []struct {
		client int
		ref    string
		days   int
	}{
		{ClientHafen, "HL-2024-01 Managed Services", 200}, {ClientHafen, "HL-2023-07 Backup", 20}, {ClientAlster, "AD-2024 Full Care", 120},
		{ClientElbe, "EA-2022 Basic", -30}, {ClientKontor, "KN-2025 Full Care", 300},
	} {
		client := d.clients.rows[c.client]
		d.contracts.add(Record{
			"ref": c.ref, "refextra": "", "client_id": c.client, "client_name": client["name"], "site_id": 0, "sla_id": SLAStandard, "sla_name": "Standard 8x5",
			"start_date": local(now.AddDate(-1, 0, 0)), "end_date": local(now.AddDate(0, 0, c.days)), "started": true, "expired": c.days < 0, "active": c.days >= 0,
			"contract_status": map[bool]string{true: "Expired", false: "Active"}[c.days < 0], "periodchargeamount": 450.0 + 100*float64(i),
			"billingperiod": 1, "next_invoice_date": local(now.AddDate(0, 1, 0)), "status": 0, "note": "", "inactive": false,
			"contract_prepaytotal": 40.0, "contract_prepayused": 12.5, "contract_prepaybalance": 27.5,
		})
	}
	for i := range 9 {
		client := d.clients.rows[ClientHafen+i%4]
		total, paid := 450.0+float64(i)*35.5, 0.0
		if i < 6 {
			paid = total
		}
		d.invoices.add(Record{
			"invoicenumber": 202400 + i, "client_id": client["id"], "client_name": client["name"], "invoice_date": local(now.AddDate(0, -8+i, 0)),
			"duedate": local(now.AddDate(0, -8+i, 14)), "total": total, "amountpaid": paid, "amountdue": total - paid, "paymentstatus": map[bool]int{true: 2, false: 0}[paid > 0],
			"posted": i < 7, "currency_code_name": "EUR", "reference": fmt.Sprintf("INV%d", 202400+i), "contract_id": 0, "is_recurring_invoice": i == 8,
			"lines": []Record{{"id": 1, "item_shortdescription": "Managed services", "qty_order": 1.0, "unit_price": total, "net_amount": total}},
		})
	}
}

func (d *data) seedCalendar(now time.Time) {
	d.workdays = newTable(Record{"id": 1, "guid": guid("workday"), "name": "Office hours", "timezone": "W. Europe Standard Time", "alldayssame": true,
		"start": "1900-01-01T08:00:00", "end": "1900-01-01T17:00:00", "incmonday": true, "inctuesday": true, "incwednesday": true, "incthursday": true,
		"incfriday": true, "incsaturday": false, "incsunday": false})
	day := now.Truncate(24 * time.Hour)
	d.holidays = newTable()
	d.holidays.add(Record{"name": "Elif on leave", "agent_id": AgentElif, "agent_name": "Elif Demir", "date": local(day.AddDate(0, 0, 9)),
		"end_date": local(day.AddDate(0, 0, 14)), "allday": true, "duration": 5.0, "holiday_type": 1, "approval_status": 1})
	d.appointments = newTable()
	for i, a := range []struct {
		agent, ticket, client int
		subject               string
		start                 time.Duration
		task                  bool
	}{
		{AgentSam, TicketPrinter, ClientHafen, "Visit Hall 3: label printer", 26 * time.Hour, false},
		{AgentElif, TicketXray, ClientAlster, "Remote session with Dr. Vogt", 28 * time.Hour, false},
		{AgentSam, 0, 0, "Team meeting", 33 * time.Hour, false},
		{AgentTom, TicketMigration, ClientElbe, "Prepare migration plan", 50 * time.Hour, true},
		{AgentSam, TicketVPN, ClientHafen, "Call Jonas Weber", -20 * time.Hour, true},
	} {
		d.appointments.add(Record{
			"subject": a.subject, "start_date": local(day.Add(a.start)), "end_date": local(day.Add(a.start + time.Hour)), "allday": false,
			"agent_id": a.agent, "agent_name": d.agents.rows[a.agent]["name"], "agents": []Record{d.agents.rows[a.agent].only("id", "name")},
			"ticket_id": a.ticket, "client_id": a.client, "client_name": d.clients.rows[a.client]["name"], "site_id": 0, "user_id": 0, "note": "",
			"is_task": a.task, "is_private": false, "appointment_type_id": 1, "appointment_type_name": "Visit", "complete_status": -1, "status": 0,
			"complete_date": none, "colour": "#ffb703", "type": map[bool]int{true: 1, false: 0}[i == 2],
		})
	}
	d.events = newTable()
	for i := range 6 {
		start := day.AddDate(0, 0, -i/2).Add(time.Duration(8+2*(i%2)) * time.Hour)
		agent := []int{AgentSam, AgentElif}[i/3]
		d.events.add(Record{
			"event_type": 0, "subject": "Work on ticket", "start_date": local(start), "end_date": local(start.Add(90 * time.Minute)), "timetaken": 1.5,
			"agent_id": agent, "ticket_id": TicketPrinter + i, "action_number": 1, "note": "", "customer": "Hafen Logistik GmbH",
			"client_id": ClientHafen, "site_id": SiteHafenHQ, "user_name": "Anna Berg", "charge_rate": 1, "charge_type_name": "Remote Support", "traveltime": 0.0,
		})
	}
}

func (d *data) seedKnowledge(now time.Time) {
	d.faqLists = named("faq", "How-to for users", "Internal runbooks")
	d.notes = newTable()
	d.articles = newTable()
	for i, a := range []struct{ name, description, resolution string }{
		{"Restart the print spooler", "A Windows printer shows offline.", "Stop and start the service Spooler; clear the queue folder."},
		{"Set up the VPN client", "How to install and sign in.", "Download the client, sign in with your work account."},
		{"Report a phishing mail", "What to do with suspicious mails.", "Use the Report button in Outlook. Do not click links."},
	} {
		d.articles.add(Record{
			"name": a.name, "description": a.description, "resolution": a.resolution, "description_html": "<p>" + a.description + "</p>",
			"resolution_html": "<p>" + a.resolution + "</p>", "type": 0, "inactive": false, "view_count": 10 * i, "useful_count": i, "notuseful_count": 0,
			"date_created": local(now.AddDate(0, -i-1, 0)), "date_edited": local(now.AddDate(0, -i, 0)), "tag_string": "", "faqlists": []Record{d.faqLists.rows[1].only("id", "name")},
		})
	}
}
