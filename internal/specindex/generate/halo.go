package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// haloAreas are the first path segments that the tools call now or are planned
// to call. The rest of Halo's 886 paths (integration set-up, notifications,
// chat …) would only make the index larger.
var haloAreas = strings.Fields(`
	Actions Agent Appointment Asset AssetGroup AssetSoftware AssetType Attachment Audit AuthInfo CRMNote
	CannedText Category ChargeRate Client ClientContract ClientPrepay FAQLists Feedback Field FieldGroup
	FieldInfo Holiday InstanceInfo Invoice Item KBArticle Lookup Opportunities Outcome Priority Projects
	PurchaseOrder Quotation RecurringInvoice Report Roles SLA SalesOrder Search Service ServiceStatus Site
	SoftwareLicence Status Supplier Tags Team TicketApproval TicketArea TicketRules TicketType Tickets
	Timesheet TimesheetEvent ToDo TopLevel Users VersionInfo Webhook WebhookRepository Workday Workflow
	WorkflowTarget workflowstep`)

// haloTypes are the bodies whose fields are listed: what the tools write.
var haloTypes = strings.Fields(`
	Actions AddressStore AnalyzerProfile Appointment Area AreaNote Attachment CustomField Device
	Device_List FaultApproval FaultToDo Faults FieldHelper FlowDetail FlowHeader FlowSubDetail
	InvoiceDetail InvoiceHeader KBEntry PresignedURLRequest QuotationApproval QuotationHeader Site
	Tag Timesheet TimesheetEvent Users`)

type haloDocument struct {
	Paths      map[string]map[string]haloOperation
	Components struct{ Schemas map[string]haloSchema }
}

type haloOperation struct {
	Parameters []struct {
		Name, In string
		Schema   haloSchema
	}
	RequestBody struct {
		Content map[string]struct{ Schema haloSchema }
	}
}

type haloSchema struct {
	Type, Format string
	Ref          string `json:"$ref"`
	Items        *haloSchema
	Properties   map[string]haloSchema
}

// kind names a schema in one word: a scalar kind, [kind] for an array, or the
// name of an object type. The document spells scalars in several ways (integer,
// int, bool, List<int> …), which is why it is no valid OpenAPI.
func (s haloSchema) kind() string {
	switch {
	case s.Ref != "":
		return s.Ref[strings.LastIndex(s.Ref, "/")+1:]
	case s.Type == "array" && s.Items != nil:
		return "[" + s.Items.kind() + "]"
	case s.Format == "date-time" || s.Type == "DateTime":
		return "time"
	case s.Format == "uuid":
		return "uuid"
	}
	switch s.Type {
	case "int", "integer":
		return "int"
	case "bool", "boolean":
		return "bool"
	case "double", "number":
		return "number"
	case "string":
		return "string"
	case "List<int>":
		return "[int]"
	}
	return "any"
}

// haloAPI makes the index of Halo's OpenAPI document: operations with their
// query parameters and body type, then the fields of the body types.
func haloAPI(openAPI io.Reader) ([]byte, error) {
	var doc haloDocument
	if err := json.NewDecoder(openAPI).Decode(&doc); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.WriteString("# Names and kinds of HaloPSA's REST API, derived from its OpenAPI document. Generated; do not edit.\n")
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		area, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		if !slices.Contains(haloAreas, area) {
			continue
		}
		for _, method := range slices.Sorted(maps.Keys(doc.Paths[path])) {
			writeHaloOperation(&out, method, path, doc.Paths[path][method])
		}
	}
	for _, name := range haloTypes {
		schema, ok := doc.Components.Schemas[name]
		if !ok {
			return nil, fmt.Errorf("the document has no schema %s", name)
		}
		fmt.Fprintf(&out, "type %s\n", name)
		for _, field := range slices.Sorted(maps.Keys(schema.Properties)) {
			fmt.Fprintf(&out, " %s %s\n", field, schema.Properties[field].kind())
		}
	}
	return out.Bytes(), nil
}

func writeHaloOperation(out *bytes.Buffer, method, path string, op haloOperation) {
	fmt.Fprintf(out, "%s %s", strings.ToUpper(method), path)
	if content, ok := op.RequestBody.Content["application/json"]; ok {
		fmt.Fprintf(out, " %s", content.Schema.kind())
	}
	out.WriteByte('\n')
	query := map[string]string{} // a map, because the document repeats some
	for _, parameter := range op.Parameters {
		if parameter.In == "query" {
			query[parameter.Name] = parameter.Schema.kind()
		}
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		fmt.Fprintf(out, " %s %s\n", name, query[name])
	}
}
