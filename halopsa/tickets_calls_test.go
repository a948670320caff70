package halopsa_test

import (
	"testing"

	"github.com/msptoolbelt/toolbelt/halopsa/halotest"
	"github.com/msptoolbelt/toolbelt/internal/catalogtest"
	"github.com/msptoolbelt/toolbelt/mcptools"
)

// finds returns a check of how many rows a result has under a key.
func finds(key string, want int) func(*testing.T, map[string]any) {
	return func(t *testing.T, result map[string]any) {
		t.Helper()
		if rows, _ := result[key].([]any); len(rows) != want {
			t.Errorf("%d %s, want %d: %v", len(rows), key, want, result)
		}
	}
}

// lookupCalls are calls of the tools for reference data, with every argument.
func lookupCalls() []catalogtest.Call {
	return []catalogtest.Call{
		{Tool: "halo_lookups_get", Args: map[string]any{"kinds": []string{"lookup"}, "lookup_id": 41, "refresh": true}, Check: finds("tables", 1)},
		{Tool: "halo_lookups_get", Args: map[string]any{"kinds": []string{"status", "priority", "category"}, "ticket_type": "Major Incident", "client": "Hafen", "query": "p"}, Check: finds("tables", 3)},
		{Tool: "halo_resolve", Args: map[string]any{"kind": "user", "name": halotest.AnnaBergEntraID, "client": "Hafen"}, Check: wants(args{"email": halotest.AnnaBergEmail})},
		{Tool: "halo_resolve", Args: map[string]any{"kind": "priority", "name": "p2", "ticket_type": "major"}, Check: wants(args{"name": "P2 High"})},
		{Tool: "halo_resolve", Args: map[string]any{"kind": "client", "name": "Elbe"}, Code: mcptools.CodeAmbiguous},
		{Tool: "halo_ticket_type_get", Args: map[string]any{"ticket_type": "Change Request"}, Check: wants(args{"sla": "Standard 8x5"})},
	}
}

// ticketCalls are calls of the ticket tools, with every argument.
func ticketCalls() []catalogtest.Call {
	return append(readTicketCalls(), writeTicketCalls()...)
}

func readTicketCalls() []catalogtest.Call {
	return []catalogtest.Call{
		{Tool: "halo_tickets_search", Args: map[string]any{"query": "printer", "search_actions": true, "client": "Hafen", "site": "Hamburg HQ", "user": halotest.AnnaBergEmail,
			"agent": "me", "team": "1st Line", "ticket_type": "Incident", "status": []string{"In Progress", "New"}, "priority": "Medium", "category": "Hardware > Printer",
			"sla": "Standard", "from": "-2d", "to": "now", "with_attachments": true}, Check: finds("items", 1)},
		{Tool: "halo_tickets_search", Args: map[string]any{"parent_id": halotest.TicketMigration, "sort": "due", "state": "all", "fields": []string{"sla", "site", "user_email", "client_id"}}, Check: finds("items", 2)},
		{Tool: "halo_tickets_search", Args: map[string]any{"asset_id": 1, "contract_id": 1, "date_field": "closed", "from": "-30d", "limit": 5}},
		{Tool: "halo_tickets_search", Args: map[string]any{"limit": 5, "view_id": halotest.ViewUnassigned}, Check: finds("items", 5)},
		{Tool: "halo_tickets_search", Args: map[string]any{"limit": 5}, Check: finds("items", 5)},
		{Tool: "halo_tickets_search", Args: map[string]any{"limit": 5}, With: func(earlier catalogtest.Results) map[string]any {
			return map[string]any{"cursor": earlier.Last("halo_tickets_search")["cursor"]}
		}, Check: finds("items", 5)},
		{Tool: "halo_tickets_search", Args: map[string]any{"client": "Nobody Ltd"}, Code: mcptools.CodeNotFound},
		{Tool: "halo_tickets_get", Args: map[string]any{"ticket_id": halotest.TicketPrinter, "include": []string{"actions", "attachments", "children", "appointments", "audit"}, "detail": "full"},
			Check: wants(args{"priority": "Medium"})},
		{Tool: "halo_tickets_get", Args: map[string]any{"ticket_id": 1}, Code: mcptools.CodeNotFound},
		{Tool: "halo_tickets_timeline", Args: map[string]any{"ticket_id": halotest.TicketPrinter, "limit": 3, "exclude_system": true, "conversation_only": true}, Check: finds("items", 3)},
		{Tool: "halo_tickets_available_actions", Args: map[string]any{"ticket_id": halotest.TicketPrinter}, Check: wants(args{"workflow": "Incident Handling"})},
		{Tool: "halo_tickets_sla_risk", Args: map[string]any{"within": "8h", "client": "Hafen", "team": "1st Line", "agent": "unassigned", "exclude_breached": true, "limit": 5},
			Check: wants(args{"breached": 0.0})},
		{Tool: "halo_tickets_queue_summary", Args: map[string]any{"group_by": "team", "client": "Hafen", "team": "1st Line", "stale_after": "5d"}, Check: finds("groups", 1)},
	}
}

func writeTicketCalls() []catalogtest.Call {
	return []catalogtest.Call{
		{Tool: "halo_tickets_create", Args: map[string]any{"summary": "Scanner beeps", "ticket_type": "Incident", "details": "It **beeps**.", "format": "markdown", "user": halotest.AnnaBergEmail,
			"client": "Hafen", "site": "Hamburg HQ", "priority": "High", "impact": 2, "urgency": 1, "category_1": "Printer", "category_2": "Fixed remotely",
			"category_3": "Caused by wear", "category_4": "No article needed", "agent": "me", "team": "2nd Line",
			"parent_id": halotest.TicketPrinter, "asset_ids": []int{1}, "source": 3, "reported_at": "-2h", "custom_fields": map[string]any{"Cost centre": "99"},
			"skip_template": true, "stop_on_duplicate": true}, Check: func(t *testing.T, result map[string]any) {
			wants(args{"priority": "High"})(t, result)
			wants(args{"agent": "Sam Okafor"})(t, result)
			finds("ignored", 0)(t, result)
			finds("warnings", 0)(t, result)
		}},
		{Tool: "halo_tickets_update", Args: map[string]any{"ticket_id": 2050, "summary": "Outlook asks again", "ticket_type": "Service Request", "details": "Still.", "user": halotest.MiraKochEmail,
			"client": "Hafen", "site": "Hamburg HQ", "priority": "Low", "impact": 1, "urgency": 1, "category_1": "Software", "category_2": "No fault found",
			"category_3": "Caused by a change", "category_4": "Article written", "agent": "Elif", "team": "2nd Line",
			"parent_id": halotest.TicketPrinter, "custom_fields": map[string]any{"Asset tag": "NL-1"}, "format": "text", "asset_ids": []int{2}, "source": 3,
			"reported_at": "-3h", "skip_template": true}, Check: finds("ignored", 0)},
		{Tool: "halo_tickets_assign", Args: map[string]any{"ticket_id": halotest.TicketVPN, "agent": "me", "team": "2nd Line", "note": "Mine."}, Check: wants(args{"agent": "Sam Okafor"})},
		{Tool: "halo_tickets_set_status", Args: map[string]any{"ticket_id": halotest.TicketVPN, "status": "Waiting on User", "note": "Asked.", "visible_to_user": true,
			"outcome": "Internal Note"}, Check: wants(args{"status": "Waiting on User"})},
		{Tool: "halo_tickets_run_action", Args: map[string]any{"ticket_id": halotest.TicketPrinter, "outcome": "Escalate", "note": "Over to you.", "visible_to_user": true, "time": "10m",
			"status": "Scheduled", "agent": "Elif", "team": "2nd Line", "priority": "High", "custom_fields": map[string]any{"Cost centre": "77"}}, Check: func(t *testing.T, result map[string]any) {
			wants(args{"agent": "Elif Demir"})(t, result)
			wants(args{"team": "2nd Line"})(t, result)
			finds("changed", 4)(t, result)
			finds("ignored", 0)(t, result)
		}},
		{Tool: "halo_tickets_close", Args: map[string]any{"ticket_id": halotest.TicketVPN, "resolution_note": "Changed the MTU.", "visible_to_user": true, "time": "45m",
			"status": "Closed", "outcome": "Close", "send_survey": true}, Check: wants(args{"closed": true})},
		{Tool: "halo_tickets_close", Args: map[string]any{"ticket_id": halotest.TicketVPN}, Code: mcptools.CodeConflict},
	}
}
