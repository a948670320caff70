package specindex

// haloKnown are names that Halo accepts although its description, of early
// 2025, does not list them. Each entry says how that is known.
var haloKnown = []struct {
	operation string // "METHOD /path" for a query parameter
	body      string // the type, for a body field
	name      string
	kind      HaloKind
	reason    string
}{
	{operation: "DELETE /actions/{id}", name: "ticket_id", kind: "int",
		reason: "action ids are numbered within a ticket; Halo answers 400 without it, and clients in production send it"},
	{operation: "POST /timesheet", name: "utcoffset", kind: "number",
		reason: "minutes; sent by a client tested against a live tenant, as on the other calendar operations"},
	{operation: "GET /report", name: "reportgroup_id", kind: "string",
		reason: "described as a number, but the web application searches all groups with the word null"},
	{operation: "GET /report/{id}", name: "filters", kind: "string",
		reason: "the web application's own request for running a report with filters"},
	{body: "Faults", name: "team_id", kind: "int",
		reason: "in the description of 2026-01; older builds ignore it and take the name in team"},
	{body: "Faults", name: "userlookup", kind: "any",
		reason: "an integration in production creates tickets for a client's General User with {id: -1}"},
}

func (x *HaloIndex) addKnown() {
	for _, known := range haloKnown {
		if known.body != "" {
			x.types[known.body][known.name] = known.kind
			continue
		}
		x.operations[known.operation].Query[known.name] = known.kind
	}
}
