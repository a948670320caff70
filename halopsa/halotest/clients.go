package halotest

import (
	"net/http"
	"slices"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
)

func clientRoutes() map[string]handler {
	return map[string]handler{
		"GET /Client":      (*call).listClients,
		"GET /Client/{id}": (*call).getClient,
		"POST /Client":     func(c *call) (any, error) { return c.each("clients", c.saveClient) },
		"GET /Site":        (*call).listSites,
		"GET /Site/{id}":   func(c *call) (any, error) { return c.find(c.data.sites, "Site") },
		"POST /Site":       func(c *call) (any, error) { return c.each("sites", c.saveSite) },
		"GET /Users":       (*call).listUsers,
		"GET /Users/{id}":  func(c *call) (any, error) { return c.find(c.data.users, "User") },
		"POST /Users":      func(c *call) (any, error) { return c.each("users", c.saveUser) },
		"GET /CRMNote": func(c *call) (any, error) {
			return c.bare(c.data.notes.where(c.query.within("client_id", "client_id")))
		},
		"POST /CRMNote":       func(c *call) (any, error) { return c.saveRows("notes", c.data.notes) },
		"GET /ClientPrepay":   func(c *call) (any, error) { return c.bare(nil) },
		"DELETE /Client/{id}": func(c *call) (any, error) { return c.deactivate(c.data.clients, "Client") },
		"DELETE /Users/{id}":  func(c *call) (any, error) { return c.deactivate(c.data.users, "User") },
	}
}

// Client returns a client.
func (s *Server) Client(id int) (Record, bool) {
	return s.row(id, func(d *data) *table { return d.clients })
}

// Site returns a site.
func (s *Server) Site(id int) (Record, bool) {
	return s.row(id, func(d *data) *table { return d.sites })
}

// User returns an end user.
func (s *Server) User(id int) (Record, bool) {
	return s.row(id, func(d *data) *table { return d.users })
}

func (s *Server) row(id int, of func(*data) *table) (Record, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	row, ok := of(s.data).rows[id]
	return row.with(), ok
}

// listClients: some builds ignore search here (research 3.4).
func (c *call) listClients() (any, error) {
	advanced, err := c.advanced("name", "toplevel_id", "inactive", "client_id", "id", "website")
	if err != nil {
		return nil, err
	}
	search := c.query.contains("search", "name", "website")
	if c.options.IgnoreClientSearch {
		search = func(Record) bool { return true }
	}
	rows := c.data.clients.where(c.query.active(), search, c.query.contains("search_name_only", "name"),
		c.query.within("toplevel_id", "toplevel_id"), advanced)
	return c.reply(listing{key: "clients", rows: rows, side: Record{"columns": []Record{}}, view: func(row Record) Record {
		return row.only("id", "name", "toplevel_id", "toplevel_name", "inactive", "colour", "main_site_id", "main_site_name", "website", "notes", "accountmanagertech")
	}})
}

func (c *call) getClient() (any, error) {
	row, err := c.find(c.data.clients, "Client")
	if err != nil {
		return nil, err
	}
	row = row.with(Record{"open_ticket_count": len(c.data.tickets.where(func(t Record) bool {
		return t.Int("client_id") == c.id && !t.Bool("hasbeenclosed") && !t.Bool("deleted")
	}))})
	if !c.query.flag("includedetails") {
		row = row.without("customfields")
	}
	if c.query.flag("includeprepay") {
		row["prepaytotal"], row["prepayused"], row["prepaybalance"] = 40.0, 12.5, 27.5
	}
	return c.single("clients", row)
}

func (c *call) listSites() (any, error) {
	advanced, err := c.advanced("name", "client_id", "client_name", "inactive", "id")
	if err != nil {
		return nil, err
	}
	rows := c.data.sites.where(c.query.active(), c.query.within("client_id", "client_id"), c.query.contains("search", "name", "client_name"), advanced)
	return c.reply(listing{key: "sites", rows: rows, side: Record{"columns": []Record{}}})
}

// listUsers: search looks at names and addresses; azureoid can be found with
// advanced_search only (3.9).
func (c *call) listUsers() (any, error) {
	advanced, err := c.advanced("id", "name", "firstname", "surname", "emailaddress", "email2", "email3", "login", "networklogin", "azureoid",
		"site_id", "client_id", "client_name", "inactive", "phonenumber")
	if err != nil {
		return nil, err
	}
	q := c.query
	rows := c.data.users.where(q.active(), q.within("client_id", "client_id"), q.within("site_id", "site_id"),
		q.contains("search", "name", "emailaddress", "login", "client_name"), advanced,
		func(row Record) bool { return !q.flag("exclude_generaluser") || !row.Bool("generaluser") })
	return c.reply(listing{key: "users", rows: rows, side: Record{"columns": []Record{}}, view: func(row Record) Record {
		return row.without("customfields")
	}})
}

// saveClient: a new client needs more than its name, the names of a first site
// and contact (3.6).
func (c *call) saveClient(in Record) (Record, error) {
	if in.Int("id") != 0 {
		return c.update(c.data.clients, in, "Client")
	}
	if strings.TrimSpace(in.String("name")) == "" || in.String("newclient_sitename") == "" {
		return nil, refuse(ErrorResult, "Please enter a name for the Client and its first Site.")
	}
	client := c.data.clients.add(Record{"inactive": false, "toplevel_id": 1, "toplevel_name": "Nordlicht IT Customers", "customfields": []Record{},
		"datecreated": local(c.now)}.with(plainFields(in)))
	site := c.data.sites.add(Record{"name": in["newclient_sitename"], "client_id": decimal(client.Int("id")), "client_name": client["name"], "inactive": false, "sla_id": 0})
	client = client.with(Record{"main_site_id": site["id"], "main_site_name": site["name"]})
	c.data.clients.put(client)
	c.addUser(site, Record{"name": "General User", "generaluser": true})
	if name := in.String("newclient_contactname"); name != "" {
		c.addUser(site, Record{"name": name, "emailaddress": in.String("newclient_contactemail")})
	}
	return client, nil
}

func (c *call) addUser(site, fields Record) Record {
	return c.data.users.add(Record{"inactive": false, "emailaddress": "", "azureoid": "", "site_id": decimal(site.Int("id")), "site_id_int": site["id"],
		"site_name": site["name"], "client_id": site.Int("client_id"), "client_name": site["client_name"], "customfields": []Record{}}.with(fields))
}

// saveSite: without issitedetails Halo keeps the site as it was (3.6).
func (c *call) saveSite(in Record) (Record, error) {
	if !in.Bool("issitedetails") {
		c.violate(fakehttp.SilentlyIgnored, "a site is not saved without issitedetails")
		if row, ok := c.data.sites.rows[in.Int("id")]; ok {
			return row, nil
		}
		return nil, refuse(ErrorResult, "Please enter the details of the Site.")
	}
	if in.Int("id") != 0 {
		return c.update(c.data.sites, in, "Site")
	}
	client, ok := c.data.clients.rows[in.Int("client_id")]
	if !ok || in.String("name") == "" {
		return nil, refuse(ErrorResult, "Please select a valid Client and enter a name for the Site.")
	}
	return c.data.sites.add(Record{"inactive": false, "client_name": client["name"], "sla_id": 0}.with(plainFields(in), Record{"client_id": decimal(client.Int("id"))})), nil
}

func (c *call) saveUser(in Record) (Record, error) {
	if in.Int("id") != 0 {
		return c.update(c.data.users, in, "User")
	}
	site, ok := c.data.sites.rows[in.Int("site_id")]
	if !ok {
		return nil, refuse(ErrorSentence, "Please select a valid Client/Site/User.")
	}
	fields := plainFields(in)
	if fields.String("name") == "" {
		fields["name"] = strings.TrimSpace(in.String("firstname") + " " + in.String("surname"))
	}
	if fields.String("name") == "" {
		return nil, refuse(ErrorMessage, "Please enter a name for the User.")
	}
	return c.addUser(site, fields.without("site_id")), nil
}

// plainFields are the fields of a write that are stored as sent.
func plainFields(in Record) Record {
	out := Record{}
	for name, value := range in {
		if !strings.HasPrefix(name, "_") && !strings.HasPrefix(name, "newclient_") && name != "issitedetails" && name != "id" {
			out[name] = value
		}
	}
	return out
}

// update lays the fields sent over a row; nested arrays are replaced whole
// (3.6).
func (c *call) update(t *table, in Record, what string) (Record, error) {
	old, ok := t.rows[in.Int("id")]
	if !ok {
		return nil, notFound(what, in.Int("id"))
	}
	row := old.with(plainFields(in))
	t.put(row)
	return row, nil
}

// saveRows creates or changes rows of an entity without rules of its own.
func (c *call) saveRows(key string, t *table) (any, error) {
	return c.each(key, func(in Record) (Record, error) {
		if in.Int("id") != 0 {
			return c.update(t, in, key)
		}
		return t.add(plainFields(in)), nil
	})
}

// deactivate refuses to delete what has tickets.
func (c *call) deactivate(t *table, what string) (any, error) {
	row, err := c.find(t, what)
	if err != nil {
		return nil, err
	}
	field := strings.ToLower(what) + "_id"
	if slices.ContainsFunc(c.data.tickets.all(), func(ticket Record) bool { return ticket.Int(field) == c.id }) {
		return nil, &failure{http.StatusBadRequest, ErrorSentence, "This " + what + " has Tickets and cannot be deleted."}
	}
	delete(t.rows, c.id)
	return row, nil
}
