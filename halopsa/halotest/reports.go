package halotest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

func reportRoutes() map[string]handler {
	return map[string]handler{
		"GET /Report":                       (*call).listReports,
		"GET /Report/{id}":                  (*call).getReport,
		"POST /Report":                      func(c *call) (any, error) { return c.each("reports", c.runSQL) },
		"POST /TicketApproval":              func(c *call) (any, error) { return c.each("approvals", c.decideApproval) },
		"DELETE /TicketApproval/{id}&{seq}": (*call).removeApproval,
	}
}

// reports are the saved reports; their rows come from the tickets.
func (c *call) reports() *table {
	return newTable(
		Record{"id": 101, "name": "Open tickets by client", "reportgroup_id": 1, "group_name": "Service Desk", "sql": "SELECT * FROM Faults"},
		Record{"id": 102, "name": "Overdue invoices", "reportgroup_id": 2, "group_name": "Finance", "sql": "SELECT * FROM InvoiceHeader"},
	)
}

// listReports: a search finds something only with reportgroup_id=null, in
// words; 0 means all reports (research 3.4).
func (c *call) listReports() (any, error) {
	group := c.query.text("reportgroup_id")
	rows := c.reports().where(c.query.contains("search", "name"), func(row Record) bool {
		return group == "" || group == "0" || strings.EqualFold(group, "null") || c.query.within("reportgroup_id", "reportgroup_id")(row)
	})
	if c.query.text("search") != "" && !strings.EqualFold(group, "null") {
		rows = nil
	}
	return c.reply(listing{key: "reports", rows: rows, view: func(row Record) Record { return row.without("sql") }})
}

// getReport runs the report with loadreport=true. Rows are at report.rows, and
// filters is a JSON array of column conditions.
func (c *call) getReport() (any, error) {
	row, err := c.find(c.reports(), "Report")
	if err != nil || !c.query.flag("loadreport") {
		return row, err
	}
	var rows []Record
	if c.id == 101 {
		for _, client := range c.data.clients.all() {
			open := c.data.tickets.where(func(t Record) bool {
				return t.Int("client_id") == client.Int("id") && !t.Bool("hasbeenclosed") && !t.Bool("deleted")
			})
			rows = append(rows, Record{"Client": client["name"], "Open": len(open)})
		}
	} else {
		for _, invoice := range c.data.invoices.where(func(i Record) bool { return i.Float("amountdue") > 0 && i.Time("duedate").Before(c.now) }) {
			rows = append(rows, Record{"Invoice": invoice["invoicenumber"], "Client": invoice["client_name"], "Due": invoice["amountdue"]})
		}
	}
	var filters []struct {
		Field  string `json:"fieldname"`
		Negate int    `json:"stringruletype"`
		Values string `json:"stringrulevalues"`
	}
	if text := c.query.text("filters"); text != "" && json.Unmarshal([]byte(text), &filters) != nil {
		return nil, brokenQuery("Unexpected character encountered while parsing value of filters.")
	}
	for _, f := range filters {
		rows = filter(rows, func(row Record) bool { return strings.Contains(f.Values, fmt.Sprint(row[f.Field])) == (f.Negate == 0) })
	}
	return row.with(Record{"report": reportOf(rows, "")}), nil
}

func reportOf(rows []Record, loadError string) Record {
	columns := []Record{}
	if len(rows) > 0 {
		for name := range rows[0] {
			columns = append(columns, Record{"name": name})
		}
	}
	if rows == nil {
		rows = []Record{}
	}
	return Record{"rows": rows, "available_columns": columns, "load_error": loadError}
}

// runSQL answers 200 whatever happens: an error of the SQL is in load_error
// (research 3.5). Options.SQL says what a statement returns.
func (c *call) runSQL(in Record) (Record, error) {
	sql := in.String("sql")
	if sql == "" {
		return nil, refuse(ErrorSentence, "Please enter a name and SQL for the Report")
	}
	var rows []Record
	loadError := "Invalid object name '" + firstTable(sql) + "'."
	if c.options.SQL != nil {
		loadError = ""
		var err error
		if rows, err = c.options.SQL(sql); err != nil {
			loadError = err.Error()
		}
	}
	return Record{"id": 0, "name": in.String("name"), "sql": sql, "report": reportOf(rows, loadError)}, nil
}

func firstTable(sql string) string {
	words := strings.Fields(sql)
	if i := slices.IndexFunc(words, func(word string) bool { return strings.EqualFold(word, "from") }); i >= 0 && i+1 < len(words) {
		return words[i+1]
	}
	return "unknown"
}

// decideApproval sets the result of an approval; only its approver may.
func (c *call) decideApproval(in Record) (Record, error) {
	for id, row := range c.data.approvals.rows {
		if row.Int("ticket_id") != in.Int("ticket_id") || row.Int("seq") != in.Int("seq") {
			continue
		}
		if row.Int("agent_id") != c.agent {
			return nil, refuse(ErrorSentence, "You are not the approver of this Approval")
		}
		c.data.approvals.rows[id] = row.with(in.only("result", "note", "approver_note"), Record{"dateapproved": stamp(c.now)})
		return c.data.approvals.rows[id], nil
	}
	return nil, notFound("Approval", in.Int("seq"))
}

func (c *call) removeApproval() (any, error) {
	for id, row := range c.data.approvals.rows {
		if row.Int("ticket_id") == c.id && row.Int("seq") == c.seq {
			delete(c.data.approvals.rows, id)
			return row, nil
		}
	}
	return nil, notFound("Approval", c.seq)
}
