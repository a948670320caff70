package halotest

import "github.com/msptoolbelt/toolbelt/internal/fakehttp"

func businessRoutes() map[string]handler {
	return map[string]handler{
		"GET /Asset":               (*call).listAssets,
		"GET /Asset/{id}":          (*call).getAsset,
		"POST /Asset":              func(c *call) (any, error) { return c.each("assets", c.saveAsset) },
		"GET /ClientContract":      (*call).listContracts,
		"GET /ClientContract/{id}": func(c *call) (any, error) { return c.find(c.data.contracts, "Contract") },
		"GET /Invoice":             (*call).listInvoices,
		"GET /Invoice/{id}":        func(c *call) (any, error) { return c.find(c.data.invoices, "Invoice") },
		"GET /RecurringInvoice":    (*call).listRecurring,
		"GET /Quotation":           func(c *call) (any, error) { return c.reply(listing{key: "quotes"}) },
		"GET /SalesOrder":          func(c *call) (any, error) { return c.reply(listing{key: "salesorders"}) },
		"GET /PurchaseOrder":       func(c *call) (any, error) { return c.reply(listing{key: "purchaseorders"}) },
		"GET /Item":                func(c *call) (any, error) { return c.reply(listing{key: "items"}) },
		"GET /Supplier":            func(c *call) (any, error) { return c.reply(listing{key: "suppliers"}) },
		"GET /Service":             func(c *call) (any, error) { return c.reply(listing{key: "services"}) },
		"GET /SoftwareLicence":     func(c *call) (any, error) { return c.reply(listing{key: "licences"}) },
	}
}

// Asset returns an asset.
func (s *Server) Asset(id int) (Record, bool) {
	return s.row(id, func(d *data) *table { return d.assets })
}

// listAssets serves 50 rows a page whatever page_size says (research 3.3).
func (c *call) listAssets() (any, error) {
	advanced, err := c.advanced("inventory_number", "key_field", "client_id", "assettype_id", "site_id", "inactive")
	if err != nil {
		return nil, err
	}
	q := c.query
	var linked map[int]bool
	if ticket, ok := q.number("ticket_id"); ok {
		linked = map[int]bool{}
		for _, asset := range c.data.tickets.rows[ticket].List("assets") {
			linked[asset.Int("id")] = true
		}
	}
	rows := c.data.assets.where(q.active(), q.within("client_id", "client_id"), q.within("site_id", "site_id"), q.within("user_id", "user_id"),
		q.within("assettype_id", "assettype_id", "assettypes"), q.contains("search", "inventory_number", "key_field", "username", "assettype_name"),
		q.contains("inventory_number", "inventory_number"), advanced,
		func(row Record) bool { return linked == nil || linked[row.Int("id")] })
	return c.reply(listing{key: "assets", rows: rows, serves: 50, side: Record{"columns": []Record{}}, view: func(row Record) Record {
		view := row.without("customfields", "users")
		if !q.flag("includeassetfields") {
			delete(view, "fields")
		}
		return view
	}})
}

func (c *call) getAsset() (any, error) {
	row, err := c.find(c.data.assets, "Asset")
	if err != nil {
		return nil, err
	}
	return c.single("assets", row)
}

// saveAsset replaces the fields array whole (3.6).
func (c *call) saveAsset(in Record) (Record, error) {
	if in.Int("id") != 0 {
		return c.update(c.data.assets, in, "Asset")
	}
	if _, ok := c.data.assetTypes.rows[in.Int("assettype_id")]; !ok || in.Int("site_id") == 0 {
		return nil, refuse(ErrorException, "Please select a valid Asset Type and Site.")
	}
	return c.data.assets.add(Record{"inactive": false, "fields": []Record{}, "customfields": []Record{}}.with(plainFields(in))), nil
}

func (c *call) listContracts() (any, error) {
	q := c.query
	rows := c.data.contracts.where(q.within("client_id", "client_id"), q.within("site_id", "site_id"), q.contains("search", "ref", "client_name"),
		func(row Record) bool { return q.flag("includeinactive") || !row.Bool("expired") })
	return c.reply(listing{key: "contracts", rows: rows})
}

// listInvoices: the date parameters are described as true or false, and no
// client has been seen to use them (3.4).
func (c *call) listInvoices() (any, error) {
	q := c.query
	for _, name := range []string{"invoicedatestart", "invoicedateend"} {
		if q.text(name) != "" {
			c.violate(fakehttp.SilentlyIgnored, name+" has no known effect")
		}
	}
	rows := c.data.invoices.where(q.within("client_id", "client_id"), q.within("contract_id", "contract_id"), q.within("paymentstatus", "paymentstatuses"),
		q.contains("search", "invoicenumber", "client_name"),
		func(row Record) bool { return !row.Bool("is_recurring_invoice") },
		func(row Record) bool { return !q.flag("postedonly") || row.Bool("posted") },
		func(row Record) bool { return !q.flag("notpostedonly") || !row.Bool("posted") })
	return c.reply(listing{key: "invoices", rows: rows, view: c.invoiceRow})
}

func (c *call) invoiceRow(row Record) Record {
	if c.query.flag("includelines") {
		return row
	}
	return row.without("lines")
}

// listRecurring answers under the key invoices as well (3.5).
func (c *call) listRecurring() (any, error) {
	rows := c.data.invoices.where(c.query.within("client_id", "client_id"), func(row Record) bool { return row.Bool("is_recurring_invoice") })
	return c.reply(listing{key: "invoices", rows: rows, view: c.invoiceRow})
}
