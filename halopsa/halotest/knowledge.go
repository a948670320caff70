package halotest

import "slices"

func knowledgeRoutes() map[string]handler {
	return map[string]handler{
		"GET /KBArticle":       (*call).listArticles,
		"GET /KBArticle/{id}":  func(c *call) (any, error) { return c.find(c.data.articles, "Article") },
		"POST /KBArticle":      func(c *call) (any, error) { return c.each("articles", c.saveArticle) },
		"GET /FAQLists":        func(c *call) (any, error) { return c.bare(c.data.faqLists.all()) },
		"GET /CannedText":      func(c *call) (any, error) { return c.bare(c.data.canned.all()) },
		"GET /CannedText/{id}": func(c *call) (any, error) { return c.find(c.data.canned, "Canned text") },
		"GET /Tags":            func(c *call) (any, error) { return c.bare(c.data.tags.all()) },
	}
}

func (c *call) listArticles() (any, error) {
	lists := c.query.ids("faqlists")
	rows := c.data.articles.where(c.query.active(), c.query.contains("search", "name", "description", "resolution"), func(row Record) bool {
		return lists == nil || slices.ContainsFunc(row.List("faqlists"), func(list Record) bool { return lists[list.Int("id")] })
	})
	return c.reply(listing{key: "articles", rows: rows, view: func(row Record) Record {
		return row.without("description_html", "resolution_html", "resolution")
	}})
}

func (c *call) saveArticle(in Record) (Record, error) {
	if in.Int("id") != 0 {
		return c.update(c.data.articles, in, "Article")
	}
	if in.String("name") == "" {
		return nil, refuse(ErrorSentence, "A name must be entered for this Article")
	}
	return c.data.articles.add(Record{"inactive": false, "type": 0, "date_created": local(c.now), "date_edited": local(c.now)}.with(plainFields(in))), nil
}
