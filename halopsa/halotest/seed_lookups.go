package halotest

// Statuses of tickets. The ids are this tenant's, not the stock ones: 8 and 9
// are statuses of orders here, as on any tenant that was set up by hand.
const (
	StatusNew        = 1
	StatusInProgress = 2
	StatusWaiting    = 3 // for the user
	StatusSupplier   = 4
	StatusScheduled  = 5
	StatusUpdated    = 10 // by the user
	StatusResolved   = 21 // still open: the user can object
	StatusClosed     = 23
	StatusCancelled  = 25
)

// SLAs. A ticket type has one, and a priority belongs to one.
const (
	SLAStandard = 1 // priorities 1 to 4
	SLAGold     = 2 // priorities 1 to 3
	SLAProject  = 3 // priority 7 only
)

// closing is what a status does to a ticket. Replies do not tell it: a status
// has no open or closed flag (research 3.5).
type closing uint8

const (
	keepsOpen closing = iota
	pending           // resolved, not yet closed
	closes
)

func (d *data) seedLookups() {
	d.statuses, d.hidden = newTable(), map[int]closing{StatusResolved: pending, StatusClosed: closes, StatusCancelled: closes}
	for i, status := range []struct {
		id, class int
		name      string
	}{
		{StatusNew, 0, "New"}, {StatusInProgress, 0, "In Progress"}, {StatusWaiting, 0, "Waiting on User"},
		{StatusSupplier, 0, "Waiting on Supplier"}, {StatusScheduled, 0, "Scheduled"}, {8, 1, "Ordered"}, {9, 1, "Delivered"},
		{StatusUpdated, 0, "Updated by User"}, {StatusResolved, 0, "Resolved"}, {StatusClosed, 0, "Closed"},
		{StatusCancelled, 0, "Cancelled"}, {31, 2, "In Stock"}, {32, 2, "Issued"}, {41, 3, "Draft"},
	} {
		d.statuses.put(Record{
			"id": status.id, "guid": guid("status" + status.name), "name": status.name, "shortname": status.name,
			"type": status.class, "sequence": i + 1, "colour": "#3a86ff", "slaaction": "N", "ticket_count": 0,
		})
	}
	d.slas = newTable()
	for id, name := range []string{SLAStandard: "Standard 8x5", SLAGold: "Gold 24x7", SLAProject: "Project"} {
		if name != "" {
			d.slas.put(Record{"id": id, "guid": guid("sla" + name), "name": name, "workday_id": 1, "workday_name": "Office hours",
				"hoursaretechslocaltime": false, "responsereset": false, "autoreleaseoption": false})
		}
	}
	d.priorities = newTable()
	for i, priority := range []struct {
		sla, id   int
		name      string
		responds  float64
		fixes     float64
		fixesUnit string
	}{
		{SLAStandard, 1, "Critical", 1, 4, "H"}, {SLAStandard, 2, "High", 2, 8, "H"},
		{SLAStandard, 3, "Medium", 4, 24, "H"}, {SLAStandard, 4, "Low", 8, 5, "D"},
		{SLAGold, 1, "P1 Emergency", 0.25, 2, "H"}, {SLAGold, 2, "P2 High", 0.5, 4, "H"}, {SLAGold, 3, "P3 Normal", 2, 8, "H"},
		{SLAProject, 7, "Planned", 24, 30, "D"},
	} {
		d.priorities.rows[i+1] = Record{ // keyed by position: the id is a GUID, priorityid is not unique
			"id": guid("priority" + priority.name), "slaid": priority.sla, "sla_guid": d.slas.rows[priority.sla]["guid"],
			"priorityid": priority.id, "name": priority.name, "responsetime": priority.responds, "responseunits": "H",
			"fixtime": priority.fixes, "fixunits": priority.fixesUnit, "ishidden": false, "colour": "#e63946",
		}
	}
	d.seedCategories()
	d.areas = named("area", "Service Desk", "Projects", "Sales")
	d.topLevels = named("toplevel", "Nordlicht IT Customers", "Partners", "Prospects")
	d.tags = newTable()
	for _, text := range []string{"onboarding", "phishing", "vip"} {
		d.tags.add(Record{"text": text})
	}
	d.canned = newTable(
		Record{"id": 1, "name": "Chase user", "text": "We have not heard from you. Is the problem solved?", "group_name": "General"},
		Record{"id": 2, "name": "Password reset done", "text": "Your password was reset. You will be asked for a new one.", "group_name": "Accounts"},
	)
	d.seedLookupTables()
}

// seedCategories fills the four category trees. A ticket carries a category as
// the text of its value, a path.
func (d *data) seedCategories() {
	d.categories = newTable()
	for tree, values := range [][]string{
		1: {"Hardware", "Hardware>Laptop", "Hardware>Printer", "Hardware>Phone", "Software", "Software>Microsoft 365",
			"Software>Microsoft 365>Outlook", "Software>Line of Business", "Network", "Network>VPN", "Network>Wi-Fi",
			"Accounts", "Accounts>Password", "Accounts>New Starter", "Security", "Security>Phishing"},
		2: {"Fixed remotely", "Fixed on site", "Passed to supplier", "No fault found"},
		3: {"Caused by a change", "Caused by wear"},
		4: {"Article written", "No article needed"},
	} {
		for _, value := range values {
			d.categories.add(Record{
				"guid": guid("category" + value), "value": value, "category_name": lastPart(value), "type_id": tree,
				"sla_id": 0, "priority_id": 0, "category_group_id": 0,
			})
		}
	}
}

// seedLookupTables fills the code tables behind /Lookup, whose ids restart in
// every table (research 3.5): 11 lists the tables, 17 are the charge types, 41
// the report groups.
func (d *data) seedLookupTables() {
	d.lookups = newTable()
	key := 0
	for _, list := range []struct {
		id    int
		names []string
	}{
		{11, []string{"Lookup Types"}},
		{17, []string{"Remote Support", "On Site Support", "Project Work", "Out of Hours", "Travel"}},
		{22, []string{"Manual", "Email", "Portal", "Phone", "Monitoring"}},
		{41, []string{"Service Desk", "Finance"}},
	} {
		for i, name := range list.names {
			key++
			row := Record{"lookupid": list.id, "id": i + 1, "name": name, "sequence": i + 1, "inactive": false}
			if list.id == 17 {
				row["value2"] = []string{"95", "120", "110", "160", "60"}[i]
			}
			d.lookups.rows[key] = row
		}
	}
}
