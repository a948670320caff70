package halotest

func searchRoutes() map[string]handler {
	return map[string]handler{"GET /Search": (*call).search}
}

// search is the global search: a few rows of every kind that has the text.
func (c *call) search() (any, error) {
	limit, ok := c.query.number("count_per_entity")
	if !ok || limit < 1 {
		limit = 5
	}
	found := Record{}
	for _, entity := range []struct {
		key    string
		table  *table
		fields []string
		view   []string
	}{
		{"tickets", c.data.tickets, []string{"id", "summary", "details"}, []string{"id", "summary", "client_name", "user_name", "status_id", "dateoccurred"}},
		{"clients", c.data.clients, []string{"name"}, []string{"id", "name"}},
		{"sites", c.data.sites, []string{"name"}, []string{"id", "name", "client_id", "client_name"}},
		{"users", c.data.users, []string{"name", "emailaddress"}, []string{"id", "name", "emailaddress", "client_name", "site_name"}},
		{"assets", c.data.assets, []string{"inventory_number", "key_field"}, []string{"id", "inventory_number", "key_field", "client_name", "assettype_name"}},
		{"articles", c.data.articles, []string{"name", "description"}, []string{"id", "name"}},
	} {
		rows := entity.table.where(c.query.contains("search", entity.fields...), func(row Record) bool { return !row.Bool("deleted") && !row.Bool("inactive") })
		if c.query.text("search") == "" {
			rows = nil
		}
		hits := []Record{}
		for _, row := range rows[:min(limit, len(rows))] {
			hits = append(hits, row.only(entity.view...))
		}
		found[entity.key] = hits
	}
	return found, nil
}
