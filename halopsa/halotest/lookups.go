package halotest

import (
	"slices"
	"strings"
)

func lookupRoutes() map[string]handler {
	return map[string]handler{
		"GET /Status":                 (*call).listStatuses,
		"GET /Status/{id}":            func(c *call) (any, error) { return c.find(c.data.statuses, "Status") },
		"GET /Priority":               (*call).listPriorities,
		"POST /Priority":              func(c *call) (any, error) { return c.each("priorities", c.savePriority) },
		"GET /SLA":                    (*call).listSLAs,
		"GET /SLA/{id}":               (*call).getSLA,
		"GET /TicketType":             (*call).listTicketTypes,
		"GET /TicketType/{id}":        (*call).getTicketType,
		"GET /Category":               (*call).listCategories,
		"GET /Category/{id}":          func(c *call) (any, error) { return c.find(c.data.categories, "Category") },
		"GET /Outcome":                (*call).listOutcomes,
		"GET /Outcome/{id}":           func(c *call) (any, error) { return c.find(c.data.outcomes, "Outcome") },
		"GET /Workflow":               (*call).listWorkflows,
		"GET /Workflow/{id}":          func(c *call) (any, error) { return c.find(c.data.workflows, "Workflow") },
		"GET /workflowstep":           (*call).listWorkflowSteps,
		"GET /Lookup":                 (*call).listLookups,
		"GET /TopLevel":               (*call).listTopLevels,
		"GET /TopLevel/{id}":          func(c *call) (any, error) { return c.find(c.data.topLevels, "Top level") },
		"GET /TicketArea":             func(c *call) (any, error) { return c.bare(c.data.areas.all()) },
		"GET /AssetType":              func(c *call) (any, error) { return c.bare(c.data.assetTypes.all()) },
		"GET /AssetType/{id}":         func(c *call) (any, error) { return c.find(c.data.assetTypes, "Asset type") },
		"GET /FieldInfo":              func(c *call) (any, error) { return c.bare(c.data.fields.all()) },
		"GET /FieldInfo/{id}":         func(c *call) (any, error) { return c.find(c.data.fields, "Field") },
		"GET /InstanceInfo":           (*call).instanceInfo,
		"GET /WebhookRepository":      func(c *call) (any, error) { return c.bare(nil) },
		"GET /Webhook":                func(c *call) (any, error) { return c.bare(nil) },
		"GET /Webhook/{id}":           func(c *call) (any, error) { return nil, notFound("Webhook", c.id) },
		"GET /ServiceStatus":          func(c *call) (any, error) { return c.bare(nil) },
		"GET /AssetGroup":             func(c *call) (any, error) { return c.bare([]Record{{"id": 1, "name": "Hardware"}}) },
		"GET /WorkflowTarget":         func(c *call) (any, error) { return c.bare(nil) },
		"GET /TicketRules":            func(c *call) (any, error) { return c.bare(nil) },
		"GET /Roles":                  func(c *call) (any, error) { return c.bare(nil) },
		"GET /ChargeRate":             func(c *call) (any, error) { return c.bare(nil) },
		"GET /TicketArea/{id}":        func(c *call) (any, error) { return c.find(c.data.areas, "Ticket area") },
		"GET /WebhookRepository/{id}": func(c *call) (any, error) { return nil, notFound("Webhook", c.id) },
	}
}

// bare answers with an array and no envelope, as reference lists do (research
// 3.5). They have no paging either.
func (c *call) bare(rows []Record) (any, error) {
	return c.reply(listing{rows: rows, unpaged: true})
}

// listStatuses mixes the statuses of tickets (type 0), orders, items and
// internal use unless type is given. There is no open or closed flag on a
// status, but the closing ones can be left out (3.5).
func (c *call) listStatuses() (any, error) {
	q := c.query
	kind := c.data.ticketTypes.rows[0]
	if id, ok := q.number("tickettype_id"); ok {
		kind = c.data.ticketTypes.rows[id]
	}
	if id, ok := q.number("ticket_id"); ok {
		kind = c.data.ticketTypes.rows[c.data.tickets.rows[id].Int("tickettype_id")]
	}
	class := q.text("type")
	return c.bare(c.data.statuses.where(
		func(row Record) bool {
			switch strings.ToLower(class) {
			case "", "null":
				return true
			case "ticket", "tickets":
				return row.Int("type") == 0
			}
			return q.within("type", "type")(row)
		},
		func(row Record) bool { return kind == nil || c.statusFits(kind, row.Int("id")) },
		func(row Record) bool {
			return !q.flag("excludeclosed") || c.data.hidden[row.Int("id")] != closes
		},
		func(row Record) bool {
			return !q.flag("excludepending") || c.data.hidden[row.Int("id")] != pending
		},
	))
}

// listPriorities: id is a GUID; what a ticket takes is priorityid, which
// repeats from SLA to SLA (3.5).
func (c *call) listPriorities() (any, error) {
	return c.bare(c.data.priorities.where(c.query.within("slaid", "slaid")))
}

func (c *call) withPriorities(sla Record) Record {
	rows := c.data.priorities.where(func(row Record) bool { return row.Int("slaid") == sla.Int("id") })
	return sla.with(Record{"priorities": rows})
}

// savePriority adds a priority to an SLA.
func (c *call) savePriority(in Record) (Record, error) {
	if _, ok := c.data.slas.rows[in.Int("slaid")]; !ok {
		return nil, refuse(ErrorSentence, "Please select a valid SLA.")
	}
	row := plainFields(in).with(Record{"id": guid("priority" + in.String("name") + in.String("slaid"))})
	c.data.priorities.rows[len(c.data.priorities.rows)+1] = row
	return row, nil
}

func (c *call) listSLAs() (any, error) {
	rows := c.data.slas.all()
	if c.query.flag("showpriorities") {
		for i, row := range rows {
			rows[i] = c.withPriorities(row)
		}
	}
	return c.bare(rows)
}

func (c *call) getSLA() (any, error) {
	row, err := c.find(c.data.slas, "SLA")
	if err != nil {
		return nil, err
	}
	return c.withPriorities(row), nil
}

func (c *call) listTicketTypes() (any, error) {
	rows := c.data.ticketTypes.where(
		c.query.within("ticketarea_id", "ticketarea_id"), c.forClient,
		func(row Record) bool { return !c.query.flag("can_create_only") || row.Bool("cancreate") },
	)
	for i, row := range rows {
		rows[i] = row.without("fields", "allowed_status")
	}
	return c.bare(rows)
}

func (c *call) getTicketType() (any, error) {
	row, err := c.find(c.data.ticketTypes, "Ticket type")
	if err == nil && !c.query.flag("includedetails") && !c.query.flag("includeconfig") {
		row = row.without("fields", "allowed_status")
	}
	return row, err
}

// listCategories: type_id selects one of four trees, and a ticket takes the
// value, which is a path (3.5).
func (c *call) listCategories() (any, error) {
	return c.bare(c.data.categories.where(c.query.within("type_id", "type_id"), c.forClient))
}

// listOutcomes lists the outcomes; with a workflow, or a ticket type that has
// one, those that the API's agent may use in a step of it.
func (c *call) listOutcomes() (any, error) {
	q := c.query
	workflow, managed := q.number("workflow_id")
	if kind, ok := q.number("tickettype_id"); ok && !managed {
		workflow = c.data.ticketTypes.rows[kind].Int("workflow_id")
		managed = workflow != 0
	}
	step, hasStep := q.number("workflow_step")
	allowed := c.allowedOutcomes(workflow, step, hasStep)
	return c.bare(c.data.outcomes.where(
		func(row Record) bool { return !row.Bool("hidden") || q.flag("showhidden") },
		func(row Record) bool { return row.Int("systemid") == 0 || !q.flag("excludesystemactions") },
		func(row Record) bool { return !managed || workflow == 0 || slices.Contains(allowed, row.Int("id")) },
	))
}

func (c *call) allowedOutcomes(workflow, step int, hasStep bool) []int {
	var allowed []int
	flow := c.data.workflows.rows[workflow]
	for _, always := range flow.List("always_allow_actions") {
		allowed = append(allowed, always.Int("id"))
	}
	for _, at := range flow.List("steps") {
		if hasStep && at.Int("step_id") != step {
			continue
		}
		for _, action := range at.List("actions") {
			if !action.Bool("restricted") {
				allowed = append(allowed, action.Int("action_id"))
			}
		}
	}
	return allowed
}

func (c *call) listWorkflows() (any, error) {
	rows := c.data.workflows.all()
	for i, row := range rows {
		rows[i] = row.without("steps", "always_allow_actions")
	}
	return c.bare(rows)
}

func (c *call) listWorkflowSteps() (any, error) {
	steps := []Record{}
	for _, workflow := range c.data.workflows.all() {
		for _, step := range workflow.List("steps") {
			steps = append(steps, step.without("actions").with(Record{"flow_name": workflow["name"]}))
		}
	}
	return c.bare(steps)
}

// listLookups reads the code tables; ids restart in every one (3.5).
func (c *call) listLookups() (any, error) {
	return c.bare(c.data.lookups.where(c.query.within("lookupid", "lookupid"), c.forClient))
}

func (c *call) listTopLevels() (any, error) {
	return c.bare(c.data.topLevels.where(c.query.contains("search", "name")))
}

func (c *call) instanceInfo() (any, error) {
	return Record{"product": "HaloPSA", "version": "2.204.1", "hosted": !c.options.OnPremises, "tenant": c.Tenant(), "timezone": "UTC"}, nil
}

// reservedFor are the names of what is for one client only.
var reservedFor = map[string]int{"New Starter": ClientAlster, "Accounts>New Starter": ClientAlster, "Out of Hours": ClientHafen}

// forClient leaves out what is for other clients than the one in client_id.
func (c *call) forClient(row Record) bool {
	client, asked := c.query.number("client_id")
	owner, reserved := reservedFor[row.String("name")+row.String("value")]
	return !asked || !reserved || owner == client
}

// lastPart is the name at the end of a category's path.
func lastPart(value string) string { return value[strings.LastIndex(value, ">")+1:] }
