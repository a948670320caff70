package specindex_test

import (
	"strings"
	"testing"

	"github.com/msptoolbelt/toolbelt/internal/specindex"
)

func TestHaloOperation(t *testing.T) {
	for _, test := range []struct {
		method, path, template string
		body                   specindex.HaloKind
		has, hasNot            string // query parameters
	}{
		{"GET", "/Tickets", "/Tickets", "", "requesttype_id", "tickettype_id"},
		{"GET", "/tickets/95", "/Tickets/{id}", "", "includedetails", "include"},
		{"POST", "/Tickets", "/Tickets", "[Faults]", "", "id"},
		{"POST", "/Tickets/Object", "/Tickets/Object", "Faults", "", "id"},
		{"DELETE", "/Actions/3", "/Actions/{id}", "", "ticket_id", "id"},
		{"GET", "/Appointment", "/Appointment", "", "agents", "agent_id"},
		{"DELETE", "/TicketApproval/12&2", "/TicketApproval/{id}&{seq}", "", "", "id"},
		{"GET", "/agent/me", "/Agent/me", "", "", "id"},
	} {
		op, ok := specindex.Halo().Operation(test.method, test.path)
		if !ok {
			t.Errorf("%s %s: not found", test.method, test.path)
			continue
		}
		if op.Path != test.template || op.Body != test.body {
			t.Errorf("%s %s = %s with body %q, want %s with %q", test.method, test.path, op.Path, op.Body, test.template, test.body)
		}
		if _, ok := op.Query[test.has]; test.has != "" && !ok {
			t.Errorf("%s %s: no parameter %s", test.method, test.path, test.has)
		}
		if _, ok := op.Query[test.hasNot]; ok {
			t.Errorf("%s %s: unexpected parameter %s", test.method, test.path, test.hasNot)
		}
	}
}

func TestHaloUnknown(t *testing.T) {
	for _, path := range []string{"/RequestType", "/CustomerSatisfaction", "/Report/run", "/Role", "/Licence", "/InvoiceStatus"} {
		if specindex.Halo().HasPath(path) {
			t.Errorf("%s exists in the index, but not in Halo", path)
		}
	}
	if _, ok := specindex.Halo().Operation("PUT", "/Tickets"); ok {
		t.Error("Halo has no PUT")
	}
}

func TestHaloFields(t *testing.T) {
	actions, ok := specindex.Halo().Fields("Actions")
	if !ok {
		t.Fatal("no fields for Actions")
	}
	for field, kind := range map[string]specindex.HaloKind{
		"timetaken": "number", "hiddenfromuser": "bool", "new_status": "int", "outcome_id": "int", "attachments": "[Attachment]",
	} {
		if actions[field] != kind {
			t.Errorf("Actions.%s is %q, want %q", field, actions[field], kind)
		}
	}
	for _, field := range []string{"status_id", "hiddenfromclient"} {
		if _, ok := actions[field]; ok {
			t.Errorf("Actions.%s exists in the index, but not in Halo", field)
		}
	}
	if _, ok := specindex.Halo().Fields("NoSuchType"); ok {
		t.Error("Fields knows a type that does not exist")
	}
}

// Every body that a listed operation takes as one of the written types has
// its fields, and the parser lost nothing.
func TestHaloIndexIsWhole(t *testing.T) {
	operations := 0
	for op := range specindex.Halo().Operations() {
		operations++
		if !strings.HasPrefix(op.Path, "/") || op.Query == nil {
			t.Errorf("malformed operation %+v", op)
		}
	}
	if operations < 290 {
		t.Errorf("%d operations, want at least 290", operations)
	}
	faults, _ := specindex.Halo().Fields("Faults")
	if len(faults) < 800 || faults["customfields"] != "[CustomField]" {
		t.Errorf("Faults has %d fields, customfields %q", len(faults), faults["customfields"])
	}
	if elem, array := specindex.HaloKind("[Faults]").Elem(); elem != "Faults" || !array {
		t.Errorf("Elem = %s, %t", elem, array)
	}
}
