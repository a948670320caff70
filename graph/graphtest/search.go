package graphtest

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/msptoolbelt/toolbelt/internal/fakehttp"
)

// searchRoutes answers for Microsoft Search over mail and events.
// https://learn.microsoft.com/graph/api/search-query
func searchRoutes() map[string]handler {
	return map[string]handler{"POST /search/query": searchQuery}
}

func searchQuery(c *call) (reply, error) {
	params, err := c.parameters()
	if err != nil {
		return reply{}, err
	}
	requests := elements(params["requests"])
	if len(requests) != 1 {
		return reply{}, c.wrongSearch("Exactly one search request is supported.")
	}
	request := asObject(requests[0])
	types := elements(request["entityTypes"])
	if len(types) == 0 || textAt(request, "query", "queryString") == "" {
		return reply{}, c.wrongSearch("A search request needs entityTypes and query.queryString.")
	}
	mail, events, people := has(types, "message"), has(types, "event"), has(types, "person")
	if len(types) > 1 && (mail || events || people) {
		return reply{}, c.wrongSearch("The entity types message, event and person cannot be combined with others.")
	}
	if c.caller.app && (mail || events || people) {
		return reply{}, c.wrongSearch("Application permission is only supported for the following entity types: 'Site, List, ListItem, Drive and DriveItem'.")
	}
	if (mail || events) && request["sortProperties"] != nil {
		return reply{}, c.wrongSearch("Sorting is not supported for message and event.")
	}
	size, from := 25, number(request["from"])
	if request["size"] != nil {
		size = number(request["size"])
	}
	if limit := searchLimit(mail || events); size < 1 || size > limit {
		return reply{}, c.wrongSearch("The page size must be between 1 and %d.", limit)
	}
	if err := c.allowSearch(mail, events); err != nil {
		return reply{}, err
	}
	found, err := c.found(mail, events, people, textAt(request, "query", "queryString"))
	if err != nil {
		return reply{}, err
	}
	hits := []object{}
	for i, resource := range found[min(from, len(found)):min(from+size, len(found))] {
		hits = append(hits, object{
			"hitId": resource["id"], "rank": from + i + 1, "summary": firstOf(textAt(resource, "bodyPreview"), textAt(resource, "displayName")), "resource": resource,
		})
	}
	container := object{"total": len(found), "moreResultsAvailable": from+size < len(found)}
	if len(hits) > 0 {
		container["hits"] = hits
	}
	return ok(object{
		"@odata.context": c.URL() + "/$metadata#Collection(microsoft.graph.searchResponse)",
		"value":          []object{{"searchTerms": strings.Fields(textAt(request, "query", "queryString")), "hitsContainers": []object{container}}},
	}), nil
}

func has(types []any, name string) bool { return slices.Contains(types, any(name)) }

func searchLimit(outlook bool) int {
	if outlook {
		return 25
	}
	return 500
}

// allowSearch: each entity type needs the permission of its workload.
func (c *call) allowSearch(mail, events bool) error {
	needed := ""
	switch {
	case mail:
		needed = "Mail.Read"
	case events:
		needed = "Calendars.Read"
	default:
		return nil
	}
	if slices.Contains(c.caller.scopes, needed) || slices.Contains(c.caller.scopes, needed+"Write") {
		return nil
	}
	return c.denied()
}

// found are the resources of the caller that match, in the slimmer form of
// search results: no body, a preview in its place. Types without data here,
// such as files, have no hits.
func (c *call) found(mail, events, people bool, text string) ([]object, error) {
	test, err := kql(text)
	if err != nil {
		return nil, err
	}
	me := c.user(c.caller.user)
	var out []object
	switch {
	case me == nil || me.box == nil:
	case mail:
		for _, m := range me.box.newestFirst() {
			if test(m.filterable()) {
				view := pickKeys(m.view(prefs{}), "createdDateTime", "lastModifiedDateTime", "receivedDateTime", "sentDateTime", "hasAttachments", "subject",
					"bodyPreview", "importance", "replyTo", "isRead", "isDraft", "webLink", "internetMessageId", "parentFolderId", "sender", "from", "conversationId")
				view["@odata.type"], view["id"] = "#microsoft.graph.message", m.id(prefs{})
				out = append(out, view)
			}
		}
	case events:
		for _, e := range me.box.events {
			if view := e.view(prefs{}); test(view) {
				slim := pickKeys(view, "subject", "start", "end", "hasAttachments", "importance", "isAllDay", "sensitivity", "bodyPreview", "webLink", "type", "iCalUId")
				slim["@odata.type"], slim["id"] = "#microsoft.graph.event", view["id"]
				out = append(out, slim)
			}
		}
	case people:
		for _, u := range c.users {
			if test(object{"subject": u.name() + " " + u.mail() + " " + toText(u.props["department"])}) {
				view := person(u.name(), u.mail(), u)
				view["@odata.type"] = "#microsoft.graph.person"
				out = append(out, view)
			}
		}
	}
	return out, nil
}

func pickKeys(o object, keys ...string) object {
	picked := maps.Clone(o)
	maps.DeleteFunc(picked, func(key string, _ any) bool { return !slices.Contains(keys, key) })
	return picked
}

func (c *call) wrongSearch(format string, args ...any) error {
	c.violate(fakehttp.WrongKind, format, args...)
	return failf(http.StatusBadRequest, "BadRequest", format, args...)
}
